// What a rule would have fired in the last seven days: the same judge over the stored minutes.

import * as api from './api.js';
import { Chart } from './chart.js';
import { h } from './dom.js';
import { failed, loading, panel, table } from './parts.js';
import { classChart, stepMinutes } from './series.js';
import { brief, instant, rfc3339, timeElement } from './times.js';
import { bitRate, count, duration, exactRate, packetRate } from './units.js';
import { alertTarget, crossed } from './alert_text.js';

const kDays = 7;
const kWait = 700;
const kShown = 10;

export class RulePreview {
  chart = new Chart('Traffic of the first prefix with this rule');
  #changed;
  #use;
  #wanted = null;
  #shown = null;
  #result = null;
  #series = null;
  #error = null;
  #busy = false;
  #timer = null;
  #drawn = null;
  #last = null;
  #isOpen = false;

  constructor(changed, use) {
    this.#changed = changed;
    this.#use = use;
  }

  stop() {
    clearTimeout(this.#timer);
    this.#changed = () => {};
    this.chart.destroy();
  }

  /** The draft changed. */
  outdated() {
    this.#error = null;
  }

  /** `trial`: as trialOf() tells. Asks by itself, a moment after the last change. */
  render(trial) {
    const key = trial ? JSON.stringify({ ...trial.body, name: '' }) : null;
    if (trial && key !== this.#wanted) this.#plan(key, trial);
    return panel(
      'What it would have done',
      {
        key: 'preview',
        id: 'h-preview',
        lead: `The last ${kDays} days, by the same judge that decides from now on. Nothing is sent.`,
      },
      this.#body(trial, key),
    );
  }

  #body(trial, key) {
    if (!trial && !this.#result)
      return h('p', { class: 'muted', key: 'wait' }, 'As soon as there are prefixes.');
    if (this.#error) return failed('The preview', this.#error, { retry: () => this.#ask() });
    if (!this.#result) return loading('the preview');
    const isOld = this.#shown !== key;
    return h(
      'div',
      { class: isOld ? 'outdated' : '', key: 'result', 'aria-busy': String(isOld) },
      this.#verdict(),
      h('div', { island: 'preview', key: 'chart' }),
      this.#alerts(),
      this.#suggestion(),
    );
  }

  #verdict() {
    const { alerts, alerts_left_out: more = 0, minutes_collected: minutes } = this.#result;
    if (this.#isOpen)
      return h('p', { class: 'big', key: 'verdict' }, 'Type a threshold, or take the suggested one.');
    const times = alerts.length + more;
    const words =
      times === 0
        ? 'It would not have fired.'
        : times === 1
          ? 'It would have fired once.'
          : `It would have fired ${count(times)} times.`;
    const basis = minutes
      ? `Judged over ${count(minutes)} collected minutes.`
      : 'No minute of these prefixes is stored yet: make the rule, and counting begins.';
    return h(
      'p',
      { class: 'big', role: 'status', key: 'verdict' },
      h('b', null, words),
      ' ',
      h('span', { class: 'muted small' }, basis),
    );
  }

  #alerts() {
    const { alerts, alerts_left_out: more = 0 } = this.#result;
    if (!alerts.length) return null;
    return table(
      'Alerts that it would have raised',
      [
        ['Start (UTC)', 'nowrap'],
        ['Lasted', 'nowrap'],
        ['Prefix', ''],
        ['Crossed', ''],
      ],
      alerts
        .slice(0, kShown)
        .map((alert, at) => [
          at,
          [
            timeElement(alert.started_at, (date) => brief(date)),
            alert.ended_at
              ? duration((instant(alert.ended_at) - instant(alert.started_at)) / 1000)
              : 'to the end',
            h('code', null, alertTarget(alert)),
            crossed(alert),
          ],
        ]),
      { footer: alerts.length + more > kShown ? `and ${count(alerts.length + more - kShown)} more` : null },
    );
  }

  #suggestion() {
    const suggestion = this.#result.suggestion;
    if (!suggestion?.bandwidth_threshold && !suggestion?.packet_threshold)
      return suggestion?.reasoning
        ? h('p', { class: 'muted', key: 'no-suggestion' }, suggestion.reasoning)
        : null;
    const limits = [
      suggestion.bandwidth_threshold && exactRate(suggestion.bandwidth_threshold, 'bps'),
      suggestion.packet_threshold && exactRate(suggestion.packet_threshold, 'pps'),
    ].filter(Boolean);
    return h(
      'div',
      { class: 'suggestion', key: 'suggestion' },
      h('p', null, h('b', null, `Suggested threshold: ${limits.join(' or ')}. `), suggestion.reasoning),
      h(
        'button',
        { type: 'button', class: 'button', on: { click: () => this.#use(suggestion) } },
        'Use the suggested threshold',
      ),
    );
  }

  #plan(key, trial) {
    this.#wanted = key;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(key, trial), kWait);
  }

  async #ask(key, trial) {
    this.#last = key ? { key, trial } : this.#last;
    if (this.#busy) return;
    this.#busy = true;
    const {
      key: asked,
      trial: { body: rule, isOpen },
    } = this.#last;
    this.#error = null;
    try {
      this.#result = (await api.call(`/rules/preview?days=${kDays}`, { method: 'POST', body: rule })).result;
      this.#shown = asked;
      this.#isOpen = isOpen;
      await this.#readSeries(rule);
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      // Another preview is under way (429): a little later.
      if (error.status === 429)
        this.#timer = setTimeout(() => this.#ask(), 1000 * (Number(error.retryAfter) || 1));
      else this.#error = error;
    }
    this.#busy = false;
    this.#changed();
    if (this.#last.key !== asked) this.#ask();
  }

  async #readSeries(rule) {
    const { from, to } = this.#result;
    const [since, until] = [instant(from) ?? new Date(Date.now() - kDays * 864e5), instant(to) ?? new Date()];
    this.#series = null;
    try {
      const path = `/traffic${api.query({ prefix: rule.prefixes[0], since: rfc3339(since), until: rfc3339(until), step: stepMinutes(since, until) })}`;
      this.#series = { data: await api.get(path), rule, from: since, to: until };
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
    }
  }

  attach(place) {
    if (!place || !this.#series) return;
    this.chart.attach(place);
    if (this.#drawn === this.#series) return;
    this.#drawn = this.#series;
    const { data, rule, from, to } = this.#series;
    const isPackets =
      (!rule.bandwidth_threshold && rule.packet_threshold) || rule.zscore_target === 'packets';
    const unit = isPackets ? 'packets_per_second' : 'bits_per_second';
    const threshold = this.#isOpen ? null : isPackets ? rule.packet_threshold : rule.bandwidth_threshold;
    const format = isPackets ? packetRate : bitRate;
    const mine = this.#result.alerts.filter((alert) => !alert.prefix || alert.prefix === rule.prefixes[0]);
    this.chart.show({
      ...classChart(data.points, unit),
      stacked: true,
      format,
      window: { from, to },
      thresholds: threshold ? [{ name: 'this rule', value: threshold }] : [],
      alerts: mine.map((alert) => ({ from: instant(alert.started_at), to: instant(alert.ended_at) ?? to })),
      summary: `${rule.prefixes[0]} over the last ${kDays} days${threshold ? ` against ${format(threshold)}` : ''}${this.#isOpen ? '' : `: ${mine.length} alert${mine.length === 1 ? '' : 's'}`}.`,
    });
  }
}
