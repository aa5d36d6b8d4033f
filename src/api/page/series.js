// Numbers for charts: pure, so that they are tested without a browser.

/** Classes that add up to the whole; those like tcp_syn are parts of tcp. */
export const kClasses = ['tcp', 'udp', 'icmp', 'gre', 'esp', 'other'];
export const kClassNames = { tcp: 'TCP', udp: 'UDP', icmp: 'ICMP', gre: 'GRE', esp: 'ESP', other: 'Other' };

const kSteps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360];

/** Minutes per point so that a window has at most `most` points. */
export function stepMinutes(from, to, most = 720) {
  const minutes = (to - from) / 60000;
  return kSteps.find((step) => minutes / step <= most) ?? 720;
}

/**
 * Columns of the stacked chart: [Date, class…] in `unit` (bits_per_second or packets_per_second). A minute that was not
 * collected is null in every column: a gap, not a zero.
 */
export function classRows(points, unit) {
  return points.map((point) => {
    const start = new Date(point.start);
    if (point.collected === false || point[unit] === null || point[unit] === undefined)
      return [start, ...kClasses.map(() => null)];
    const values = kClasses.map((name) => point.classes?.[name]?.[unit] ?? 0);
    const known = values.reduce((sum, value) => sum + value, 0);
    // What no class accounts for is other.
    values[values.length - 1] += Math.max(0, point[unit] - known);
    return [start, ...values];
  });
}

/** Rows and series of the stacked chart, without the classes that have no traffic at all. */
export function classChart(points, unit) {
  const rows = classRows(points, unit);
  const seen = kClasses.map((_, at) => at).filter((at) => at === 0 || rows.some((row) => row[at + 1] > 0));
  return {
    rows: rows.map(([start, ...values]) => [start, ...seen.map((at) => values[at])]),
    series: seen.map((at) => ({ name: kClassNames[kClasses[at]], colour: `--class-${at + 1}` })),
  };
}

/** `{peak, peakAt, mean, collected, missing}` of a series. `peak` is of the finest minutes, also where points are coarser. */
export function summary(points, unit) {
  const peaks = unit === 'bits_per_second' ? 'peak_bits_per_second' : 'peak_packets_per_second';
  let sum = 0;
  const out = { peak: null, peakAt: null, mean: null, collected: 0, missing: 0 };
  for (const point of points) {
    if (point.collected === false || point[unit] === null || point[unit] === undefined) {
      out.missing += 1;
      continue;
    }
    out.collected += 1;
    sum += point[unit];
    const peak = point[peaks] ?? point[unit];
    if (out.peak === null || peak > out.peak) {
      out.peak = peak;
      out.peakAt = new Date(point.start);
    }
  }
  if (out.collected) out.mean = sum / out.collected;
  return out;
}

/** The top of the vertical axis: room above the traffic, and thresholds in sight unless they would flatten the traffic. */
export function axisTop(highest, thresholds) {
  const traffic = highest || 0;
  const near = thresholds.filter((value) => traffic === 0 || value <= traffic * 4);
  return Math.max(traffic, ...near, 1) * 1.12;
}

/** Stacks of the attack timeline: for each step the attacks' values from below, and the highest sum. */
export function stacks(timeline, unit) {
  const steps = Math.max(0, ...timeline.series.map((each) => each[unit].length));
  const columns = [];
  let highest = 0;
  for (let at = 0; at < steps; at += 1) {
    let below = 0;
    const column = [];
    timeline.series.forEach((each, index) => {
      const value = each[unit][at] ?? 0;
      if (value > 0) column.push({ index, below, value });
      below += value;
    });
    highest = Math.max(highest, below);
    columns.push(column);
  }
  return { columns, highest };
}
