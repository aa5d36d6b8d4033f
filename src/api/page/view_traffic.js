// Traffic: one prefix or rule over time, with its thresholds and alerts, and who makes it up.

import { query } from './api.js';
import { bars, countryName } from './bars.js';
import { Chart } from './chart.js';
import { h } from './dom.js';
import { filterRow, rangeFilter } from './filters.js';
import { choice, empty, panel, table, tag } from './parts.js';
import { href, setParams } from './router.js';
import { classChart, stepMinutes, summary } from './series.js';
import { brief, instant, rfc3339, stamp, timeElement, windowOf } from './times.js';
import { bitRate, byteCount, count, packetRate } from './units.js';
import { View } from './view.js';
import { alertTarget, alertTraffic, crossed } from './alert_text.js';

const kLists = [
  ['source', 'Sources'],
  ['source_as', 'Source networks'],
  ['source_country', 'Source countries'],
  ['source_port', 'Source ports'],
  ['destination_port', 'Target ports'],
  ['destination', 'Targets'],
  ['interface', 'Router interfaces'],
  ['exporter', 'Exporters'],
];

export class TrafficView extends View {
  #prefixes = this.reading();
  #rules = this.reading();
  #series = this.reading();
  #contributors = this.reading();
  #chart = new Chart('Traffic over time');
  #drawn = null;
  #loaded = null;

  get title() {
    const target =
      this.params.get('prefix') ??
      this.#rules.value?.find((rule) => rule.id === this.params.get('rule'))?.name;
    return target ? `Traffic of ${target}` : 'Traffic';
  }

  get #unit() {
    return this.params.get('unit') === 'packets' ? 'packets_per_second' : 'bits_per_second';
  }

  get #target() {
    const rule = this.params.get('rule');
    if (rule) return { rule_id: rule };
    const prefix = this.params.get('prefix') ?? this.#prefixes.value?.prefixes?.[0]?.prefix;
    return prefix ? { prefix } : null;
  }

  get #format() {
    return this.#unit === 'bits_per_second' ? bitRate : packetRate;
  }

  async load(why) {
    if (!['route', 'minute', 'alert', 'resync'].includes(why)) return;
    if (why !== 'alert') this.#rules.read('/rules', { keep: true });
    const list = this.#prefixes.read('/traffic/prefixes?limit=100', { keep: true });
    // Without a chosen target the busiest is shown, and has to be known first.
    if (!this.#target) await list;
    if (this.root && this.#target) this.#loadSeries(why);
  }

  #loadSeries(why) {
    const window = windowOf(this.params, '6h');
    if (why !== 'route' && !window.isLive) return;
    // While zooming the old picture stays until the new one is there; another target starts empty.
    const target = JSON.stringify(this.#target);
    const keep = { keep: why !== 'route' || target === this.#loaded };
    this.#loaded = target;
    const bounds = { ...this.#target, since: rfc3339(window.from), until: rfc3339(window.to) };
    this.#series.read(`/traffic${query({ ...bounds, step: stepMinutes(window.from, window.to) })}`, keep);
    if (this.#target.prefix)
      this.#contributors.read(`/traffic/contributors${query({ ...bounds, limit: 10 })}`, keep);
  }

  unmount() {
    super.unmount();
    this.#chart.destroy();
  }

  theme() {
    this.#chart.redraw();
  }

  render() {
    return [
      this.#controls(),
      this.#target ? [this.#picture(), this.#alerts(), this.#who()] : this.#nothing(),
      this.#busiest(),
    ];
  }

  #controls() {
    return filterRow(
      'What is shown',
      h(
        'div',
        { class: 'filter', key: 'target' },
        h('label', { for: 'traffic-target' }, 'Prefix or rule'),
        this.#targets(),
      ),
      rangeFilter(this.params, '6h'),
    );
  }

  #targets() {
    const chosen = this.#target?.rule_id
      ? `rule:${this.#target.rule_id}`
      : `prefix:${this.#target?.prefix ?? ''}`;
    const prefixes = (this.#prefixes.value?.prefixes ?? []).map((each) => each.prefix);
    if (this.#target?.prefix && !prefixes.includes(this.#target.prefix)) prefixes.push(this.#target.prefix);
    const pick = (event) => {
      const [kind, ...rest] = event.target.value.split(':');
      setParams({
        prefix: kind === 'prefix' ? rest.join(':') : null,
        rule: kind === 'rule' ? rest.join(':') : null,
      });
    };
    return h(
      'select',
      { id: 'traffic-target', value: chosen, on: { change: pick } },
      h(
        'optgroup',
        { label: 'Prefixes, busiest first', key: 'prefixes' },
        prefixes.map((prefix) => h('option', { value: `prefix:${prefix}`, key: prefix }, prefix)),
      ),
      h(
        'optgroup',
        { label: 'Rules', key: 'rules' },
        (this.#rules.value ?? []).map((rule) =>
          h('option', { value: `rule:${rule.id}`, key: rule.id }, rule.name),
        ),
      ),
    );
  }

  #nothing() {
    return this.#prefixes.show('The prefixes', () =>
      h(
        'div',
        { key: 'nothing' },
        empty(
          'No prefix is watched yet',
          'Traffic is counted for the prefixes of rules. ',
          h('a', { class: 'button strong', href: href(['rules', 'new']) }, 'Make the first rule'),
        ),
      ),
    );
  }

  #picture() {
    const unit = this.params.get('unit') === 'packets' ? 'packets' : 'bits';
    const window = windowOf(this.params, '6h');
    const aside = [
      this.#zoomButtons(window),
      choice(
        'Unit',
        [
          ['bits', 'bits/s'],
          ['packets', 'packets/s'],
        ],
        unit,
        (chosen) => setParams({ unit: chosen === 'bits' ? null : chosen }),
      ),
    ];
    const target =
      this.#target.prefix ??
      this.#rules.value?.find((rule) => rule.id === this.#target.rule_id)?.name ??
      'the rule';
    return panel(
      target,
      { key: 'picture', id: 'h-picture', aside, className: 'traffic' },
      this.#series.show('The traffic', () => h('div', { island: 'traffic', key: 'traffic' })),
    );
  }

  // What dragging does with a mouse, for a keyboard.
  #zoomButtons(window) {
    const span = window.to - window.from;
    const to = (from, until) =>
      setParams({
        from: rfc3339(new Date(from)),
        to: rfc3339(new Date(Math.min(until, Date.now()))),
        range: null,
      });
    const button = (label, text, act) =>
      h(
        'button',
        {
          type: 'button',
          class: 'button small',
          key: text,
          'aria-label': label,
          title: label,
          on: { click: act },
        },
        text,
      );
    return h(
      'span',
      { class: 'row', key: 'zoom' },
      button('Earlier', '←', () => to(window.from - span / 2, window.to - span / 2)),
      button('Later', '→', () => to(+window.from + span / 2, +window.to + span / 2)),
      button('Zoom in', '+', () => to(+window.from + span / 4, window.to - span / 4)),
      button('Zoom out', '−', () => to(window.from - span / 2, +window.to + span / 2)),
      window.isLive
        ? tag('live', 'good', { title: 'moves on with each minute' })
        : h(
            'button',
            {
              type: 'button',
              class: 'button small',
              key: 'live',
              on: { click: () => setParams({ from: null, to: null, range: null }) },
            },
            'Back to now',
          ),
    );
  }

  #alerts() {
    const alerts = this.#series.value?.alerts ?? [];
    if (!alerts.length) return null;
    return panel(
      'Alerts in this time',
      { key: 'alerts' },
      table(
        'Alerts in this time',
        [
          ['Rule', ''],
          ['Prefix', ''],
          ['Start (UTC)', 'nowrap'],
          ['End (UTC)', 'nowrap'],
          ['Crossed', ''],
        ],
        alerts.map((alert) => [
          alert.id,
          [
            h('a', { href: alertTraffic(alert) }, alert.rule_name),
            h('code', null, alertTarget(alert)),
            timeElement(alert.started_at, (date) => brief(date)),
            alert.ended_at ? timeElement(alert.ended_at, (date) => brief(date)) : tag('active', 'bad'),
            crossed(alert),
          ],
        ]),
      ),
    );
  }

  #who() {
    if (!this.#target.prefix) {
      return panel(
        'Who makes it up',
        { key: 'who' },
        h('p', { class: 'muted' }, 'Choose one prefix to see its sources, ports, networks and interfaces.'),
      );
    }
    return panel(
      'Who makes it up',
      { key: 'who', lead: 'Of the time shown above: zoom in to see who made a peak. Shares are of bytes.' },
      this.#contributors.show('The contributors', (lists) =>
        h(
          'div',
          { class: 'bar-grid', key: 'lists' },
          kLists.map(([name, title]) =>
            bars(
              title,
              (lists[name] ?? []).map((each) => contributor(each, name)),
              { emptyText: 'nothing counted' },
            ),
          ),
        ),
      ),
    );
  }

  #busiest() {
    const value = this.#prefixes.value;
    if (!value?.prefixes?.length) return null;
    return panel(
      'Busiest prefixes',
      { key: 'busiest', lead: value.minute ? ['In the minute ', timeElement(value.minute), '.'] : null },
      table(
        'Busiest prefixes',
        [
          ['Prefix', ''],
          ['Rules', ''],
          ['Bandwidth', 'number'],
          ['Packets', 'number'],
          ['', ''],
        ],
        value.prefixes
          .slice(0, 25)
          .map((each) => [
            each.prefix,
            [
              h(
                'a',
                { href: href(['traffic'], { prefix: each.prefix, unit: this.params.get('unit') }) },
                each.prefix,
              ),
              (each.rules ?? []).map((rule) => rule.name).join(', '),
              bitRate(each.bits_per_second),
              packetRate(each.packets_per_second),
              each.alert ? tag('alert', 'bad') : null,
            ],
          ]),
      ),
    );
  }

  rendered() {
    const place = this.root.querySelector('[data-island="traffic"]');
    const data = this.#series.value;
    if (!place || !data) return;
    const isNew = this.#chart.element.parentNode !== place;
    this.#chart.attach(place);
    const drawn = `${this.#series.readAt?.getTime()} ${this.#unit}`;
    if (!isNew && drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#chart.show(this.#picturing(data));
  }

  #picturing(data) {
    const unit = this.#unit;
    const window = windowOf(this.params, '6h');
    const thresholds = (data.thresholds ?? [])
      .filter((each) => each[unit])
      .map((each) => ({ name: each.rule_name, value: each[unit] }));
    return {
      ...classChart(data.points, unit),
      stacked: true,
      format: this.#format,
      window,
      thresholds,
      alerts: (data.alerts ?? []).map((alert) => ({
        from: instant(alert.started_at),
        to: instant(alert.ended_at),
      })),
      summary: describe(data, unit, this.#format, thresholds),
      zoomed: (from, to) => setParams({ from: rfc3339(from), to: rfc3339(to), range: null }),
    };
  }
}

const kProtocols = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 47: 'GRE', 50: 'ESP', 58: 'ICMPv6' };

/** `UDP/53` for `17/53`, `AS64500` for `64500`, anything else as it is. */
function contributorName(key, list) {
  if (list === 'source_as' && /^\d+$/.test(key)) return `AS${key}`;
  const port = /_port$/.test(list) && /^(\d+)\/(\d+)$/.exec(key);
  return port && kProtocols[port[1]] ? `${kProtocols[port[1]]}/${port[2]}` : key;
}

function contributor(each, list) {
  const key = String(each.key);
  return {
    key,
    name: contributorName(key, list),
    note: each.name ?? (list === 'source_country' ? countryName(key) : null),
    value: byteCount(each.bytes),
    share: each.share,
  };
}

/** The chart in words. */
export function describe(data, unit, format, thresholds) {
  const { peak, peakAt, mean, collected, missing } = summary(data.points, unit);
  if (!collected) return 'No minute of this time was collected.';
  const over = thresholds.filter((each) => peak >= each.value);
  const limits = thresholds.length
    ? over.length
      ? ` Above the threshold of ${over.map((each) => `“${each.name}”`).join(', ')}.`
      : ` Below every threshold (lowest ${format(Math.min(...thresholds.map((each) => each.value)))}).`
    : '';
  const gaps = missing
    ? ` ${count(missing)} of ${count(missing + collected)} points were not collected and are gaps.`
    : '';
  const alerts = data.alerts?.length
    ? ` ${data.alerts.length} alert${data.alerts.length > 1 ? 's' : ''} in this time.`
    : '';
  return `Peak ${format(peak)} at ${stamp(peakAt)}, mean ${format(mean)}.${limits}${alerts}${gaps}`;
}
