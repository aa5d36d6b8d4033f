// Single mitigation events: the table, and one with all its fields and the JSON that Cloudflare sent.

import * as api from './api.js';
import { h, patch } from './dom.js';
import { failed, loading, table } from './parts.js';
import { exact, timeElement } from './times.js';
import { bitCount, count } from './units.js';

const port = (address, number) =>
  number === null || number === undefined || number === 0
    ? address
    : address?.includes(':')
      ? `[${address}]:${number}`
      : `${address}:${number}`;

export function eventTable(events, open) {
  const columns = [
    ['Time (UTC)', 'nowrap'],
    ['Vector and rule', ''],
    ['Source', 'nowrap'],
    ['From', 'org'],
    ['Target', 'nowrap'],
    ['Packets', 'number'],
    ['Data', 'number'],
    ['Edge', ''],
    ['', ''],
  ];
  return table(
    'Mitigation events',
    columns,
    events.map((event) => [event.id, eventCells(event, open)]),
  );
}

const under = (text) => (text ? h('small', { class: 'id' }, text) : null);

function eventCells(event, open) {
  const network = event.source_asn ? `AS${event.source_asn} ${event.source_asn_name ?? ''}` : '';
  return [
    timeElement(event.event_datetime, exact),
    [event.attack_vector || 'Generic DDoS', under(event.rule_name || event.rule_id)],
    h('code', null, port(event.source_ip, event.source_port) ?? '–'),
    [event.source_country ?? '–', under(network)],
    [h('code', null, port(event.destination_ip, event.destination_port) ?? '–'), under(event.protocol)],
    count(event.packets),
    bitCount(event.bits),
    event.colo_code ?? '–',
    h(
      'button',
      {
        type: 'button',
        class: 'button small',
        'aria-label': `Details of event ${event.id}`,
        on: { click: () => open(event.id) },
      },
      'Details',
    ),
  ];
}

const kShownElsewhere = new Set(['raw_data']);

/** All fields of one event, over the page. */
export class EventDialog {
  #dialog = null;

  async open(id) {
    this.close();
    const box = h('div', null, loading('the event'));
    const close = h(
      'button',
      { type: 'button', class: 'button', on: { click: () => this.close() } },
      'Close',
    );
    this.#dialog = h(
      'dialog',
      { class: 'event', 'aria-labelledby': 'event-title', on: { close: () => this.close() } },
      h('h2', { id: 'event-title' }, `Event ${id}`),
      box,
      h('div', { class: 'row end' }, close),
    );
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    try {
      const event = await api.get(`/events/${encodeURIComponent(id)}`);
      patch(box, eventFacts(event));
    } catch (error) {
      patch(box, failed('The event', error));
    }
  }

  close() {
    const dialog = this.#dialog;
    this.#dialog = null;
    dialog?.close();
    dialog?.remove();
  }
}

function eventFacts(event) {
  const rows = Object.entries(event).filter(([name]) => !kShownElsewhere.has(name));
  const raw = typeof event.raw_data === 'string' ? event.raw_data : JSON.stringify(event.raw_data, null, 2);
  return [
    h(
      'dl',
      { class: 'facts wide' },
      rows.map(([name, value]) =>
        h(
          'div',
          { key: name },
          h('dt', null, name),
          h('dd', null, value === null ? h('span', { class: 'muted' }, 'not told') : String(value)),
        ),
      ),
    ),
    h('h3', null, 'As Cloudflare sent it'),
    h('pre', { tabindex: '0', 'aria-label': 'JSON' }, raw ?? 'not kept'),
  ];
}
