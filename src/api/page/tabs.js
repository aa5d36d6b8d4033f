// The two halves of a place in the navigation.

import { h } from './dom.js';
import { href } from './router.js';

const kTabs = {
  rules: [
    ['rules', 'Rules'],
    ['routers', 'Routers & exporters'],
  ],
  alerts: [
    ['alerts', 'Alerts'],
    ['deliveries', 'Deliveries'],
  ],
};

export function subTabs(current) {
  const tabs = Object.values(kTabs).find((each) => each.some(([name]) => name === current));
  return h(
    'nav',
    { class: 'tabs', 'aria-label': 'Parts', key: 'tabs' },
    tabs.map(([name, label]) =>
      h('a', { key: name, href: href([name]), 'aria-current': name === current ? 'page' : null }, label),
    ),
  );
}
