import assert from 'node:assert/strict';
import test from 'node:test';
import { addressProblem, conditionText, draftOf, prefixProblem, problemsOf, ruleOf, trialOf } from './rule_text.js';

test('prefixes of both families are accepted', () => {
  for (const text of ['192.0.2.0/24', '10.0.0.0/8', '0.0.0.0/0', '203.0.113.7/32', '2001:db8::/32', '::/0', '2001:db8::1/128', '::ffff:192.0.2.0/120']) {
    assert.equal(prefixProblem(text), null, text);
  }
});

test('host bits are refused with the prefix that was meant', () => {
  assert.match(prefixProblem('192.0.2.7/24'), /the prefix is 192\.0\.2\.0\/24$/);
  assert.match(prefixProblem('10.1.2.3/12'), /the prefix is 10\.0\.0\.0\/12$/);
  assert.match(prefixProblem('2001:db8::1/32'), /the prefix is 2001:db8::\/32$/);
});

test('what is no prefix is refused', () => {
  for (const text of ['192.0.2.0', '192.0.2.0/33', '192.0.2/24', '192.0.2.256/24', '2001:db8::/129', '1:2:3:4:5:6:7:8:9/64', '1::2::3/64', '192.0.2.0/24/1', '<b>/24', '01.2.3.4/32', '192.0.2.0/']) {
    assert.ok(prefixProblem(text), text);
  }
  assert.ok(addressProblem('router') && addressProblem('') && !addressProblem('2001:db8::1'));
});

test('a rule survives being shown for editing and read again', () => {
  const rule = { name: 'edge', prefixes: ['192.0.2.0/24'], type: 'threshold', bandwidth_threshold: 1234567, packet_threshold: 500000, duration: 5, scope: 'aggregate' };
  const { body, problems } = ruleOf(draftOf(rule));
  assert.deepEqual(problems, {});
  assert.deepEqual(body, rule);
});

test('each type sends its own fields alone', () => {
  const draft = { ...draftOf(null), name: 'n', prefixes: '192.0.2.0/24', bandwidth: '1G' };
  assert.equal(ruleOf({ ...draft, type: 'zscore' }).body.bandwidth_threshold, undefined);
  assert.equal(ruleOf({ ...draft, type: 'zscore' }).body.zscore_target, 'bits');
  assert.deepEqual(Object.keys(ruleOf({ ...draft, type: 'advanced_ddos' }).body), ['name', 'prefixes', 'type', 'scope']);
  assert.equal(ruleOf(draft).body.zscore_target, undefined);
});

test('every missing or wrong field is named', () => {
  const { problems } = ruleOf({ ...draftOf(null), prefixes: '192.0.2.1/24', duration: '61', packets: 'many' });
  assert.deepEqual(Object.keys(problems).sort(), ['duration', 'name', 'packets', 'prefixes']);
  assert.match(ruleOf({ ...draftOf(null), name: 'n', prefixes: '192.0.2.0/24 192.0.2.0/24' }).problems.prefixes, /twice/);
  assert.ok(ruleOf({ ...draftOf(null), name: 'n', prefixes: '192.0.2.0/24' }).problems.bandwidth);
});

test('a preview is asked for without a name and without a threshold, but not with a wrong one', () => {
  const draft = { ...draftOf(null), prefixes: '192.0.2.0/24' };
  assert.equal(trialOf(draft).isOpen, true);
  assert.equal(trialOf({ ...draft, bandwidth: '1 Gbps' }).body.bandwidth_threshold, 1e9);
  assert.equal(trialOf({ ...draft, bandwidth: 'much' }), null);
  assert.equal(trialOf({ ...draft, prefixes: '' }), null);
});

test("the API's complaints find their field, and others are not lost", () => {
  const found = problemsOf(['prefixes[2]: 192.0.2.0/24 is in prefixes[0] already', 'duration: 1 to 60', 'the disk is full']);
  assert.deepEqual(found, { prefixes: '192.0.2.0/24 is in prefixes[0] already', duration: '1 to 60', '': 'the disk is full' });
});

test('a rule is said in words', () => {
  assert.equal(conditionText({ type: 'threshold', bandwidth_threshold: 1e9, packet_threshold: 5e5, duration: 3, prefixes: ['a'] }), '1.00 Gbps or 500 kpps or more for 3 min');
});
