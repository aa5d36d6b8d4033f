// Attacks: what Cloudflare mitigated, as a timeline and a list, filtered by the address.

import { query } from './api.js';
import { h } from './dom.js';
import { href, setParams } from './router.js';
import { choice, empty, panel } from './parts.js';
import { rfc3339 } from './times.js';
import { mitigationFilters, mitigationQuery, mitigationWindow, textFilter } from './filters.js';
import { pager } from './pager.js';
import { timeline } from './timeline.js';
import { View } from './view.js';
import { attackTable } from './attack_table.js';

const kPage = 50;

/** Seconds per bar so that there are some 72 of them, in steps that people like. */
export function barSeconds(from, to) {
  const wanted = (to - from) / 1000 / 72;
  return (
    [60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200].find((each) => each >= wanted) ??
    86400
  );
}

export class AttacksView extends View {
  #attacks = this.reading();
  #timeline = this.reading();
  #cursors = [];

  get title() {
    return 'Attacks';
  }

  load(why) {
    if (!['route', 'poll', 'resync'].includes(why)) return;
    const window = mitigationWindow(this.params);
    const asked = mitigationQuery(this.params, window);
    const keep = { keep: why !== 'route' };
    this.#attacks.read(
      `/attacks${query({ ...asked, limit: kPage, cursor: this.params.get('cursor') })}`,
      keep,
    );
    const step = barSeconds(window.from, window.to);
    const begin = new Date(Math.floor(window.from / 1000 / step) * step * 1000);
    this.#timeline.read(
      `/attacks/timeline${query({ since: rfc3339(begin), until: asked.until, step })}`,
      keep,
    );
  }

  render() {
    const id = this.params.get('id')?.trim();
    return [
      mitigationFilters(this.params, textFilter(this.params, 'id', 'Attack ID')),
      id
        ? h(
            'p',
            { key: 'jump' },
            h('a', { class: 'button strong', href: href(['attacks', id]) }, `Open attack ${id}`),
          )
        : null,
      this.#picture(),
      this.#list(),
    ];
  }

  #picture() {
    const unit = this.params.get('unit') === 'packets' ? 'packets' : 'bits';
    const aside = choice(
      'Unit of the timeline',
      [
        ['bits', 'bits/s'],
        ['packets', 'packets/s'],
      ],
      unit,
      (chosen) => setParams({ unit: chosen === 'bits' ? null : chosen }),
    );
    return panel(
      'Timeline',
      { key: 'timeline', aside },
      this.#timeline.show('The timeline', (data) =>
        data.series.length
          ? h('div', { key: 'picture' }, timeline(data, unit))
          : empty('No mitigation in this time'),
      ),
    );
  }

  #list() {
    const aside = h(
      'a',
      { class: 'quiet-link', href: href(['events'], this.#forEvents()) },
      'Single events and export',
    );
    return panel(
      'Attacks',
      { key: 'list', id: 'h-list', aside },
      this.#attacks.show('The attacks', (attacks) =>
        attacks.length ? [attackTable('Attacks', attacks), this.#pager()] : this.#none(),
      ),
    );
  }

  #forEvents() {
    const { range, from, to, prefix, vector } = Object.fromEntries(this.params);
    return { range, from, to, prefix, vector };
  }

  #none() {
    const isFiltered = this.params.get('vector') || this.params.get('prefix');
    const clear = h(
      'button',
      { type: 'button', class: 'link', on: { click: () => setParams({ vector: null, prefix: null }) } },
      'Clear the filters',
    );
    if (isFiltered) return empty('No attack fits these filters', clear);
    return empty(
      'No attack in this time',
      'Cloudflare was asked and reported none. Choose a longer time to see older ones.',
    );
  }

  #pager() {
    const next = this.#attacks.envelope?.result_info?.next_cursor;
    return pager(this.params.get('cursor'), next, this.#cursors);
  }
}
