// The calls to the daemon. Every failure is an ApiError: a page that cannot ask must never look like a page without news.

export class ApiError extends Error {
  /** `status` 0: nobody answered. `messages`: what the API said, each beginning with the field where one is meant. */
  constructor(status, messages, retryAfter = null) {
    super(messages.join('; '));
    this.status = status;
    this.messages = messages;
    this.retryAfter = retryAfter;
  }
  get isLost() {
    return this.status === 0;
  }
}

const kTimeout = 20000;
let csrf = null;
const listeners = { answered: [], lost: [], refused: [] };

/** `kind`: answered (the daemon answered, whatever), lost (it did not), refused (401: a login is needed). */
export function on(kind, listener) {
  listeners[kind].push(listener);
}
function tell(kind) {
  for (const listener of listeners[kind]) listener();
}

export function query(parameters) {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') out.set(name, value);
  }
  const text = out.toString();
  return text ? `?${text}` : '';
}

async function answered(path, method, body, signal) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET' && csrf) headers['X-CSRF-Token'] = csrf;
  const deadline = AbortSignal.timeout(kTimeout);
  try {
    return await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
      credentials: 'same-origin',
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
  } catch (failure) {
    if (signal?.aborted) throw failure;
    tell('lost');
    throw new ApiError(0, [
      deadline.aborted ? 'the monitor does not answer in time' : 'the monitor cannot be reached',
    ]);
  }
}

/** The whole envelope of a successful call. Throws ApiError; the caller's own abort comes through as it is. */
export async function call(path, { method = 'GET', body, signal } = {}) {
  const response = await answered(path, method, body, signal);
  let envelope = null;
  try {
    envelope = await response.json();
  } catch (failure) {
    if (signal?.aborted) throw failure;
  }
  tell('answered');
  if (response.status === 401 && path !== '/session') tell('refused');
  if (response.ok && envelope?.success) return envelope;
  const said = (envelope?.errors ?? []).map((error) => String(error.message)).filter(Boolean);
  const messages = said.length ? said : [`the monitor answered with status ${response.status}`];
  throw new ApiError(response.status, messages, response.headers.get('Retry-After'));
}

/** The result alone. */
export const get = async (path, signal) => (await call(path, { signal })).result;

/** Who we are to the daemon: `{required, authenticated, csrf}`. */
export async function session() {
  const state = await get('/session');
  csrf = state.csrf ?? null;
  return state;
}
export async function logIn(token) {
  await call('/session', { method: 'POST', body: { token } });
  return session();
}
export async function logOut() {
  await call('/session', { method: 'DELETE' });
  csrf = null;
}
