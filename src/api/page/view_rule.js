// One rule: made or changed, checked while it is typed, and tried on the last seven days before it is kept.

import * as api from './api.js';
import { h } from './dom.js';
import { choice, empty, failed, field, loading, panel } from './parts.js';
import { go, href } from './router.js';
import { RulePreview } from './rule_preview.js';
import { draftOf, kSensitivities, kTypes, problemsOf, ruleOf, trialOf } from './rule_text.js';
import { exactRate, bitRate, packetRate, parseBitRate, parsePacketRate } from './units.js';
import { View } from './view.js';

export class RuleView extends View {
  #rule = this.reading();
  #draft = null;
  #touched = new Set();
  #refused = {};
  #saving = false;
  #preview = new RulePreview(
    () => this.changed(),
    (suggestion) => this.#useSuggestion(suggestion),
  );

  get #id() {
    return this.path[1] === 'new' ? null : this.path[1];
  }

  get title() {
    return this.#id ? `Rule ${this.#rule.value?.name ?? ''}` : 'New rule';
  }

  load(why) {
    if (why !== 'route') return;
    if (this.#id) this.#rule.read(`/rules/${encodeURIComponent(this.#id)}`);
    else this.#draft ??= { ...draftOf(null), prefixes: this.params.get('prefix') ?? '' };
  }

  unmount() {
    super.unmount();
    this.#preview.stop();
  }

  theme() {
    this.#preview.chart.redraw();
  }

  rendered() {
    this.#preview.attach(this.root.querySelector('[data-island="preview"]'));
  }

  render() {
    const back = h('p', { key: 'back' }, h('a', { href: href(['rules']) }, 'All rules'));
    if (this.#id && this.#draft === null) {
      if (this.#rule.value === null)
        return [back, this.#rule.error ? failed('The rule', this.#rule.error) : loading('the rule')];
      this.#draft = draftOf(this.#rule.value);
    }
    return [
      back,
      h(
        'div',
        { class: 'form-and-preview', key: 'both' },
        this.#form(),
        this.#preview.render(trialOf(this.#draft)),
      ),
    ];
  }

  #set(name, value) {
    this.#draft = { ...this.#draft, [name]: value };
    delete this.#refused[name];
    this.#preview.outdated();
    this.changed();
  }

  #problem(name) {
    if (this.#refused[name]) return this.#refused[name];
    return this.#touched.has(name) ? ruleOf(this.#draft).problems[name] : null;
  }

  #touch(name) {
    this.#touched.add(name);
    this.changed();
  }

  // Complaints come when a field is left, or as soon as it was once complained about; good news at once.
  #text(name, label, { help, placeholder, rows, type = 'text', inputmode } = {}) {
    const id = `rule-${name}`;
    const problem = this.#problem(name);
    const common = {
      id,
      placeholder,
      autocomplete: 'off',
      spellcheck: 'false',
      value: this.#draft[name],
      'aria-invalid': problem ? 'true' : null,
      'aria-describedby': `${help ? `${id}-help ` : ''}${id}-problem`,
      on: {
        input: (event) => this.#set(name, event.target.value),
        blur: () => this.#draft[name] && this.#touch(name),
      },
    };
    const control = rows ? h('textarea', { ...common, rows }) : h('input', { ...common, type, inputmode });
    return field(id, label, control, { help, problem });
  }

  #form() {
    const draft = this.#draft;
    return h(
      'form',
      {
        class: 'panel',
        key: 'form',
        novalidate: true,
        'aria-label': this.title,
        on: { submit: (event) => this.#save(event) },
      },
      this.#refused['']
        ? h('p', { class: 'said bad', role: 'alert', key: 'refused' }, this.#refused[''])
        : null,
      this.#text('name', 'Name', { placeholder: 'Web servers over 1 Gbps' }),
      this.#text('prefixes', 'Prefixes', {
        rows: 3,
        placeholder: '192.0.2.0/24',
        help: 'IPv4 or IPv6, one a line or with commas between them.',
      }),
      this.#kinds(draft),
      draft.type === 'threshold' ? this.#thresholds() : null,
      draft.type === 'zscore' ? this.#zscore() : null,
      h(
        'div',
        { class: 'field', key: 'scope' },
        h('span', { class: 'label', id: 'scope-label' }, 'With several prefixes'),
        choice(
          'With several prefixes',
          [
            ['per_prefix', 'each alone'],
            ['aggregate', 'all summed'],
          ],
          draft.scope,
          (value) => this.#set('scope', value),
        ),
      ),
      h(
        'div',
        { class: 'row end', key: 'save' },
        h('a', { class: 'button', href: href(['rules']) }, 'Cancel'),
        h(
          'button',
          { type: 'submit', class: 'button strong', disabled: this.#saving },
          this.#id ? 'Save the rule' : 'Make the rule',
        ),
      ),
    );
  }

  #kinds(draft) {
    return h(
      'fieldset',
      { class: 'kinds', key: 'type' },
      h('legend', null, 'What is unusual?'),
      kTypes.map(([value, label, help]) =>
        h(
          'label',
          { class: 'kind', key: value },
          h('input', {
            type: 'radio',
            name: 'type',
            checked: draft.type === value,
            on: { change: () => this.#set('type', value) },
          }),
          h('span', null, h('b', null, label), h('small', null, help)),
        ),
      ),
    );
  }

  #thresholds() {
    const read = (text, parse, format) => {
      const { value } = text.trim() ? parse(text) : {};
      return value ? `Read as ${format(value)} (${value.toLocaleString('en').replaceAll(',', ' ')}).` : null;
    };
    const { bandwidth, packets } = this.#draft;
    return h(
      'div',
      { class: 'columns', key: 'thresholds' },
      this.#text('bandwidth', 'Bandwidth', {
        placeholder: '1 Gbps',
        help:
          read(bandwidth, parseBitRate, bitRate) ??
          'Bits per second, such as 1 Gbps or 500M. One of the two suffices.',
      }),
      this.#text('packets', 'Packets', {
        placeholder: '500 kpps',
        help: read(packets, parsePacketRate, packetRate) ?? 'Packets per second, such as 500 kpps.',
      }),
      this.#text('duration', 'For so many minutes', {
        inputmode: 'numeric',
        help: 'Every one of the last minutes at or above it.',
      }),
    );
  }

  #zscore() {
    return h(
      'div',
      { class: 'stacked', key: 'zscore' },
      h(
        'div',
        { class: 'field', key: 's' },
        h('span', { class: 'label' }, 'Sensitivity'),
        choice('Sensitivity', kSensitivities, this.#draft.sensitivity, (value) =>
          this.#set('sensitivity', value),
        ),
      ),
      h(
        'div',
        { class: 'field', key: 't' },
        h('span', { class: 'label' }, 'Looks at'),
        choice(
          'Looks at',
          [
            ['bits', 'bits/s'],
            ['packets', 'packets/s'],
          ],
          this.#draft.target,
          (value) => this.#set('target', value),
        ),
      ),
    );
  }

  #useSuggestion(suggestion) {
    if (suggestion.bandwidth_threshold)
      this.#set('bandwidth', exactRate(suggestion.bandwidth_threshold, 'bps'));
    if (suggestion.packet_threshold && this.#draft.packets.trim())
      this.#set('packets', exactRate(suggestion.packet_threshold, 'pps'));
    this.#set('type', 'threshold');
    // The control shows it even if it has the focus.
    const shown = this.root.querySelector('#rule-bandwidth');
    if (shown) shown.value = this.#draft.bandwidth;
  }

  async #save(event) {
    event.preventDefault();
    const { body, problems } = ruleOf(this.#draft);
    for (const name of Object.keys(this.#draft)) this.#touched.add(name);
    this.#refused = {};
    this.changed();
    const first = Object.keys(problems)[0];
    if (first) {
      this.root.querySelector(`#rule-${first}`)?.focus();
      return;
    }
    this.#saving = true;
    try {
      if (this.#id) await api.call(`/rules/${encodeURIComponent(this.#id)}`, { method: 'PUT', body });
      else await api.call('/rules', { method: 'POST', body });
      go(['rules']);
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      this.#refused = problemsOf(error.messages);
    }
    this.#saving = false;
    this.changed();
  }
}
