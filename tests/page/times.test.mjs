import assert from 'node:assert/strict';
import test from 'node:test';
import * as times from './times.js';

const kMoment = new Date('2026-01-19T22:51:50Z');

test('dates are European and say UTC, as in the messages', () => {
  assert.equal(times.stamp(kMoment), '19/01/2026 22:51:50 UTC');
  assert.equal(times.brief(kMoment, new Date('2026-01-19T23:00:00Z')), '22:51');
  assert.equal(times.brief(kMoment, new Date('2026-01-20T00:00:00Z')), '19/01 22:51');
});

test("a time of the database without a zone is UTC wherever the reader's browser stands", () => {
  assert.equal(times.instant('2026-01-19 22:51:50').toISOString(), kMoment.toISOString());
  assert.equal(times.instant('2026-01-19T22:51:50+00:00').toISOString(), kMoment.toISOString());
  assert.equal(times.instant('tomorrow'), null);
  assert.equal(times.instant(null), null);
});

test('typed times are read in both orders, and shown so that they are read back', () => {
  assert.equal(times.rfc3339(times.parseTyped('19/01/2026 22:51')), '2026-01-19T22:51:00Z');
  assert.equal(times.rfc3339(times.parseTyped('2026-01-19T22:51:50Z')), '2026-01-19T22:51:50Z');
  assert.equal(times.rfc3339(times.parseTyped('19/01/2026')), '2026-01-19T00:00:00Z');
  assert.equal(times.rfc3339(times.parseTyped(times.typed(kMoment))), '2026-01-19T22:51:00Z');
  for (const text of ['', '32/01/2026', '1 pm', '2026-13-01']) assert.equal(times.parseTyped(text), null, text);
});

test('a window is live with a range and stands still between two times', () => {
  const live = times.windowOf(new URLSearchParams('range=6h'), '24h', kMoment);
  assert.deepEqual([live.to - live.from, live.isLive, live.range], [6 * 3600e3, true, '6h']);
  const fixed = times.windowOf(new URLSearchParams('from=2026-01-19T00:00:00Z&to=2026-01-19T01:00:00Z'), '24h', kMoment);
  assert.deepEqual([fixed.to - fixed.from, fixed.isLive, fixed.range], [3600e3, false, null]);
  const wrong = times.windowOf(new URLSearchParams('range=evil&from=2026-01-19T01:00:00Z&to=2026-01-19T00:00:00Z'), '24h', kMoment);
  assert.equal(wrong.range, '24h');
});
