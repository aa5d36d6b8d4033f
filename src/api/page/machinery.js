// The monitor's own parts, each a small card.

import { h } from './dom.js';
import { facts, tag } from './parts.js';
import { href } from './router.js';
import { brief, instant, timeElement } from './times.js';
import { duration } from './units.js';

const short = (date) => `${brief(date)} UTC`;

function card(title, tone, words, pairs) {
  return h(
    'section',
    { class: `card ${tone}`, key: title },
    h('h3', null, title, tag(words, tone)),
    facts(pairs),
  );
}

function polling(polling) {
  const isBad =
    polling.last_failure_at &&
    (!polling.last_ok_at || instant(polling.last_failure_at) > instant(polling.last_ok_at));
  return card(
    'Cloudflare',
    isBad ? 'bad' : polling.last_ok_at ? 'good' : 'warn',
    isBad ? 'failing' : polling.last_ok_at ? 'reachable' : 'not asked yet',
    [
      ['last answer', polling.last_ok_at ? timeElement(polling.last_ok_at, short) : 'none yet'],
      ['covered up to', polling.covered_to ? timeElement(polling.covered_to, short) : null],
      ['last failure', polling.last_failure_at ? timeElement(polling.last_failure_at, short) : 'none'],
      ['asked every', duration(polling.interval_seconds)],
    ],
  );
}

function outbox(outbox) {
  if (!outbox) return card('Telegram', 'warn', 'unknown', [['', 'What waits could not be read.']]);
  const waits = outbox.waiting > 0;
  return card('Telegram', waits ? 'warn' : 'good', waits ? `${outbox.waiting} waiting` : 'nothing waits', [
    ['oldest waits since', outbox.oldest_at ? timeElement(outbox.oldest_at, short) : null],
    ['last sent', outbox.last_sent_at ? timeElement(outbox.last_sent_at, short) : 'nothing yet'],
    [
      '',
      h(
        'a',
        { href: href(['deliveries'], waits ? { state: 'waiting' } : {}) },
        waits ? 'What waits and why' : 'What was sent',
      ),
    ],
  ]);
}

function flow(flow) {
  if (!flow.enabled)
    return card('Flow monitor', 'plain', 'off', [['', 'Switched on by flow.enabled in the settings.']]);
  const silent = Array.isArray(flow.silent_exporters)
    ? flow.silent_exporters.length
    : (flow.silent_exporters ?? 0);
  const exporters = Array.isArray(flow.exporters) ? flow.exporters.length : (flow.exporters ?? 0);
  return card(
    'Flow monitor',
    silent || !exporters ? 'warn' : 'good',
    !exporters ? 'no exporter heard' : silent ? `${silent} silent` : 'counting',
    [
      ['last minute', flow.last_minute ? timeElement(flow.last_minute, short) : 'none yet'],
      ['exporters', exporters],
      ['silent', silent || null],
      ['', h('a', { href: href(['routers']) }, 'Exporters and sampling')],
    ],
  );
}

function geoip(geoip) {
  const isLoaded = geoip.city_built_at || geoip.asn_built_at;
  return card(
    'GeoIP',
    isLoaded ? 'good' : 'plain',
    isLoaded ? String(geoip.kind ?? 'loaded') : 'no database',
    [
      [
        'cities of',
        geoip.city_built_at
          ? timeElement(geoip.city_built_at, (date) => date.toISOString().slice(0, 10))
          : 'none',
      ],
      [
        'networks of',
        geoip.asn_built_at
          ? timeElement(geoip.asn_built_at, (date) => date.toISOString().slice(0, 10))
          : 'none',
      ],
    ],
  );
}

function about(status) {
  return card(
    'Daemon',
    status.ready === false ? 'warn' : 'good',
    status.ready === false ? 'not ready' : 'ready',
    [
      ['version', status.version],
      ['running for', status.started_at ? duration((Date.now() - instant(status.started_at)) / 1000) : null],
      ['why not ready', (status.reasons ?? []).join('; ') || null],
      ['', h('a', { href: '/docs' }, 'HTTP API')],
    ],
  );
}

/** `status`: as /status answers. */
export const machinery = (status) => [
  polling(status.polling ?? {}),
  outbox(status.outbox),
  flow(status.flow ?? {}),
  geoip(status.geoip ?? {}),
  about(status),
];
