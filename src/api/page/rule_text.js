// Rules in words, and what is wrong with one while it is typed. Pure, tested without a browser; the API decides in the end.

import { bitRate, exactRate, packetRate, parseBitRate, parsePacketRate } from './units.js';

export const kTypes = [
  ['threshold', 'Fixed threshold', 'Tells when traffic stays above what you say.'],
  ['zscore', 'Unusual against 4 hours', 'Tells when the last 5 minutes are far above the usual (z-score).'],
  [
    'advanced_ddos',
    'DDoS profile',
    'Tells when any protocol class (UDP, TCP SYN, ICMP …) is far above its own baseline.',
  ],
];
export const kSensitivities = [
  ['low', 'low (z ≥ 5)'],
  ['medium', 'medium (z ≥ 4)'],
  ['high', 'high (z ≥ 3)'],
];

/** `1 Gbps or 500 kpps for 3 min, each prefix alone` */
export function conditionText(rule) {
  const scope =
    (rule.prefixes?.length ?? 0) < 2
      ? ''
      : rule.scope === 'aggregate'
        ? ', all prefixes summed'
        : ', each prefix alone';
  if (rule.type === 'zscore')
    return `${rule.zscore_target} far above the last 4 hours, sensitivity ${rule.zscore_sensitivity}${scope}`;
  if (rule.type === 'advanced_ddos') return `any protocol class far above its baseline${scope}`;
  const limits = [
    rule.bandwidth_threshold && bitRate(rule.bandwidth_threshold),
    rule.packet_threshold && packetRate(rule.packet_threshold),
  ].filter(Boolean);
  return `${limits.join(' or ')} or more for ${rule.duration} min${scope}`;
}

function octets(text) {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return null;
  return parts.map(Number);
}

/** 16 bytes of an IPv6 address, else null. */
function v6Bytes(text) {
  if (!/^[0-9a-f:.]+$/i.test(text) || text.split('::').length > 2) return null;
  const last = text.slice(text.lastIndexOf(':') + 1);
  let source = text;
  if (last.includes('.')) {
    const four = octets(last);
    if (!four) return null;
    source = `${text.slice(0, -last.length)}${((four[0] << 8) | four[1]).toString(16)}:${((four[2] << 8) | four[3]).toString(16)}`;
  }
  const [head, tail] = source.split('::').map((half) => (half ? half.split(':') : []));
  const isShort = source.includes('::');
  const groups = isShort
    ? [...head, ...Array(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail]
    : head;
  if (
    groups.length !== 8 ||
    (isShort && head.length + tail.length > 7) ||
    !groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
  )
    return null;
  return groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]);
}

function withoutHostBits(bytes, length) {
  return bytes.map((byte, at) => {
    const kept = Math.max(0, Math.min(8, length - at * 8));
    return byte & (0xff << (8 - kept)) & 0xff;
  });
}

function addressText(bytes) {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[at * 2] << 8) | bytes[at * 2 + 1]).toString(16),
  );
  let best = [0, 0];
  for (let at = 0; at < 8; at += 1) {
    let end = at;
    while (end < 8 && groups[end] === '0') end += 1;
    if (end - at > best[1]) best = [at, end - at];
    if (end > at) at = end;
  }
  if (best[1] < 2) return groups.join(':');
  return `${groups.slice(0, best[0]).join(':')}::${groups.slice(best[0] + best[1]).join(':')}`;
}

/** Null where `text` is a prefix without host bits, else what is wrong and what was probably meant. */
export function prefixProblem(text) {
  const [address, length, ...more] = text.split('/');
  const bytes = octets(address) ?? v6Bytes(address);
  if (!bytes || more.length)
    return `“${text.slice(0, 60)}” is no prefix such as 192.0.2.0/24 or 2001:db8::/32`;
  const width = bytes.length * 8;
  if (length === undefined) return `${text} has no length; one address is ${text}/${width}`;
  if (!/^\d{1,3}$/.test(length) || Number(length) > width)
    return `the length after / is 0 to ${width}, not “${length}”`;
  const kept = withoutHostBits(bytes, Number(length));
  if (kept.some((byte, at) => byte !== bytes[at]))
    return `${text} has bits beyond its length; the prefix is ${addressText(kept)}/${length}`;
  return null;
}

/** Null where `text` is an address, else what is wrong. */
export function addressProblem(text) {
  if (!text) return 'the address that its flow packets come from';
  return octets(text) || v6Bytes(text) ? null : 'an address such as 192.0.2.1 or 2001:db8::1 is expected';
}

export const prefixList = (text) => text.split(/[\s,;]+/).filter(Boolean);

/** What is typed in the form, for a rule of the API. */
export function draftOf(rule) {
  return {
    name: rule?.name ?? '',
    prefixes: (rule?.prefixes ?? []).join('\n'),
    type: rule?.type ?? 'threshold',
    bandwidth: exactRate(rule?.bandwidth_threshold, 'bps'),
    packets: exactRate(rule?.packet_threshold, 'pps'),
    duration: String(rule?.duration ?? 1),
    sensitivity: rule?.zscore_sensitivity ?? 'medium',
    target: rule?.zscore_target ?? 'bits',
    scope: rule?.scope ?? 'per_prefix',
  };
}

function prefixesProblem(text) {
  const prefixes = prefixList(text);
  if (!prefixes.length) return 'at least one prefix is needed';
  const wrong = prefixes.map(prefixProblem).find(Boolean);
  if (wrong) return wrong;
  const twice = prefixes.find((prefix, at) => prefixes.indexOf(prefix) !== at);
  if (twice) return `${twice} is there twice`;
  return prefixes.length > 5000 ? `${prefixes.length} prefixes; at most 5000 fit` : null;
}

/** `{body, problems}`: what the API gets, and problems by field of the form. The body is whole only without problems. */
export function ruleOf(draft) {
  const problems = {};
  const body = {
    name: draft.name.trim(),
    prefixes: prefixList(draft.prefixes),
    type: draft.type,
    scope: draft.scope,
  };
  if (!body.name) problems.name = 'a name is needed; it is in every alert';
  else if ([...body.name].length > 256) problems.name = 'at most 256 characters';
  const wrong = prefixesProblem(draft.prefixes);
  if (wrong) problems.prefixes = wrong;
  if (draft.type === 'zscore') {
    body.zscore_sensitivity = draft.sensitivity;
    body.zscore_target = draft.target;
  }
  if (draft.type === 'threshold') readThresholds(draft, body, problems);
  return { body, problems };
}

/** No rule reaches it: what a preview asks with while no threshold is typed yet. */
export const kNever = Number.MAX_SAFE_INTEGER;

/** What a preview asks: the rule itself, or without its threshold while none is typed; null where more is missing. */
export function trialOf(draft) {
  const { body, problems } = ruleOf(draft);
  const { name: _name, bandwidth, ...others } = problems;
  const isOpen = draft.type === 'threshold' && !draft.bandwidth.trim() && !draft.packets.trim();
  if (Object.keys(others).length || (bandwidth && !isOpen)) return null;
  return {
    isOpen,
    body: { ...body, name: body.name || 'preview', ...(isOpen ? { bandwidth_threshold: kNever } : {}) },
  };
}

function readThresholds(draft, body, problems) {
  const read = (text, parse, name, field) => {
    if (!text.trim()) return;
    const { value, error } = parse(text);
    if (error) problems[field] = error;
    else body[name] = value;
  };
  read(draft.bandwidth, parseBitRate, 'bandwidth_threshold', 'bandwidth');
  read(draft.packets, parsePacketRate, 'packet_threshold', 'packets');
  if (!draft.bandwidth.trim() && !draft.packets.trim())
    problems.bandwidth = 'one of the two thresholds is needed';
  if (!/^\d{1,2}$/.test(draft.duration.trim()) || Number(draft.duration) < 1 || Number(draft.duration) > 60)
    problems.duration = '1 to 60 minutes';
  else body.duration = Number(draft.duration);
}

const kFields = {
  name: 'name',
  prefixes: 'prefixes',
  bandwidth_threshold: 'bandwidth',
  packet_threshold: 'packets',
  duration: 'duration',
  type: 'type',
  scope: 'scope',
};

/** The API's messages by field of the form; those of no field under `''`. */
export function problemsOf(messages) {
  const out = {};
  for (const message of messages) {
    const match = /^([a-z_]+)(?:\[\d+\])?: (.*)$/s.exec(message);
    const field = match && kFields[match[1]];
    if (field) out[field] ??= match[2];
    else out[''] = out[''] ? `${out['']}; ${message}` : message;
  }
  return out;
}
