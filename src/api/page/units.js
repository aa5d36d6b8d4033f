// Units that people speak, in both directions. Rates are bits/s or packets/s, always decimal (1 kbit = 1000 bits).

const kSteps = [
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];
const kFactors = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12, p: 1e15 };
const kLargest = 2 ** 63;

// In the largest unit that the value reaches, or the one above it where rounding makes it 1000.
function scaled(value, unit) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  let at = kSteps.findIndex(([factor]) => Math.abs(value) >= factor);
  if (at < 0) at = kSteps.length;
  const shown = (step) => (step === kSteps.length ? small(value) : threeDigits(value / kSteps[step][0]));
  if (at > 0 && Math.abs(Number(shown(at))) >= 1000) at -= 1;
  return `${shown(at)} ${at === kSteps.length ? '' : kSteps[at][1]}${unit}`.trim();
}
const threeDigits = (number) => number.toFixed(Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 2);
const small = (number) => String(Math.abs(number) < 10 ? Number(number.toFixed(1)) : Math.round(number));

/** Bits per second: `2.00 Gbps`. */
export const bitRate = (value) => scaled(value, 'bps');
/** Packets per second: `812 kpps`. */
export const packetRate = (value) => scaled(value, 'pps');
/** A number of bits (not a rate): `9.00 Mbit`. */
export const bitCount = (value) => scaled(value, 'bit');
/** A number of bytes: `1.25 GB`. */
export const byteCount = (value) => scaled(value, 'B');
/** A plain count: `1 500`, from a million on `1.20 M`. */
export function count(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1e6) return scaled(value, '');
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
}
/** A share from 0 to 1: `12 %`; what is there but tiny is `< 1 %`. */
export function share(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value > 0 && value < 0.01) return '< 1 %';
  if (value > 0.99 && value < 1) return '> 99 %';
  return `${Math.round(value * 100)} %`;
}
/** How often one contains the other: `3.4×`. */
export function factor(value, of) {
  if (!Number.isFinite(value) || !Number.isFinite(of) || of <= 0) return '';
  const times = value / of;
  return `${times >= 10 ? Math.round(times) : times.toFixed(1)}×`;
}
/** Seconds as people say them: `45 s`, `3 min`, `2 h 10 min`, `4 d 3 h`. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

function parsed(text, suffixes, example) {
  const match = /^\s*([0-9][0-9 _']*)(?:[.,]([0-9]+))?\s*([a-z/ ]*)$/i.exec(text);
  if (!match) return { error: `a rate such as ${example} is expected` };
  const number = Number(`${match[1].replace(/[ _']/g, '')}.${match[2] ?? '0'}`);
  const written = match[3].toLowerCase().replaceAll(' ', '');
  const suffix = suffixes.find(
    (each) => written === each || (written.endsWith(each) && written.slice(0, -each.length) in kFactors),
  );
  const prefix = suffix === undefined ? written : written.slice(0, written.length - suffix.length);
  if (suffix === undefined && !(prefix in kFactors))
    return { error: `unit “${match[3]}” is not known; for example ${example}` };
  const value = Math.round(number * kFactors[prefix]);
  if (value < 1) return { error: 'more than 0 is expected' };
  if (value >= kLargest) return { error: 'less than 9.2 Ebit/s is expected' };
  return { value };
}

/**
 * `1 Gbps`, `500M`, `2.5 gbit/s`, `1000000000` to `{value}` in bits/s, or `{error}` that says what is expected. A large B is
 * refused: bytes are not what thresholds are in, and 8 times too much is not what was meant.
 */
export function parseBitRate(text) {
  if (/(?:[kmgtpKMGTP]|\d\s*)B(?:ps|\/s)?\s*$/.test(text))
    return { error: 'bytes? Thresholds are bits: for example 1 Gbps' };
  return parsed(text, ['bits/s', 'bit/s', 'bits', 'bit', 'bps', 'b/s', 'b'], '1 Gbps');
}
/** `500 kpps`, `1M`, `200000` to `{value}` in packets/s, or `{error}`. */
export function parsePacketRate(text) {
  return parsed(text, ['packets/s', 'packet/s', 'pps', 'pkt/s', 'pkts/s', 'p/s'], '500 kpps');
}
/** What parse…Rate() reads back as exactly this value: `1 Gbps`, `1.5 Mbps`, `1234567 bps`. */
export function exactRate(value, unit) {
  if (value === null || value === undefined) return '';
  for (const [factorOf, letter] of kSteps) {
    const shown = value / factorOf;
    if (shown >= 1 && Number(shown.toFixed(3)) * factorOf === value)
      return `${Number(shown.toFixed(3))} ${letter}${unit}`;
  }
  return `${value} ${unit}`;
}
