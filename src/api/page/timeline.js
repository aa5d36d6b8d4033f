// The timeline of mitigation: how much Cloudflare dropped in each stretch of time, stacked by attack.

import { h } from './dom.js';
import { bitRate, packetRate } from './units.js';
import { brief, stamp } from './times.js';
import { href } from './router.js';
import { stacks } from './series.js';

const kWidth = 1000;
const kHeight = 180;
const kColours = 12;

const colourOf = (index, attack) =>
  attack.isOther ? 'var(--series-other)' : `var(--series-${(index % kColours) + 1})`;

/** What an attack is called where there is little room. */
export const attackName = (attack) =>
  attack.isOther ? 'Other attacks' : attack.vectors?.filter(Boolean).join(', ') || 'Generic DDoS';

/** `unit`: bits or packets. `timeline`: as /attacks/timeline answers. */
export function timeline(answer, unit) {
  const data = { ...answer, series: [...answer.series] };
  if (answer.other) data.series.push({ ...answer.other, attack_id: null, isOther: true });
  const { columns, highest } = stacks(data, unit);
  const rate = (sum) => (unit === 'bits' ? bitRate : packetRate)(sum / data.step_seconds);
  const begin = new Date(data.start).getTime();
  const at = (column) => new Date(begin + column * data.step_seconds * 1000);
  const width = kWidth / Math.max(1, columns.length);
  return h(
    'figure',
    { class: 'timeline' },
    h('div', { class: 'timeline-top muted small', 'aria-hidden': 'true' }, rate(highest)),
    h(
      'svg',
      {
        viewBox: `0 0 ${kWidth} ${kHeight}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': described(data, unit, columns, rate, at),
      },
      [0.25, 0.5, 0.75].map((line) =>
        h('line', { x1: 0, x2: kWidth, y1: kHeight * line, y2: kHeight * line, class: 'grid' }),
      ),
      columns.map((column, index) =>
        bar(data, column, { x: index * width, width, highest, rate, time: at(index), end: at(index + 1) }),
      ),
    ),
    h('div', { class: 'timeline-axis small', 'aria-hidden': 'true' }, axis(columns.length, at)),
    h('figcaption', null, legend(data, unit)),
  );
}

function bar(data, column, { x, width, highest, rate, time, end }) {
  if (!column.length) return null;
  const lines = column.map(
    (part) =>
      `${attackName(data.series[part.index])} ${data.series[part.index].attack_id ?? ''}: ${rate(part.value)}`,
  );
  return h(
    'g',
    { key: x },
    h('title', null, `${stamp(time)} – ${stamp(end)}\n${lines.join('\n')}`),
    column.map((part) => {
      const height = Math.max(2, (part.value / highest) * kHeight);
      const bottom = (part.below / highest) * kHeight;
      const attack = data.series[part.index];
      return h('rect', {
        x: x + width * 0.08,
        width: width * 0.84,
        y: kHeight - bottom - height,
        height,
        style: { fill: colourOf(part.index, attack) },
      });
    }),
  );
}

function axis(columns, at) {
  const marks = 6;
  return Array.from({ length: marks + 1 }, (_, mark) =>
    h('span', { key: mark }, brief(at(Math.round((columns * mark) / marks)))),
  );
}

function legend(data, unit) {
  const total = (attack) => attack[unit].reduce((sum, value) => sum + value, 0);
  return h(
    'ul',
    { class: 'legend' },
    data.series
      .map((attack, index) => ({ attack, index }))
      .filter(({ attack }) => total(attack) > 0)
      .map(({ attack, index }) => {
        const words = [h('i', { style: { background: colourOf(index, attack) } }), attackName(attack)];
        return h(
          'li',
          { key: attack.isOther ? '' : `id ${attack.attack_id}`, class: 'legend-item' },
          attack.isOther
            ? words
            : h('a', { href: href(['attacks', attack.attack_id]), title: attack.attack_id }, words),
        );
      }),
  );
}

function described(data, unit, columns, rate, at) {
  const sums = columns.map((column) => column.reduce((sum, part) => sum + part.value, 0));
  const peak = sums.indexOf(Math.max(0, ...sums));
  const attacks = data.series.filter((each) => !each.isOther).length + (data.other_count ?? 0);
  if (peak < 0 || !sums[peak]) return 'Timeline of dropped traffic: nothing was dropped in this time.';
  return `Timeline of dropped traffic (${unit} per second) from ${stamp(at(0))} to ${stamp(at(columns.length))}: ${attacks} attacks, most at ${stamp(at(peak))} with ${rate(sums[peak])}. The attacks are listed below.`;
}
