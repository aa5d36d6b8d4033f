import assert from 'node:assert/strict';
import test from 'node:test';
import * as units from './units.js';

test('a rate is shown with three digits and the unit that keeps it short', () => {
  assert.equal(units.bitRate(0), '0 bps');
  assert.equal(units.bitRate(999), '999 bps');
  assert.equal(units.bitRate(1000), '1.00 kbps');
  assert.equal(units.bitRate(2_000_000_000), '2.00 Gbps');
  assert.equal(units.bitRate(12_340_000), '12.3 Mbps');
  assert.equal(units.packetRate(812_350), '812 kpps');
});

test('a rate just below a unit is rounded into it, not to 1000 of the smaller', () => {
  assert.equal(units.bitRate(999_999_999), '1.00 Gbps');
  assert.equal(units.bitRate(999.9), '1.00 kbps');
});

test('what is not known is a dash and never a zero', () => {
  for (const shape of [units.bitRate, units.packetRate, units.bitCount, units.count, units.share, units.duration]) {
    assert.equal(shape(null), '–');
    assert.equal(shape(undefined), '–');
    assert.equal(shape(Number.NaN), '–');
  }
});

test('bit rates are read as people write them', () => {
  const readings = {
    '1 Gbps': 1e9, '1G': 1e9, '1gbit/s': 1e9, '2.5 Gbps': 2.5e9, '2,5 gbps': 2.5e9, '500M': 5e8, '500 mbps': 5e8,
    '1000000000': 1e9, '1 000 000 000': 1e9, '10 kb/s': 1e4, '750 bps': 750, '1.5 Tbps': 1.5e12, ' 3 Gbits/s ': 3e9,
  };
  for (const [text, value] of Object.entries(readings)) assert.deepEqual(units.parseBitRate(text), { value }, text);
});

test('packet rates are read as people write them', () => {
  const readings = { '500 kpps': 5e5, '1M': 1e6, '200000': 2e5, '1.2 Mpps': 1.2e6, '80k packets/s': 8e4 };
  for (const [text, value] of Object.entries(readings)) assert.deepEqual(units.parsePacketRate(text), { value }, text);
});

test('bytes are refused where bits are wanted, since eight times too much is not what was meant', () => {
  for (const text of ['1 GB', '500 MB/s', '10 kBps', '5 B/s']) assert.match(units.parseBitRate(text).error, /bytes/, text);
});

test('what is no rate is refused with an example', () => {
  for (const text of ['', 'fast', '-1 Gbps', '1e9', '1 Xbps', '1 Gpps', '0', '0.2 bps', '1.2.3 G', '99999999 Tbps']) {
    assert.ok(units.parseBitRate(text).error, text);
  }
  assert.match(units.parsePacketRate('1 Gbps').error, /500 kpps/);
});

test('a threshold that is shown for editing is read back as the same number', () => {
  for (const value of [1, 999, 1000, 1e9, 1.5e6, 1234567, 123456789012, 2 ** 52, 9.007e15]) {
    assert.deepEqual(units.parseBitRate(units.exactRate(value, 'bps')), { value });
    assert.deepEqual(units.parsePacketRate(units.exactRate(value, 'pps')), { value });
  }
  assert.equal(units.exactRate(null, 'bps'), '');
});

test('counts, shares, factors and spans are said as people say them', () => {
  assert.equal(units.count(1500), '1 500');
  assert.equal(units.count(1_500_000), '1.50 M');
  assert.equal(units.share(0), '0 %');
  assert.equal(units.share(0.004), '< 1 %');
  assert.equal(units.share(0.999), '> 99 %');
  assert.equal(units.share(0.123), '12 %');
  assert.equal(units.factor(3.42e9, 1e9), '3.4×');
  assert.equal(units.duration(59), '59 s');
  assert.equal(units.duration(3600 + 10 * 60), '1 h 10 min');
  assert.equal(units.duration(4 * 86400 + 3 * 3600), '4 d 3 h');
});
