// The way through a list that is longer than a page.

import { h } from './dom.js';
import { setParams } from './router.js';

/** Older and newer, where there are more than fit. `cursors` remembers the way back and belongs to the view. */
export function pager(current, next, cursors) {
  if (!current) cursors.length = 0;
  if (!current && !next) return null;
  const older = () => {
    cursors.push(current ?? '');
    setParams({ cursor: next });
  };
  return h(
    'nav',
    { class: 'row end', 'aria-label': 'Pages', key: 'pager' },
    current
      ? h(
          'button',
          {
            type: 'button',
            class: 'button',
            on: { click: () => setParams({ cursor: cursors.pop() || null }) },
          },
          'Newer',
        )
      : null,
    next ? h('button', { type: 'button', class: 'button', on: { click: older } }, 'Older') : null,
  );
}
