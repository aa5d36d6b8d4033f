// The row of filters above a list. What is chosen goes into the address at once.

import { h } from './dom.js';
import { setParams } from './router.js';
import { choice } from './parts.js';
import { parseTyped, rfc3339, typed, windowOf } from './times.js';

const kRanges = [
  ['1h', '1 h'],
  ['6h', '6 h'],
  ['24h', '24 h'],
  ['7d', '7 d'],
  ['30d', '30 d'],
];

/** The row itself, under a name that is read aloud. Nothing is sent: each filter applies itself. */
export function filterRow(label, ...filters) {
  return h(
    'form',
    {
      class: 'filters',
      key: 'filters',
      'aria-label': label,
      on: { submit: (event) => event.preventDefault() },
    },
    filters,
  );
}

/** A text filter that is applied with Enter or when it is left. */
export function textFilter(params, name, label, { placeholder, list, problem } = {}) {
  const id = `filter-${name}`;
  const apply = (event) => {
    const value = event.target.value.trim();
    if (value === (params.get(name) ?? '')) return;
    setParams({ [name]: value || null, cursor: null });
  };
  return h(
    'div',
    { class: 'filter', key: id },
    h('label', { for: id }, label),
    h('input', {
      id,
      type: 'search',
      autocomplete: 'off',
      spellcheck: 'false',
      placeholder,
      list,
      'aria-invalid': problem ? 'true' : null,
      value: params.get(name) ?? '',
      on: { change: apply, search: apply },
    }),
    problem ? h('p', { class: 'problem' }, problem) : null,
  );
}

/** One of a few. `options`: [value, label]; the first is the usual one. */
export function selectFilter(params, name, label, options) {
  const id = `filter-${name}`;
  return h(
    'div',
    { class: 'filter', key: id },
    h('label', { for: id }, label),
    h(
      'select',
      {
        id,
        value: params.get(name) ?? options[0][0],
        on: { change: (event) => setParams({ [name]: event.target.value || null, cursor: null }) },
      },
      options.map(([value, text]) => h('option', { value, key: value }, text)),
    ),
  );
}

/** The range picker: usual spans, or two typed times (UTC). */
export function rangeFilter(params, usual) {
  const window = windowOf(params, usual);
  const set = (side) => (event) => {
    const date = parseTyped(event.target.value);
    event.target.setAttribute('aria-invalid', String(!date));
    event.target.setCustomValidity(date ? '' : 'A time such as 19/01/2026 22:51 is expected.');
    event.target.reportValidity();
    if (!date) return;
    const bounds = { from: window.from, to: window.to, [side]: date };
    if (bounds.from >= bounds.to) {
      event.target.setCustomValidity('The beginning lies before the end.');
      event.target.reportValidity();
      return;
    }
    setParams({ from: rfc3339(bounds.from), to: rfc3339(bounds.to), range: null, cursor: null });
  };
  const input = (side, label) =>
    h(
      'div',
      { class: 'filter time', key: side },
      h('label', { for: `filter-${side}` }, label),
      h('input', {
        id: `filter-${side}`,
        type: 'text',
        inputmode: 'numeric',
        autocomplete: 'off',
        size: 16,
        value: typed(window[side]),
        on: { change: set(side) },
      }),
    );
  return [
    h(
      'div',
      { class: 'filter range', key: 'range' },
      h('span', { class: 'label', 'aria-hidden': 'true' }, 'Time'),
      choice('Time range', kRanges, window.range, (range) =>
        setParams({ range, from: null, to: null, cursor: null }),
      ),
    ),
    input('from', 'From (UTC)'),
    input('to', 'To (UTC)'),
  ];
}

const kUsualOfMitigation = '24h';

/** The time of the lists of attacks and of events, as windowOf() tells it. */
export const mitigationWindow = (params) => windowOf(params, kUsualOfMitigation);

/** What both lists ask the API: the time (`until` is null while it goes on), target and vector. */
export function mitigationQuery(params, window = mitigationWindow(params)) {
  return {
    since: rfc3339(window.from),
    until: window.isLive ? null : rfc3339(window.to),
    prefix: params.get('prefix'),
    vector: params.get('vector'),
  };
}

/** The filters of that query, and `more` behind them. */
export function mitigationFilters(params, ...more) {
  return filterRow(
    'Filters',
    rangeFilter(params, kUsualOfMitigation),
    textFilter(params, 'prefix', 'Target in prefix', { placeholder: '192.0.2.0/24' }),
    textFilter(params, 'vector', 'Vector', { placeholder: 'UDP Flood' }),
    more,
  );
}
