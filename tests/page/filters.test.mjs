import assert from 'node:assert/strict';
import test from 'node:test';
import { mitigationQuery, mitigationWindow } from './filters.js';

test('attacks and events ask for the last day, without an end, unless the address says otherwise', () => {
  const params = new URLSearchParams();
  const window = mitigationWindow(params);
  assert.equal(window.to - window.from, 86_400_000);
  const asked = mitigationQuery(params, window);
  assert.equal(asked.since, window.from.toISOString().replace(/\.\d+Z$/, 'Z'));
  assert.deepEqual([asked.until, asked.prefix, asked.vector], [null, null, null]);
});

test('what the address filters is asked of the API: time, target and vector', () => {
  const params = new URLSearchParams('from=2026-01-19T22:00:00Z&to=2026-01-19T23:00:00Z&prefix=192.0.2.0/24&vector=UDP Flood&id=7');
  assert.deepEqual(mitigationQuery(params), {
    since: '2026-01-19T22:00:00Z',
    until: '2026-01-19T23:00:00Z',
    prefix: '192.0.2.0/24',
    vector: 'UDP Flood',
  });
});
