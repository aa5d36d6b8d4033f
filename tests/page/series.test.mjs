import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { axisTop, classChart, classRows, stacks, stepMinutes, summary } from './series.js';
import { troubles } from './verdict.js';

const kStart = '2026-01-19T22:00:00Z';

test('a minute that was not collected is a gap and not a zero', () => {
  const rows = classRows([{ start: kStart, collected: false, bits_per_second: null }], 'bits_per_second');
  assert.ok(rows[0].slice(1).every((value) => value === null));
  const sums = summary([{ start: kStart, collected: false }, { start: kStart, bits_per_second: 10 }], 'bits_per_second');
  assert.deepEqual([sums.missing, sums.collected, sums.mean], [1, 1, 10]);
});

test('stacked classes add up to the whole: what none accounts for is other', () => {
  const classes = { tcp: { bits_per_second: 60 }, tcp_syn: { bits_per_second: 50 }, udp: { bits_per_second: 30 } };
  const [[, ...values]] = classRows([{ start: kStart, bits_per_second: 100, classes }], 'bits_per_second');
  assert.deepEqual(values, [60, 30, 0, 0, 0, 10]);
});

test('the peak is that of the finest minutes, also where points are coarser', () => {
  const points = [{ start: kStart, bits_per_second: 10, peak_bits_per_second: 90 }];
  assert.equal(summary(points, 'bits_per_second').peak, 90);
});

test('a window never has more points than asked for', () => {
  for (const minutes of [5, 60, 1440, 10080, 43200]) {
    const step = stepMinutes(0, minutes * 60000);
    assert.ok(minutes / step <= 720, `${minutes} minutes by ${step}`);
  }
});

test('a threshold near the traffic is in sight, one far above does not flatten it', () => {
  assert.ok(axisTop(1e9, [2e9]) > 2e9);
  assert.ok(axisTop(1e9, [1e12]) < 2e9);
  assert.ok(axisTop(0, [1e9]) > 1e9);
});

test('the timeline stacks attacks and knows its highest column', () => {
  const { columns, highest } = stacks({ series: [{ bits: [1, 2] }, { bits: [3, 0] }] }, 'bits');
  assert.equal(highest, 4);
  assert.deepEqual(columns[0], [{ index: 0, below: 0, value: 1 }, { index: 1, below: 1, value: 3 }]);
});

const kNow = new Date('2026-01-19T22:51:50Z');
const status = (polling) => ({ ready: true, conditions: [], polling: { interval_seconds: 300, ...polling } });

test('a failing query is said to blind the monitor and is never quiet', () => {
  const [first] = troubles(status({ last_ok_at: '2026-01-19T22:00:00Z', last_failure_at: kNow.toISOString(), last_failure: 'HTTP 503' }), [], [], kNow);
  assert.deepEqual([first.kind, first.tone, first.details], ['blind', 'bad', ['HTTP 503']]);
  assert.equal(troubles(status({ last_ok_at: '2026-01-19T22:00:00Z' }), [], [], kNow)[0].kind, 'blind');
  assert.equal(troubles(status({}), [], [], kNow)[0].kind, 'waiting');
});

test('all is quiet only with a fresh good answer, no alert, no attack and no condition', () => {
  assert.deepEqual(troubles(status({ last_ok_at: '2026-01-19T22:50:00Z' }), [], [], kNow), []);
});

test('what burns comes first', () => {
  const all = troubles({ ...status({ last_ok_at: '2026-01-19T22:50:00Z' }), conditions: [{ name: 'disk', headline: 'h' }] }, [{ id: '1' }], [{ attack_id: 'a' }], kNow);
  assert.deepEqual(all.map((each) => each.kind), ['alert', 'attack', 'condition']);
});

test('the page asks for every module at once, not one after the other', () => {
  const modules = readdirSync('.').filter((name) => name.endsWith('.js')).sort();
  const index = readFileSync('index.html', 'utf8');
  const preloaded = [...index.matchAll(/rel="modulepreload" href="\/assets\/([a-z_]+\.js)"/g)].map((match) => match[1]);
  assert.deepEqual(preloaded, modules);
});

test('nothing in the page is inline, from elsewhere, or parsed from text', () => {
  const index = readFileSync('index.html', 'utf8');
  assert.doesNotMatch(index, /\sstyle=|<style|\son[a-z]+=|https?:\/\/(?!www\.w3\.org)/);
  for (const name of readdirSync('.').filter((each) => each.endsWith('.js'))) {
    const text = readFileSync(name, 'utf8');
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?:\/\/(?!www\.w3\.org)/, name);
  }
});

test('a class without any traffic is not drawn', () => {
  const points = [{ start: kStart, bits_per_second: 90, classes: { tcp: { bits_per_second: 60 }, udp: { bits_per_second: 30 } } }];
  const { rows, series } = classChart(points, 'bits_per_second');
  assert.deepEqual(series.map((each) => each.name), ['TCP', 'UDP']);
  assert.deepEqual(rows[0].slice(1), [60, 30]);
});
