// One attack: what, whose, from where, and what still arrived at our own edge.

import { query } from './api.js';
import { bars, countryName } from './bars.js';
import { Chart } from './chart.js';
import { h } from './dom.js';
import { eventTable, EventDialog } from './events.js';
import { empty, exports_, facts, panel, tag } from './parts.js';
import { href } from './router.js';
import { duration, bitRate, bitCount, count, packetRate, share } from './units.js';
import { instant, timeElement } from './times.js';
import { attackName } from './timeline.js';
import { View } from './view.js';

const kEvents = 20;

const kShown = 10;

/** Rows of a bar list from one of the attack's breakdowns; `say` may tell a key's name and note. */
function breakdown(list, total, say) {
  return (list?.largest ?? []).slice(0, kShown).map((each) => ({
    key: each.key,
    name: String(each.key || 'unknown'),
    note: each.name && each.name !== each.key ? each.name : null,
    value: bitCount(each.bits),
    share: total > 0 ? each.bits / total : 0,
    ...say?.(each),
  }));
}
/** How many are not among those rows. */
const leftOut = (list) => (list?.left_out ?? 0) + Math.max(0, (list?.largest?.length ?? 0) - kShown);

const asCountry = ({ key }) => ({ note: countryName(key) });
const asNetwork = ({ key }) => (/^\d+$/.test(key) ? { name: `AS${key}` } : {});

export class AttackView extends View {
  #attack = this.reading();
  #sides = this.reading();
  #events = this.reading();
  #chart = new Chart('What Cloudflare dropped and what arrived');
  #dialog = new EventDialog();

  get title() {
    return this.#attack.value ? attackName(this.#attack.value) : 'Attack';
  }

  load(why) {
    if (!['route', 'poll', 'minute', 'resync'].includes(why)) return;
    const id = encodeURIComponent(this.path[1]);
    if (why === 'minute') {
      if (this.#attack.value?.active) this.#sides.read(`/attacks/${id}/both-sides`);
      return;
    }
    this.#attack.read(`/attacks/${id}`);
    this.#sides.read(`/attacks/${id}/both-sides`);
    this.#events.read(`/events${query({ attack_id: this.path[1], limit: kEvents })}`);
  }

  unmount() {
    super.unmount();
    this.#chart.destroy();
    this.#dialog.close();
  }

  theme() {
    this.#chart.redraw();
  }

  render() {
    return [
      h('p', { key: 'back' }, h('a', { href: href(['attacks']) }, 'All attacks')),
      this.#attack.show('The attack', (attack) => [
        this.#head(attack),
        this.#bothSides(),
        this.#breakdowns(attack),
      ]),
      this.#eventPanel(),
    ];
  }

  #head(attack) {
    const seconds = (instant(attack.last_seen) - instant(attack.first_seen)) / 1000;
    return h(
      'section',
      { class: `panel attack-head ${attack.active ? 'active' : ''}`, key: 'head', 'aria-label': 'Summary' },
      h(
        'p',
        { class: 'big' },
        h('b', null, attackName(attack)),
        ' ',
        attack.active ? tag('going on now', 'warn') : tag('over', 'plain'),
      ),
      facts([
        ['attack ID', h('code', null, attack.attack_id)],
        ['first seen', timeElement(attack.first_seen)],
        ['last seen', [timeElement(attack.last_seen), seconds >= 1 ? ` (${duration(seconds)})` : '']],
        ['dropped', `${count(attack.packets)} packets, ${bitCount(attack.bits)}`],
        [
          'mean rate',
          seconds >= 1 ? `${bitRate(attack.bits / seconds)}, ${packetRate(attack.packets / seconds)}` : null,
        ],
        ['rules', (attack.rule_names ?? []).filter(Boolean).join(', ')],
        ['events', count(attack.events)],
        ['sources', count(attack.source_count)],
        ['targets', count(attack.target_count)],
      ]),
    );
  }

  #bothSides() {
    return panel(
      'Both sides: dropped by Cloudflare, arrived at our edge',
      { key: 'sides', id: 'h-sides' },
      this.#sides.show('Both sides', (sides) => {
        if (!sides.minutes?.length) return empty('No minutes to compare', sides.note ?? '');
        return [
          h('p', { class: 'lead', key: 'leak' }, this.#leak(sides)),
          h('div', { island: 'both-sides', key: 'chart' }),
          sides.note ? h('p', { class: 'muted small', key: 'note' }, sides.note) : null,
        ];
      }),
    );
  }

  #leak(sides) {
    if (sides.leaked_share === null || sides.leaked_share === undefined) {
      return 'How much of it leaked through cannot be told.';
    }
    const prefix = sides.prefix
      ? [' at ', h('a', { href: href(['traffic'], { prefix: sides.prefix }) }, sides.prefix)]
      : '';
    const usual = sides.usual_bits_per_second
      ? ` above the usual ${bitRate(sides.usual_bits_per_second)}`
      : '';
    return [
      h('b', { class: 'figure' }, share(sides.leaked_share)),
      ' of the attack leaked: it arrived',
      prefix,
      usual,
      '. Cloudflare dropped the rest.',
    ];
  }

  #breakdowns(attack) {
    const sources = attack.sources ?? {};
    const lists = [
      ['Countries', sources.countries, asCountry],
      ['Networks (ASN)', sources.asns, asNetwork],
      ['Source addresses', sources.addresses],
      ['Targets', attack.targets],
      ['Target ports', attack.ports],
      ['Cloudflare edge locations', attack.colos],
    ];
    return panel(
      'Where from, where to',
      { key: 'breakdowns' },
      h(
        'div',
        { class: 'bar-grid' },
        lists.map(([title, list, say]) =>
          bars(title, breakdown(list, attack.bits, say), { more: leftOut(list) }),
        ),
      ),
    );
  }

  #eventPanel() {
    const filters = { attack_id: this.path[1] };
    const csv = `/events${query({ ...filters, limit: 1000, format: 'csv' })}`;
    const json = `/events${query({ ...filters, limit: 1000 })}`;
    return panel(
      'Newest events',
      { key: 'events', aside: exports_(csv, json) },
      this.#events.show('The events', (events) =>
        events.length
          ? [
              eventTable(events, (id) => this.#dialog.open(id)),
              this.#events.envelope.result_info?.next_cursor
                ? h(
                    'p',
                    { key: 'all' },
                    h(
                      'a',
                      { href: href(['events'], { attack_id: this.path[1], range: '30d' }) },
                      'All events of this attack',
                    ),
                  )
                : null,
            ]
          : empty('No events are kept for this attack'),
      ),
    );
  }

  rendered() {
    const place = this.root.querySelector('[data-island="both-sides"]');
    const sides = this.#sides.value;
    if (!place || !sides) return;
    const isNew = this.#chart.element.parentNode !== place;
    this.#chart.attach(place);
    if (!isNew && this.drawn === this.#sides.readAt) return;
    this.drawn = this.#sides.readAt;
    const rows = sides.minutes.map((minute) => [
      new Date(minute.start),
      minute.dropped_bits_per_second ?? null,
      minute.arrived_bits_per_second ?? null,
    ]);
    const highest = (at) => Math.max(0, ...rows.map((row) => row[at] ?? 0));
    this.#chart.show({
      rows,
      series: [
        { name: 'Dropped by Cloudflare', colour: '--series-1' },
        { name: 'Arrived at our edge', colour: '--series-2' },
      ],
      format: bitRate,
      window: { from: rows[0][0], to: new Date(rows.at(-1)[0].getTime() + 60000) },
      thresholds: sides.usual_bits_per_second
        ? [{ name: 'usual at our edge', value: sides.usual_bits_per_second, tone: 'plain' }]
        : [],
      alerts: [],
      summary: `Per minute: Cloudflare dropped up to ${bitRate(highest(1))}; ${rows.some((row) => row[2] !== null) ? `up to ${bitRate(highest(2))} arrived at our edge.` : 'what arrived is not known.'}`,
    });
  }
}
