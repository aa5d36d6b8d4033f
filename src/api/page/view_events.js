// Events: every single one, filtered by the address, to read or to take away.

import { query } from './api.js';
import { h } from './dom.js';
import { EventDialog, eventTable } from './events.js';
import { rangeFilter, textFilter } from './filters.js';
import { empty, exports_, panel } from './parts.js';
import { href } from './router.js';
import { rfc3339, windowOf } from './times.js';
import { View } from './view.js';
import { pager } from './view_attacks.js';

const kPage = 100;
const kExported = 1000;

export class EventsView extends View {
  #events = this.reading();
  #dialog = new EventDialog();
  #cursors = [];

  get title() {
    return 'Mitigation events';
  }

  #filters() {
    const window = windowOf(this.params, '24h');
    const { prefix, vector, source, attack_id } = Object.fromEntries(this.params);
    return {
      since: rfc3339(window.from),
      until: window.isLive ? null : rfc3339(window.to),
      prefix,
      vector,
      source,
      attack_id,
    };
  }

  load(why) {
    if (!['route', 'poll', 'resync'].includes(why)) return;
    this.#events.read(
      `/events${query({ ...this.#filters(), limit: kPage, cursor: this.params.get('cursor') })}`,
      { keep: why !== 'route' },
    );
  }

  unmount() {
    super.unmount();
    this.#dialog.close();
  }

  render() {
    const filters = this.#filters();
    const aside = exports_(
      `/events${query({ ...filters, limit: kExported, format: 'csv' })}`,
      `/events${query({ ...filters, limit: kExported })}`,
    );
    return [
      h('p', { key: 'back' }, h('a', { href: href(['attacks']) }, 'Attacks'), ' group these events.'),
      h(
        'form',
        {
          class: 'filters',
          key: 'filters',
          'aria-label': 'Filters',
          on: { submit: (event) => event.preventDefault() },
        },
        rangeFilter(this.params, '24h'),
        textFilter(this.params, 'prefix', 'Target in prefix', { placeholder: '192.0.2.0/24' }),
        textFilter(this.params, 'vector', 'Vector', { placeholder: 'UDP Flood' }),
        textFilter(this.params, 'source', 'Source address'),
        textFilter(this.params, 'attack_id', 'Attack ID'),
      ),
      panel(
        'Events',
        {
          key: 'events',
          aside,
          lead: `Newest first, ${kPage} on a page; an export holds the newest ${kExported}.`,
        },
        this.#events.show('The events', (events) =>
          events.length
            ? [
                eventTable(events, (id) => this.#dialog.open(id)),
                pager(
                  this.params.get('cursor'),
                  this.#events.envelope.result_info?.next_cursor,
                  this.#cursors,
                ),
              ]
            : empty('No event fits', 'Choose a longer time or fewer filters.'),
        ),
      ),
    ];
  }
}
