// Alerts: when which rule was crossed, by how much, and when it was over.

import { query } from './api.js';
import { h } from './dom.js';
import { filterRow, rangeFilter, selectFilter } from './filters.js';
import { empty, panel, table, tag } from './parts.js';
import { subTabs } from './tabs.js';
import { brief, instant, rfc3339, timeElement, windowOf } from './times.js';
import { bitRate, duration, packetRate } from './units.js';
import { View } from './view.js';
import { alertTarget, alertTraffic, crossed } from './alert_text.js';

const kMost = 500;
const kReasons = {
  below: 'below again',
  rule_changed: 'the rule was changed',
  rule_deleted: 'the rule was deleted',
};

export class AlertsView extends View {
  #alerts = this.reading();
  #rules = this.reading();

  get title() {
    return 'Alerts';
  }

  load(why) {
    if (!['route', 'alert', 'minute', 'resync'].includes(why)) return;
    const { state, rule } = Object.fromEntries(this.params);
    const active = state === 'active' ? 'true' : state === 'ended' ? 'false' : null;
    const since = state === 'active' ? null : rfc3339(windowOf(this.params, '7d').from);
    this.#alerts.read(`/alerts${query({ since, active, rule_id: rule, limit: kMost })}`, {
      keep: why !== 'route',
    });
    if (why === 'route') this.#rules.read('/rules', { keep: true });
  }

  render() {
    const rules = (this.#rules.value ?? []).map((rule) => [rule.id, rule.name]);
    return [
      subTabs('alerts'),
      filterRow(
        'Filters',
        rangeFilter(this.params, '7d'),
        selectFilter(this.params, 'state', 'State', [
          ['', 'all'],
          ['active', 'active'],
          ['ended', 'ended'],
        ]),
        selectFilter(this.params, 'rule', 'Rule', [['', 'all rules'], ...rules]),
      ),
      panel(
        'Alerts',
        { key: 'alerts' },
        this.#alerts.show('The alerts', (all) => this.#list(all)),
      ),
    ];
  }

  #list(all) {
    const window = windowOf(this.params, '7d');
    const alerts = window.isLive ? all : all.filter((alert) => instant(alert.started_at) <= window.to);
    if (!alerts.length)
      return empty('No rule was crossed in this time', 'Choose a longer time to see older alerts.');
    return table(
      'Alerts',
      [
        ['Rule', ''],
        ['Prefix', ''],
        ['Start (UTC)', 'nowrap'],
        ['Lasted', 'nowrap'],
        ['Crossed', ''],
        ['Peak', 'number'],
        ['', 'actions'],
      ],
      alerts.map((alert) => [
        alert.id,
        [
          [alert.rule_name, ' ', alert.active ? tag('active', 'bad') : null],
          h('code', null, alertTarget(alert)),
          timeElement(alert.started_at, (date) => brief(date)),
          [
            duration(
              (alert.ended_at ? instant(alert.ended_at) : new Date()) / 1000 -
                instant(alert.started_at) / 1000,
            ),
            alert.end_reason && alert.end_reason !== 'below'
              ? h('small', { class: 'id' }, kReasons[alert.end_reason] ?? alert.end_reason)
              : null,
          ],
          crossed(alert),
          [
            bitRate(alert.peak?.bits_per_second),
            h('small', { class: 'id' }, packetRate(alert.peak?.packets_per_second)),
          ],
          h(
            'a',
            {
              class: 'button small',
              href: alertTraffic(alert),
              'aria-label': `Traffic of the alert of ${alert.rule_name}`,
            },
            'Traffic',
          ),
        ],
      ]),
      { footer: all.length >= kMost ? `The newest ${kMost}; choose a shorter time to see others.` : null },
    );
  }
}
