// What is shown lies in the address: #/attacks?prefix=192.0.2.0/24&range=24h. So it can be sent to a colleague as it is.

/** `{path: ['attacks', 'ID'], params: URLSearchParams}` of the address. */
export function route() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decoded), params: new URLSearchParams(search) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a view: `href(['attacks', id], {range: '24h'})`. Parameters that are empty are left out. */
export function href(path, parameters = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') params.set(name, value);
  }
  const search = params.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${search ? `?${search}` : ''}`;
}

/** Goes there as a link would. */
export function go(path, parameters) {
  location.hash = href(path, parameters);
}

/** Changes parameters of this view without a step in the history. A null removes. */
export function setParams(changes) {
  const { path, params } = route();
  const all = { ...Object.fromEntries(params), ...changes };
  history.replaceState(null, '', href(path, all));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}
