// Lists of the largest, each with a bar of its share.

import { h } from './dom.js';
import { share } from './units.js';

const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

/** `Bangladesh` for `BD`; null for what is no country. */
export function countryName(code) {
  return /^[A-Z]{2}$/.test(code) ? (regions.of(code) ?? null) : null;
}

/**
 * `items`: [{key, name, note, value (text), share (0 to 1), href}]. `more`: how many are left out.
 */
export function bars(title, items, { more = 0, emptyText = 'nothing to count', level = 'h3' } = {}) {
  return h(
    'section',
    { class: 'bars', key: `bars-${title}` },
    h(level, null, title),
    items.length ? h('ol', null, items.map(bar)) : h('p', { class: 'muted' }, emptyText),
    more > 0 ? h('p', { class: 'muted small' }, `and ${more} more`) : null,
  );
}

function bar(item) {
  const name = item.href ? h('a', { href: item.href }, item.name) : h('span', null, item.name);
  return h(
    'li',
    { key: item.key },
    h('span', {
      class: 'bar-fill',
      style: { width: `${Math.max(0.5, Math.min(1, item.share ?? 0) * 100)}%` },
    }),
    h('span', { class: 'bar-name' }, name, item.note ? h('small', null, item.note) : null),
    h('span', { class: 'bar-value' }, item.value, ' ', h('small', null, share(item.share))),
  );
}
