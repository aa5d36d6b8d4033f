// Rules: what is watched, and whether it is crossed now.

import * as api from './api.js';
import { h } from './dom.js';
import { confirmed, empty, icon, panel, table, tag } from './parts.js';
import { href } from './router.js';
import { conditionText, kTypes } from './rule_text.js';
import { subTabs } from './tabs.js';
import { timeElement } from './times.js';
import { View } from './view.js';

const typeName = (type) => kTypes.find(([name]) => name === type)?.[1] ?? type;

export class RulesView extends View {
  #rules = this.reading();
  #active = this.reading();
  #said = null;

  get title() {
    return 'Rules';
  }

  load(why) {
    if (!['route', 'alert', 'resync', 'own'].includes(why)) return;
    this.#rules.read('/rules', { keep: true });
    this.#active.read('/alerts?active=true&limit=1000', { keep: true });
  }

  render() {
    const add = h('a', { class: 'button strong', href: href(['rules', 'new']) }, icon('plus'), 'New rule');
    return [
      subTabs('rules'),
      this.#said
        ? h(
            'p',
            { class: `said ${this.#said.tone}`, role: 'status', key: 'said' },
            this.#said.text,
            this.#said.undo
              ? [
                  ' ',
                  h(
                    'button',
                    { type: 'button', class: 'link', on: { click: this.#said.undo } },
                    'Take it back',
                  ),
                ]
              : null,
          )
        : null,
      panel(
        'Rules',
        { key: 'rules', aside: add },
        this.#rules.show('The rules', (rules) =>
          rules.length
            ? this.#table(rules)
            : empty(
                'No rule yet',
                'A rule tells you when the traffic of a prefix is more than it should be. Traffic is counted for the prefixes of rules.',
              ),
        ),
      ),
    ];
  }

  #table(rules) {
    return table(
      'Rules',
      [
        ['Name', ''],
        ['Fires at', ''],
        ['Prefixes', ''],
        ['State', 'nowrap'],
        ['Changed (UTC)', 'nowrap'],
        ['', 'actions'],
      ],
      rules.map((rule) => [
        rule.id,
        [
          [
            h('a', { href: href(['rules', rule.id]) }, rule.name),
            h('small', { class: 'id' }, typeName(rule.type)),
          ],
          conditionText(rule),
          [
            h('code', null, rule.prefixes.slice(0, 3).join(', ')),
            rule.prefixes.length > 3 ? h('small', null, ` and ${rule.prefixes.length - 3} more`) : null,
          ],
          this.#state(rule),
          timeElement(rule.updated_at),
          this.#actions(rule),
        ],
      ]),
    );
  }

  #actions(rule) {
    return h(
      'span',
      { class: 'row' },
      h(
        'a',
        {
          class: 'button small',
          href: href(
            ['traffic'],
            rule.prefixes.length === 1 ? { prefix: rule.prefixes[0] } : { rule: rule.id },
          ),
        },
        'Traffic',
      ),
      h(
        'a',
        { class: 'button small', href: href(['rules', rule.id]), 'aria-label': `Edit ${rule.name}` },
        'Edit',
      ),
      h(
        'button',
        {
          type: 'button',
          class: 'button small',
          'aria-label': `Delete ${rule.name}`,
          on: { click: () => this.#remove(rule) },
        },
        'Delete',
      ),
    );
  }

  #state(rule) {
    if (this.#active.value === null) return tag(this.#active.error ? 'unknown' : '…', 'plain');
    const crossedNow = this.#active.value.filter((alert) => alert.rule_id === rule.id).length;
    return crossedNow
      ? h(
          'a',
          { href: href(['alerts'], { rule: rule.id }) },
          tag(crossedNow > 1 ? `crossed, ${crossedNow} prefixes` : 'crossed', 'bad'),
        )
      : tag('below', 'good');
  }

  async #remove(rule) {
    const agreed = await confirmed({
      title: `Delete “${rule.name}”?`,
      text: [
        'Its prefixes are no longer judged by it, and an alert of it that is active ends.',
        'Its past alerts stay readable.',
      ],
      agree: 'Delete the rule',
    });
    if (!agreed) return;
    try {
      await api.call(`/rules/${encodeURIComponent(rule.id)}`, { method: 'DELETE' });
      this.#said = { tone: 'good', text: `“${rule.name}” is deleted.`, undo: () => this.#restore(rule) };
    } catch (error) {
      this.#said = { tone: 'bad', text: `“${rule.name}” is still there: ${error.message}` };
    }
    this.load('own');
    this.changed();
  }

  async #restore(rule) {
    const { id: _id, created_at: _made, updated_at: _changed, ...body } = rule;
    try {
      await api.call('/rules', { method: 'POST', body });
      this.#said = { tone: 'good', text: `“${rule.name}” is back.` };
    } catch (error) {
      this.#said = { tone: 'bad', text: `“${rule.name}” could not be made again: ${error.message}` };
    }
    this.load('own');
    this.changed();
  }
}
