// Alerts in words.

import { href } from './router.js';
import { instant, rfc3339 } from './times.js';
import { bitRate, count, factor, packetRate } from './units.js';

/** Shows a value of the alert's own metric: bits/s, packets/s or flows/s. */
function rateOf(crossing) {
  const metric = crossing.metric === 'zscore' ? crossing.zscore_target : crossing.metric;
  if (/^flows/.test(metric)) return (value) => `${count(value)} flows/s`;
  return /^packets/.test(metric) ? packetRate : bitRate;
}

/** Whether the alert is about packets rather than bits. */
export const isAboutPackets = (alert) => rateOf(alert.crossing ?? {}) === packetRate;

/** `1.20 Gbps, 1.2× the threshold of 1.00 Gbps`: what an alert crossed when it began, in its own unit. */
export function crossed(alert) {
  const crossing = alert.crossing ?? {};
  const rate = rateOf(crossing);
  const usual = crossing.baseline ? `, usual is ${rate(crossing.baseline)}` : '';
  if (crossing.metric === 'zscore') {
    return `z-score ${Number(crossing.value).toFixed(1)}, threshold ${crossing.threshold}${usual}`;
  }
  const group = crossing.traffic_class && crossing.traffic_class !== 'all';
  const where = group ? ` of ${crossing.traffic_class.toUpperCase().replace('_', ' ')}` : '';
  const times = factor(crossing.value, crossing.threshold);
  return `${rate(crossing.value)}${where}, ${times} the threshold of ${rate(crossing.threshold)}${usual}`;
}

/** Whose traffic an alert is about, shortened. */
export const alertTarget = (alert) =>
  alert.prefix ??
  `${(alert.prefixes ?? []).slice(0, 2).join(', ')}${alert.prefixes?.length > 2 ? ` and ${alert.prefixes.length - 2} more` : ''}`;

/** The traffic of an alert with some minutes around it. */
export function alertTraffic(alert) {
  const from = new Date(instant(alert.started_at).getTime() - 30 * 60000);
  const target = alert.prefix ? { prefix: alert.prefix } : { rule: alert.rule_id };
  if (!alert.ended_at) return href(['traffic'], { ...target, range: '1h' });
  return href(['traffic'], {
    ...target,
    from: rfc3339(from),
    to: rfc3339(new Date(instant(alert.ended_at).getTime() + 30 * 60000)),
  });
}
