// A world for the page: a simulated Cloudflare and Telegram, a daemon between them, and a router where one is wanted. All on
// loopback, on ports that were free; only processes started here are ended.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, readdirSync, copyFileSync, writeFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const kSource = process.env.CAM_SOURCE;
export const kToken = 'correct-horse-battery-staple-0123456789';
export const kHostileVector = '<img src=x onerror="window.hostile=1">';
export const kHostileRule = '"><script>window.hostile=1</script>';
export const kHostileAttack = "</td><script>window.hostile=1</script>'";

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Until `probe` gives something, at most `seconds` long. */
export async function until(what, seconds, probe) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await pause(100);
  }
}

const kPast = [
  ['SYN Flood', 'TCP', 443, 20.5, 900, 4.1e12],
  ['DNS Amplification', 'UDP', 53, 15.2, 1500, 6.3e12],
  ['ICMP Flood', 'ICMP', 0, 11.7, 500, 1.2e12],
  ['SYN-ACK Flood', 'TCP', 80, 7.3, 2100, 7.7e12],
  ['GRE Flood', 'GRE', 0, 3.4, 700, 2.4e12],
];
const past = ([vector, protocol, port, hours, seconds, bits], at) => ({
  attack_id: `past${at}x7h1v0q9t5ke3b6`, vector, rule: `${vector.split(' ')[0]}-0001`, protocol, targets: ['185.54.82.4', '185.54.81.9', '185.54.80.20'].slice(0, 1 + (at % 3)),
  destination_port: port, events: 30, sources: 12, packets: Math.round(bits / 6400), bits, over_seconds: seconds, at_seconds_ago: Math.round(hours * 3600),
});
const kGoingOn = {
  attack_id: 'now4kd02mz81c6y7wq', vector: 'UDP Flood', rule: 'UDP-0001', protocol: 'UDP', targets: ['185.54.82.4'], destination_port: 443,
  events: 40, sources: 20, packets: 90_000_000, bits: 720_000_000_000, over_seconds: 230, at_seconds_ago: 240,
};
/** Some of it leaks: storeMinutes() says what arrived. */
export const kLeaky = {
  attack_id: 'leaky83x7h1v0q9t5ke3b6', vector: 'NTP Amplification', rule: 'NTP-0001', protocol: 'UDP', targets: ['185.54.83.7'], destination_port: 80,
  events: 40, sources: 15, packets: 9_000_000, bits: 72_000_000_000, over_seconds: 290, at_seconds_ago: 9000,
};
const kHostile = {
  attack_id: kHostileAttack, vector: kHostileVector, rule: kHostileRule, protocol: 'TCP', targets: ['185.54.81.9'], destination_port: 80,
  events: 5, sources: 3, packets: 90_000, bits: 720_000_000_000, over_seconds: 60, at_seconds_ago: 1800,
};

function scenario() {
  const file = readFileSync(join(kSource, 'tests/simulator/demo.json'), 'utf8');
  const demo = JSON.parse(file);
  demo.attacks = [...(demo.attacks ?? []), ...kPast.map(past), kGoingOn, kLeaky, kHostile];
  return demo;
}

export class Site {
  #processes = [];
  folder = mkdtempSync(join(tmpdir(), 'cam-browser-'));

  /** `token`: where the API asks for one. */
  async start({ token = null } = {}) {
    const world = scenario();
    writeFileSync(join(this.folder, 'world.json'), JSON.stringify(world));
    this.#run('simulator', process.env.CAM_SIMULATOR, ['--scenario', join(this.folder, 'world.json'), '--port', '0', '--port-file', join(this.folder, 'port')]);
    const port = await until('the simulator listens', 10, () => existsSync(join(this.folder, 'port')) && readFileSync(join(this.folder, 'port'), 'utf8').trim());
    this.world = `http://127.0.0.1:${port}`;
    this.#settings(world, token);
    this.startMonitor();
    await this.ready();
  }

  startMonitor() {
    const environment = { ...process.env };
    delete environment.CLOUDFLARE_API_TOKEN;
    delete environment.TELEGRAM_BOT_TOKEN;
    this.monitor = this.#run('monitor', process.env.CAM_MONITOR, ['--config', join(this.folder, 'config/settings.json')], environment);
  }

  /** On the same address as before, so that a page that stayed open finds it again. */
  async restartMonitor() {
    await this.end(this.monitor);
    const file = join(this.folder, 'config/settings.json');
    const settings = JSON.parse(readFileSync(file, 'utf8'));
    settings.api.listen = this.url.replace('http://', '');
    writeFileSync(file, JSON.stringify(settings), { mode: 0o600 });
    this.startMonitor();
    await this.ready();
  }

  async ready() {
    const address = await until('the API listens', 20, () => this.#logged(/api listening address=([0-9.:]+)/));
    this.url = `http://${address}`;
    this.flowPort = await until('the flow monitor listens', 20, () => this.#logged(/flow monitor listening ports=(\d+)/));
  }

  #settings(world, token) {
    const config = join(this.folder, 'config');
    const geoip = join(this.folder, 'geoip');
    mkdirSync(config);
    mkdirSync(geoip);
    const data = join(kSource, 'tests/data');
    for (const place of [data, join(data, 'geoip')]) {
      if (!existsSync(place)) continue;
      for (const name of readdirSync(place).filter((each) => each.endsWith('.mmdb'))) copyFileSync(join(place, name), join(geoip, name));
    }
    if (token) writeFileSync(join(config, 'token'), `${token}\n`, { mode: 0o600 });
    this.preferenceFile = join(config, 'dashboard_prefs.json');
    writeFileSync(this.preferenceFile, '{"my_prefixes_only": true}');
    const settings = JSON.parse(readFileSync(join(kSource, 'config/settings.example.json'), 'utf8'));
    const { cloudflare, telegram } = world;
    Object.assign(settings, {
      cloudflare: { account_id: cloudflare.account_ids[0], api_token: cloudflare.api_token, api_url: `${this.world}/client/v4` },
      telegram: { bot_token: telegram.bot_token, chat_id: String(telegram.chats[0].id), api_url: `${this.world}/telegram` },
      monitor: { ...settings.monitor, poll_interval_seconds: 5, lookback_minutes: 1440 },
      prefixes: { mine: ['185.54.80.0/22', '2a02:4460::/32'], cloudflare_anycast: ['162.159.0.0/16'] },
      geoip: { city: [join(geoip, 'GeoIP2-City.mmdb')], asn: [join(geoip, 'GeoIP2-ASN.mmdb')] },
      organization: 'Demo SOC',
      services: {},
      api: { enabled: true, listen: '127.0.0.1:0', token_file: token ? join(config, 'token') : '' },
      flow: { ...settings.flow, enabled: true, listen: ['127.0.0.1:0'] },
    });
    writeFileSync(join(config, 'settings.json'), JSON.stringify(settings), { mode: 0o600 });
  }

  /** A router sends 2 Gbps to 185.54.82.4 for so long, or less where `more` says so. */
  exportFlows(seconds, more = []) {
    return this.#run('exporter', process.env.CAM_EXPORTER, ['--to', `127.0.0.1:${this.flowPort}`, '--from', '127.0.0.21', '--destination', '185.54.82.4', '--sampling', '1000', '--seconds', String(seconds), ...more]);
  }

  /** As if a collector had counted these minutes: `rates` are [start, bits/s], of one prefix. */
  storeMinutes(prefix, rates) {
    const sql = [`INSERT INTO flow_prefixes (prefix) VALUES ('${prefix}') ON CONFLICT DO NOTHING`];
    for (const [start, bits] of rates) {
      const minute = Math.floor(start / 60_000);
      const bytes = Math.round((bits * 60) / 8);
      sql.push(`INSERT INTO flow_collected_minutes VALUES (${minute}, 0, 60000, 60000) ON CONFLICT DO NOTHING`);
      sql.push(`INSERT INTO flow_minutes (minute, prefix_id, bytes, packets, flows) SELECT ${minute}, id, ${bytes}, ${Math.ceil(bytes / 1000)}, 1 FROM flow_prefixes WHERE prefix = '${prefix}'`);
    }
    execFileSync('sqlite3', ['-bail', '-cmd', '.timeout 10000', join(this.folder, 'db/magic_transit.db')], { input: `BEGIN IMMEDIATE;\n${sql.join(';\n')};\nCOMMIT;\n` });
  }

  /** Of the API, without a browser. */
  async api(path, options = {}) {
    const response = await fetch(this.url + path, { ...options, headers: { ...(this.token ? { Authorization: `Bearer ${this.token}` } : {}), ...options.headers } });
    return (await response.json()).result;
  }
  async addEvents(events) {
    await fetch(`${this.world}/sim/events`, { method: 'POST', body: JSON.stringify(events) });
  }
  async addFault(fault) {
    await fetch(`${this.world}/sim/faults`, { method: 'POST', body: JSON.stringify(fault) });
  }
  async clearFaults() {
    await fetch(`${this.world}/sim/faults`, { method: 'DELETE' });
  }
  async messages() {
    return (await fetch(`${this.world}/sim/messages`)).json();
  }
  preference() {
    return JSON.parse(readFileSync(this.preferenceFile, 'utf8')).my_prefixes_only;
  }

  #run(name, program, options, env = process.env) {
    const child = spawn(program, options, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        child.said = (child.said + text).slice(-200_000);
      });
    }
    child.label = name;
    this.#processes.push(child);
    return child;
  }

  #logged(pattern) {
    if (this.monitor.exitCode !== null) throw new Error(`the monitor ended: ${this.monitor.said}`);
    return pattern.exec(this.monitor.said)?.[1];
  }

  async end(child) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  }

  async stop() {
    for (const child of [...this.#processes].reverse()) await this.end(child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
