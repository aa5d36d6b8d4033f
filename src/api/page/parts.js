// Parts that every view is made of: panels, states, tags, facts, buttons that choose.

import { h } from './dom.js';
import { stamp } from './times.js';

const kIcons = {
  alert: 'M12 3 2 20h20L12 3Zm0 6v5m0 3v.5',
  check: 'm4 12 5 5L20 6',
  shield: 'M12 3 4 6v6c0 4.5 3.4 7.6 8 9 4.6-1.4 8-4.5 8-9V6l-8-3Z',
  eye: 'M2 12s3.6-7 10-7 10 7 10 7-3.6 7-10 7S2 12 2 12Zm10 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z',
  arrow: 'M5 12h14m-6-6 6 6-6 6',
  download: 'M12 4v11m-5-5 5 5 5-5M4 20h16',
  plus: 'M12 5v14M5 12h14',
  close: 'm6 6 12 12M18 6 6 18',
};

/** A drawn sign beside words; by itself it says nothing to a screen reader. */
export function icon(name) {
  return h(
    'svg',
    { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' },
    h('path', { d: kIcons[name] }),
  );
}

/** A section with a heading. `aside` stands beside the heading. */
export function panel(title, { key, id, aside, className = '', lead } = {}, ...children) {
  const heading = id ?? `h-${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  return h(
    'section',
    { class: `panel ${className}`, 'aria-labelledby': heading, key: key ?? title },
    h(
      'div',
      { class: 'panel-head' },
      h('h2', { id: heading }, title),
      aside ? h('div', { class: 'panel-aside' }, aside) : null,
    ),
    lead ? h('p', { class: 'lead' }, lead) : null,
    children,
  );
}

/** Nothing to show, and why that is fine or what to do. */
export const empty = (headline, ...more) =>
  h(
    'div',
    { class: 'state empty' },
    h('p', { class: 'state-head' }, headline),
    more.length ? h('p', null, more) : null,
  );

export const loading = (what) =>
  h(
    'div',
    { class: 'state loading', role: 'status' },
    h('span', { class: 'visually-hidden' }, `Loading ${what}`),
    h('span', { class: 'bone' }),
    h('span', { class: 'bone short' }),
    h('span', { class: 'bone' }),
  );

/** A failed call. `since`: of when the data still shown is. */
export function failed(what, error, { retry, since } = {}) {
  return h(
    'div',
    { class: 'state failed', role: 'alert', key: `failed-${what}` },
    h('p', { class: 'state-head' }, icon('alert'), `${what} could not be read`),
    h(
      'p',
      null,
      error.message,
      since ? `. What is shown is of ${stamp(since)}.` : '. What is not shown may be there all the same.',
    ),
    retry ? h('button', { type: 'button', class: 'button', on: { click: retry } }, 'Try again') : null,
  );
}

/** A small word in a box. `tone`: bad, warn, good, plain. */
export const tag = (text, tone = 'plain', more = {}) => h('span', { class: `tag ${tone}`, ...more }, text);

/** Pairs of a name and a value. Pairs without a value are left out. */
export function facts(pairs) {
  return h(
    'dl',
    { class: 'facts' },
    pairs
      .filter(([, value]) => value !== null && value !== undefined && value !== '')
      .map(([name, value]) => h('div', { key: name }, h('dt', null, name), h('dd', null, value))),
  );
}

/** Buttons of which one is chosen. `options`: [value, label]. */
export function choice(label, options, chosen, choose) {
  return h(
    'div',
    { class: 'choice', role: 'group', 'aria-label': label, key: `choice-${label}` },
    options.map(([value, text]) =>
      h(
        'button',
        {
          type: 'button',
          key: value,
          'aria-pressed': String(value === chosen),
          on: { click: () => choose(value) },
        },
        text,
      ),
    ),
  );
}

/** A table that scrolls inside itself where it is too wide. `columns`: [label, class]; `rows`: [key, cells]. */
export function table(caption, columns, rows, { footer } = {}) {
  return h(
    'div',
    { class: 'table-box', tabindex: '0', role: 'group', 'aria-label': caption, key: `table-${caption}` },
    h(
      'table',
      null,
      h('caption', { class: 'visually-hidden' }, caption),
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          columns.map(([label, name]) =>
            h('th', { scope: 'col', class: name }, label || h('span', { class: 'visually-hidden' }, 'More')),
          ),
        ),
      ),
      h(
        'tbody',
        null,
        rows.map(([key, cells, className]) =>
          h(
            'tr',
            { key, class: className },
            cells.map((cell, at) =>
              h('td', { class: columns[at][1], 'data-label': columns[at][0] }, h('div', null, cell)),
            ),
          ),
        ),
      ),
      footer ? h('tfoot', null, h('tr', null, h('td', { colspan: columns.length }, footer))) : null,
    ),
  );
}

/** A labelled control with its help and its problem. `control` is made by the caller with `id`. */
export function field(id, label, control, { help, problem, className = '' } = {}) {
  return h(
    'div',
    { class: `field ${problem ? 'wrong' : ''} ${className}`, key: `field-${id}` },
    h('label', { for: id }, label),
    control,
    help ? h('p', { class: 'help', id: `${id}-help` }, help) : null,
    h('p', { class: 'problem', id: `${id}-problem`, 'aria-live': 'polite' }, problem ?? ''),
  );
}

/** Links to the two things a list is wanted as. */
export const exports_ = (csv, json) =>
  h(
    'span',
    { class: 'exports' },
    h('a', { class: 'quiet-link', href: csv, download: '' }, icon('download'), 'CSV'),
    h('a', { class: 'quiet-link', href: json, download: 'events.json' }, icon('download'), 'JSON'),
  );

/** Asks before something is done that cannot be undone by a click. Resolves to whether it was agreed to. */
export function confirmed({ title, text, agree, tone = 'danger' }) {
  return new Promise((resolve) => {
    const finish = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const dialog = h(
      'dialog',
      { class: 'ask', 'aria-labelledby': 'ask-title', on: { cancel: () => finish(false) } },
      h('h2', { id: 'ask-title' }, title),
      text.map((each) => h('p', null, each)),
      h(
        'div',
        { class: 'row end' },
        h('button', { type: 'button', class: 'button', on: { click: () => finish(false) } }, 'Cancel'),
        h('button', { type: 'button', class: `button ${tone}`, on: { click: () => finish(true) } }, agree),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
