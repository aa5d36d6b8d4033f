// Times: UTC in sight, local on hover. Dates are European, as in the messages.

import { h } from './dom.js';

const two = (number) => String(number).padStart(2, '0');

/** `19/01/2026 22:51:50 UTC` */
export function stamp(date) {
  return `${day(date)} ${clock(date)} UTC`;
}
/** `19/01/2026` */
export function day(date) {
  return `${two(date.getUTCDate())}/${two(date.getUTCMonth() + 1)}/${date.getUTCFullYear()}`;
}
/** `22:51:50` */
export function clock(date) {
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}
/** `22:51`, with the day before it unless that is today's. */
export function brief(date, now = new Date()) {
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return day(date) === day(now) ? time : `${two(date.getUTCDate())}/${two(date.getUTCMonth() + 1)} ${time}`;
}
/** `22:51:50`, with the day before it unless that is today's. */
export function exact(date, now = new Date()) {
  return day(date) === day(now)
    ? clock(date)
    : `${two(date.getUTCDate())}/${two(date.getUTCMonth() + 1)} ${clock(date)}`;
}
/** A Date from a text of the API (RFC 3339, or SQLite's form without a zone, which is UTC), else null. */
export function instant(text) {
  if (!text) return null;
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text.replace(' ', 'T')}Z`;
  const date = new Date(zoned);
  return Number.isNaN(date.getTime()) ? null : date;
}
/** RFC 3339 in whole seconds, as the API takes it. */
export const rfc3339 = (date) => date.toISOString().replace(/\.\d+Z$/, 'Z');

/** A `<time>` that shows UTC and tells the local time on hover. `shape`: stamp, clock or brief. */
export function timeElement(text, shape = stamp) {
  const date = text instanceof Date ? text : instant(text);
  if (!date) return h('span', { class: 'muted' }, text || 'never');
  return h(
    'time',
    { datetime: date.toISOString(), title: `${stamp(date)}\nlocal: ${date.toLocaleString()}` },
    shape(date),
  );
}

const kSpans = { h: 3600, d: 86400 };

/** Seconds of a span such as `6h` or `7d`, else null. */
export function spanSeconds(text) {
  const match = /^(\d{1,3})([hd])$/.exec(text ?? '');
  return match ? Number(match[1]) * kSpans[match[2]] : null;
}

/**
 * The window that the route's parameters ask for: `from` and `to` (RFC 3339), or `range` back from now. `isLive` where its
 * end moves on with the clock.
 */
export function windowOf(params, usual, now = new Date()) {
  const from = instant(params.get('from'));
  const to = instant(params.get('to'));
  if (from && to && from < to) return { from, to, isLive: false, range: null };
  const range = spanSeconds(params.get('range')) ? params.get('range') : usual;
  return { from: new Date(now.getTime() - spanSeconds(range) * 1000), to: now, isLive: true, range };
}

/** `2026-01-19 22:51` (UTC) as typed by people, also with a T, seconds or Z; European dates too. */
export function parseTyped(text) {
  const trimmed = text.trim();
  const european = /^(\d\d)\/(\d\d)\/(\d{4})(.*)$/.exec(trimmed);
  const plain = (european ? `${european[3]}-${european[2]}-${european[1]}${european[4]}` : trimmed).replace(
    /\s*UTC$/i,
    '',
  );
  const match = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?))?Z?$/.exec(plain);
  return match ? instant(`${match[1]}T${match[2] ?? '00:00'}Z`) : null;
}
/** What parseTyped() reads: `19/01/2026 22:51`. */
export const typed = (date) => `${day(date)} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
