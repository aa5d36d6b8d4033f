// A modern ClickHouse engine (chDB) behind the part of ClickHouse's HTTP interface that the daemon speaks.
//
//   CAM_CHDB_DIR=DIR node chdb_front.mjs --data DIR [--port N] [--listen ADDRESS] [--cert FILE --key FILE]
//       [--config FILE] [--replicas]
//
// CAM_CHDB_DIR is the folder whose node_modules hold chdb. FILE: a server's config.xml, of which the engine reads what
// it knows (kafka, macros, zookeeper, remote_servers). --replicas: Replicated tables work, as one replica, and ON CLUSTER
// means this server. Prints `listening on ADDRESS:PORT` once it answers (port 0,
// the default, is a free one). One process per data directory, which stays over restarts, kill -9 too. Spoken: GET
// /ping; POST / with the query in the body, or in ?query= and an INSERT's data in the body; ?database=, ?param_NAME=,
// every other parameter a setting of that query; request bodies in gzip, deflate or (an INSERT's) zstd, answers in
// gzip with enable_http_compression=1; X-ClickHouse-User and -Key, or Basic, against CHDB_FRONT_USER (default) and
// CHDB_FRONT_PASSWORD (none); failures with the status that ClickHouse gives and X-ClickHouse-Exception-Code. Not
// spoken: sessions, streaming (an answer is whole before it starts), users and grants.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createRequire } from 'node:module';
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { gunzip, gzip, inflate } from 'node:zlib';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    port: { type: 'string', default: '0' },
    listen: { type: 'string', default: '127.0.0.1' },
    cert: { type: 'string' },
    key: { type: 'string' },
    config: { type: 'string' },
    replicas: { type: 'boolean', default: false },
  },
});
if (!options.data) {
  console.error('usage: node chdb_front.mjs --data DIR [--port N] [--listen ADDRESS] [--cert FILE --key FILE] ' +
    '[--config FILE] [--replicas]');
  process.exit(2);
}
const USER = process.env.CHDB_FRONT_USER ?? 'default';
const PASSWORD = process.env.CHDB_FRONT_PASSWORD ?? '';
const CONNECTIONS = 4;
const MOST_BODY_BYTES = 1024 * 1024 * 1024;

const engineDir = resolve(process.env.CAM_CHDB_DIR ?? '.');
const require = createRequire(import.meta.url);
const engine = require(join(engineDir, 'node_modules/chdb/dist/loader.js')).loadNative();
const data = resolve(options.data);
const tls = options.cert ? { cert: readFileSync(options.cert), key: readFileSync(options.key) } : undefined;
mkdirSync(data, { recursive: true });
// The engine reads config.xml where it runs, and leaves a folder of schemas there.
if (options.config) copyFileSync(options.config, join(data, 'config.xml'));
else rmSync(join(data, 'config.xml'), { force: true });
process.chdir(data);

// The engine has no port for other replicas, and a replica without one never becomes active: Context's
// getInterserverIOAddress() throws. Its two jumps to the throw are taken out in memory, in the one build that
// package-lock.json names; replicas then announce themselves under no address, and nobody can fetch from them.
const JUMPS = [[0x1417c9e6, '7454'], [0x1417c9f3, '7447']];
function allowReplicas() {
  const map = readFileSync('/proc/self/maps', 'utf8').split('\n').find((line) => line.endsWith('/libchdb.so'));
  const base = Number.parseInt(map.split('-')[0], 16);
  const memory = openSync('/proc/self/mem', 'r+');
  const found = Buffer.alloc(2);
  for (const [at, jump] of JUMPS) {
    readSync(memory, found, 0, 2, base + at);
    if (found.toString('hex') !== jump) throw new Error('this build of the engine is unknown: no --replicas');
  }
  for (const [at] of JUMPS) writeSync(memory, Buffer.from('6690', 'hex'), 0, 2, base + at);
  closeSync(memory);
}
if (options.replicas) allowReplicas();
// Nor has it the thread that runs ON CLUSTER's statements.
const here = (sql) => (options.replicas ? sql.replace(/ ON CLUSTER '[^']*'/, '') : sql);

class Failure extends Error {
  constructor(code, text, status) {
    super(`Code: ${code}. DB::Exception: ${text}`);
    this.code = code;
    this.status = status;
  }
}

// What ClickHouse answers to its own exception codes (src/Server/HTTPHandler).
const STATUS = new Map([
  [516, 403], [194, 401], [497, 403], [241, 500], [159, 408], [160, 417], [209, 408], [62, 400], [47, 404], [60, 404],
  [81, 404], [46, 404], [50, 404], [16, 400], [27, 400], [36, 400], [38, 400], [41, 400], [43, 400], [44, 400],
  [53, 400], [69, 400], [72, 400], [117, 400], [456, 400], [457, 400], [115, 404], [48, 501], [164, 500], [252, 500],
]);

// Each connection runs one query at a time; a query's settings and database live and end on its connection.
const idle = [];
const waiting = [];
for (let i = 0; i < CONNECTIONS; ++i) {
  idle.push({ handle: engine.CreateConnection(data), database: 'default' });
}
const acquire = () => (idle.length > 0 ? Promise.resolve(idle.pop()) : new Promise((go) => waiting.push(go)));
function release(connection) {
  const next = waiting.shift();
  if (next) next(connection);
  else idle.push(connection);
}

// Parameters are the process's in this engine and not the connection's: queries with parameters go one by one.
let lastWithParameters = Promise.resolve();
function oneByOne(work) {
  const mine = lastWithParameters.then(work);
  lastWithParameters = mine.catch(() => {});
  return mine;
}

// Users are the front's and not the engine's: a dictionary logs in without them.
const withoutLogin = (sql) => (/^\s*CREATE\s+(OR\s+REPLACE\s+)?DICTIONARY\b/i.test(sql)
  ? sql.replace(/USER '(?:[^'\\]|\\.)*' PASSWORD '(?:[^'\\]|\\.)*'/, '') : sql);

const quoted = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

async function statement(connection, sql) {
  return (await engine.QueryAsyncConnection(connection.handle, sql, 'TabSeparated')).bytes;
}

// The rows of an INSERT lie in a file meanwhile: rows within the statement would end at the first empty line in them.
let lastFile = 0;
async function insertOf(connection, request) {
  const file = join(data, `incoming-${++lastFile}`);
  const from = `FROM INFILE ${quoted(file)} COMPRESSION '${request.compression}'`;
  const sql = request.query.replace(/\bFORMAT\s+\w+\s*$/i, (format) => `${from} ${format}`);
  writeFileSync(file, request.data);
  try {
    await statement(connection, sql);
  } finally {
    rmSync(file, { force: true });
  }
}

async function run(request) {
  const connection = await acquire();
  const changed = [];
  try {
    if (connection.database !== request.database) {
      await statement(connection, `USE \`${request.database.replaceAll('`', '\\`')}\``);
      connection.database = request.database;
    }
    for (const [name, value] of request.settings) {
      if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Failure(115, `Unknown setting '${name}'`, 404);
      await statement(connection, `SET ${name} = ${quoted(value)}`);
      changed.push(name);
    }
    if (request.data !== undefined && /^\s*INSERT\b/i.test(request.query)) {
      await insertOf(connection, request);
      return Buffer.alloc(0);
    }
    const sql = request.data === undefined ? here(withoutLogin(request.query)) : `${request.query}\n${request.data}`;
    if (request.parameters === undefined) {
      return (await engine.QueryAsyncConnection(connection.handle, sql, request.format)).bytes;
    }
    return await oneByOne(async () =>
      (await engine.QueryAsyncConnection(connection.handle, sql, request.format, request.parameters)).bytes);
  } finally {
    for (const name of changed) await statement(connection, `SET ${name} = DEFAULT`).catch(() => {});
    release(connection);
  }
}

async function bodyOf(message) {
  const parts = [];
  let size = 0;
  for await (const part of message) {
    size += part.length;
    if (size > MOST_BODY_BYTES) throw new Failure(307, 'body is too large', 413);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function decoded(bytes, encoding) {
  try {
    if (encoding === 'gzip') return await promisify(gunzip)(bytes);
    if (encoding === 'deflate') return await promisify(inflate)(bytes);
  } catch {
    throw new Failure(271, 'Cannot decompress', 400);
  }
  if (encoding === 'zstd') return bytes; // the engine's work
  if (encoding && encoding !== 'identity') throw new Failure(48, `Unknown compression method ${encoding}`, 501);
  return bytes;
}

function authenticate(message, query) {
  let user = message.headers['x-clickhouse-user'] ?? query.get('user');
  let password = message.headers['x-clickhouse-key'] ?? query.get('password');
  const basic = /^Basic (.+)$/i.exec(message.headers.authorization ?? '');
  if (basic) [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic[1], 'base64').toString()) ?? [];
  user ??= 'default';
  if (user === USER && (password ?? '') === PASSWORD) return;
  const text = `${user}: Authentication failed: password is incorrect, or there is no user with such name. ` +
    '(AUTHENTICATION_FAILED)';
  throw new Failure(516, text, 403);
}

const NOT_SETTINGS = new Set(['query', 'database', 'user', 'password', 'default_format', 'query_id', 'compress',
  'enable_http_compression', 'wait_end_of_query', 'buffer_size', 'session_id', 'quota_key',
  'http_zlib_compression_level', 'send_progress_in_http_headers']);

function requestOf(message, url, body) {
  const query = url.searchParams;
  const inUrl = query.get('query');
  const parameters = {};
  const settings = [];
  for (const [name, value] of query) {
    if (name.startsWith('param_')) parameters[name.slice(6)] = value;
    else if (!NOT_SETTINGS.has(name)) settings.push([name, value]);
  }
  return {
    query: inUrl ?? body.toString(),
    data: inUrl === null || body.length === 0 ? undefined : body,
    compression: message.headers['content-encoding'] === 'zstd' ? 'zstd' : 'none',
    database: query.get('database') ?? message.headers['x-clickhouse-database'] ?? 'default',
    format: query.get('default_format') ?? message.headers['x-clickhouse-format'] ?? 'TabSeparated',
    parameters: Object.keys(parameters).length > 0 ? parameters : undefined,
    settings,
  };
}

async function answer(message, response, url) {
  authenticate(message, url.searchParams);
  const body = await decoded(await bodyOf(message), message.headers['content-encoding']);
  let bytes = Buffer.from(await run(requestOf(message, url, body)));
  const headers = { 'Content-Type': 'application/octet-stream', 'X-ClickHouse-Server-Display-Name': 'chdb-front' };
  const mayZip = url.searchParams.get('enable_http_compression') === '1';
  if (mayZip && bytes.length > 0 && /\bgzip\b/.test(message.headers['accept-encoding'] ?? '')) {
    bytes = await promisify(gzip)(bytes, { level: 1 });
    headers['Content-Encoding'] = 'gzip';
  }
  response.writeHead(200, { ...headers, 'Content-Length': bytes.length });
  response.end(bytes);
}

function refuse(response, error) {
  const text = String(error?.message ?? error);
  const found = /Code: (\d+)/.exec(text);
  const code = error instanceof Failure ? error.code : Number(found?.[1] ?? 1002);
  const status = error instanceof Failure ? error.status : STATUS.get(code) ?? 500;
  if (response.headersSent) return response.destroy();
  const body = Buffer.from(`${text.trimEnd()}\n`);
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8', 'Content-Length': body.length,
    'X-ClickHouse-Exception-Code': String(code), 'X-ClickHouse-Server-Display-Name': 'chdb-front' });
  return response.end(body);
}

function serve(message, response) {
  const url = new URL(message.url, 'http://front');
  if (url.pathname === '/ping') {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 4 });
    return response.end('Ok.\n');
  }
  if (url.pathname !== '/') {
    response.writeHead(404);
    return response.end('There is no handle here\n');
  }
  return answer(message, response, url).catch((error) => refuse(response, error));
}

const server = tls ? createTlsServer(tls, serve) : createServer(serve);
server.keepAliveTimeout = 30_000;
server.listen(Number(options.port), options.listen, () => {
  console.log(`listening on ${options.listen}:${server.address().port}`);
});
// The engine writes what it holds when its connections close.
function stop() {
  server.close();
  server.closeAllConnections();
  for (const connection of idle.splice(0)) engine.CloseConnection(connection.handle);
  process.exit(0);
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
