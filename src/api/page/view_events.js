// Events: every single one, filtered by the address, to read or to take away.

import { query } from './api.js';
import { h } from './dom.js';
import { EventDialog, eventTable } from './events.js';
import { mitigationFilters, mitigationQuery, textFilter } from './filters.js';
import { pager } from './pager.js';
import { empty, exports_, panel } from './parts.js';
import { href } from './router.js';
import { View } from './view.js';

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
    const { source, attack_id } = Object.fromEntries(this.params);
    return { ...mitigationQuery(this.params), source, attack_id };
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
      mitigationFilters(
        this.params,
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
