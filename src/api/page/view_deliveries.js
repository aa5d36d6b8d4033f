// Deliveries: what was sent to Telegram when, what waits, and why.

import { query } from './api.js';
import { h } from './dom.js';
import { filterRow, selectFilter } from './filters.js';
import { pager } from './pager.js';
import { empty, panel, tag } from './parts.js';
import { subTabs } from './tabs.js';
import { timeElement } from './times.js';
import { View } from './view.js';

const kTones = { waiting: 'warn', sent: 'good', failed: 'bad' };
const kKinds = {
  event: 'Mitigation event',
  attack: 'Mitigation events of an attack',
  startup: 'Startup report',
  shutdown: 'Shutdown report',
  alert: 'Traffic alert',
  status: 'State of the monitor',
};

export class DeliveriesView extends View {
  #deliveries = this.reading();
  #cursors = [];

  get title() {
    return 'Deliveries';
  }

  load(why) {
    if (!['route', 'delivery', 'poll', 'alert', 'resync'].includes(why)) return;
    this.#deliveries.read(
      `/deliveries${query({ state: this.params.get('state'), limit: 50, cursor: this.params.get('cursor') })}`,
      { keep: why !== 'route' },
    );
  }

  render() {
    return [
      subTabs('deliveries'),
      filterRow(
        'Filters',
        selectFilter(this.params, 'state', 'State', [
          ['', 'all'],
          ['waiting', 'waiting'],
          ['sent', 'sent'],
          ['failed', 'failed'],
        ]),
      ),
      panel(
        'Messages to Telegram',
        {
          key: 'deliveries',
          lead: 'Newest first. What waits is sent in order, as soon as Telegram takes it.',
        },
        this.#deliveries.show('The deliveries', (all) =>
          all.length
            ? [
                h('ul', { class: 'deliveries', key: 'all' }, all.map(delivery)),
                pager(
                  this.params.get('cursor'),
                  this.#deliveries.envelope.result_info?.next_cursor,
                  this.#cursors,
                ),
              ]
            : empty(this.params.get('state') === 'waiting' ? 'Nothing waits' : 'No message in this list'),
        ),
      ),
    ];
  }
}

function delivery(each) {
  const lines = String(each.text ?? '')
    .split('\n')
    .map((line) => line.replace(/\\(?=[_*[`])|[*`]/g, '').trim())
    .filter(Boolean);
  return h(
    'li',
    { key: each.id, class: `delivery ${each.state}` },
    h(
      'div',
      { class: 'row spread' },
      h(
        'h3',
        null,
        kKinds[each.kind] ?? each.kind ?? 'Message',
        ' ',
        tag(each.state, kTones[each.state] ?? 'plain'),
      ),
      h(
        'span',
        { class: 'small muted' },
        each.sent_at ? ['sent ', timeElement(each.sent_at)] : ['made ', timeElement(each.created_at)],
      ),
    ),
    h('p', { class: 'small' }, lines.slice(1, 3).join(' · ').slice(0, 160)),
    each.state === 'sent'
      ? null
      : h(
          'p',
          { class: 'why' },
          each.last_error ? `Why: ${each.last_error}. ` : each.attempts ? '' : 'Its turn has not come yet. ',
          each.attempts ? `${each.attempts} attempts. ` : '',
          each.next_attempt_at ? ['Next attempt ', timeElement(each.next_attempt_at), '.'] : null,
        ),
    h(
      'details',
      null,
      h('summary', null, 'The whole message'),
      h('pre', { tabindex: '0', 'aria-label': 'Text of the message' }, String(each.text ?? '')),
    ),
  );
}
