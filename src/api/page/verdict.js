// What is wrong now, worst first. Pure: the page's first words are tested without a browser.

import { instant } from './times.js';

const kRanks = { bad: 0, warn: 1 };

/** Polls later than this many intervals are late. */
const kLateIntervals = 3;

function blindness(status, now) {
  const polling = status.polling ?? {};
  const ok = instant(polling.last_ok_at);
  const failure = instant(polling.last_failure_at);
  const interval = polling.interval_seconds || 300;
  const since = (date) => Math.max(0, (now - date) / 1000);
  if (failure && (!ok || failure > ok)) {
    return {
      kind: 'blind',
      tone: 'bad',
      headline: 'Cloudflare cannot be asked: new attacks are not seen',
      details: [polling.last_failure].filter(Boolean),
      since: polling.last_ok_at,
      sinceWords: ok ? 'last good answer' : 'no good answer yet',
    };
  }
  if (!ok)
    return {
      kind: 'waiting',
      tone: 'warn',
      headline: 'Cloudflare has not answered yet',
      details: ['The first poll is still to come.'],
      since: null,
    };
  if (since(ok) > Math.max(interval * kLateIntervals, 120)) {
    return {
      kind: 'blind',
      tone: 'bad',
      headline: 'Polling stands still: new attacks are not seen',
      details: [],
      since: polling.last_ok_at,
      sinceWords: 'last good answer',
    };
  }
  return null;
}

/**
 * The troubles of /status with active alerts and attacks: [{kind, tone, headline, details, since, sinceWords, go}], worst
 * first. Empty: all is well, and it is known to be.
 */
export function troubles(status, alerts, attacks, now = new Date()) {
  const out = [];
  for (const alert of alerts)
    out.push({ kind: 'alert', tone: 'bad', alert, since: alert.started_at, sinceWords: 'since' });
  const blind = blindness(status, now);
  if (blind) out.push(blind);
  for (const attack of attacks)
    out.push({ kind: 'attack', tone: 'warn', attack, since: attack.first_seen, sinceWords: 'since' });
  for (const condition of status.conditions ?? []) {
    if (blind && /poll|cloudflare/i.test(condition.name ?? '')) continue;
    out.push({
      kind: 'condition',
      tone: 'warn',
      name: condition.name,
      headline: condition.headline,
      details: condition.details ?? [],
      since: condition.since,
      sinceWords: 'since',
    });
  }
  if (
    status.ready === false &&
    !out.some((each) => each.kind === 'blind' || each.kind === 'condition' || each.kind === 'waiting')
  ) {
    out.push({
      kind: 'unready',
      tone: 'warn',
      headline: 'The monitor is not ready',
      details: status.reasons ?? [],
      since: null,
    });
  }
  // A stable order: bad before warn, alerts before all.
  return out
    .map((each, at) => [each, at])
    .sort(([a, x], [b, y]) => kRanks[a.tone] - kRanks[b.tone] || x - y)
    .map(([each]) => each);
}
