// Routers and exporters: who sends flows, what was lost, and which sampling rate is used and why.

import * as api from './api.js';
import { h } from './dom.js';
import { confirmed, empty, field, icon, panel, table, tag } from './parts.js';
import { addressProblem } from './rule_text.js';
import { subTabs } from './tabs.js';
import { instant, timeElement } from './times.js';
import { count } from './units.js';
import { View } from './view.js';

const kSilentAfter = 120;
/** How each source of a rate is said, the trustworthy first. */
export const kSources = {
  record: 'in each flow record',
  options: 'announced by the exporter (options data)',
  sflow_sample: 'in each sFlow sample',
  header: 'in the datagram header',
  router_default: 'your default for this router',
  none: 'nobody told: 1 is used',
};

export class RoutersView extends View {
  #exporters = this.reading();
  #routers = this.reading();
  #draft = null;
  #problems = {};
  #said = null;

  get title() {
    return 'Routers & exporters';
  }

  load(why) {
    if (!['route', 'minute', 'resync', 'own'].includes(why)) return;
    this.#exporters.read('/exporters', { keep: true });
    this.#routers.read('/routers', { keep: true });
  }

  render() {
    const add = h(
      'button',
      { type: 'button', class: 'button strong', on: { click: () => this.#edit(null) } },
      icon('plus'),
      'Name a router',
    );
    return [
      subTabs('routers'),
      this.#said
        ? h('p', { class: `said ${this.#said.tone}`, role: 'status', key: 'said' }, this.#said.text)
        : null,
      this.#draft ? this.#form() : null,
      panel(
        'Exporters',
        {
          key: 'exporters',
          aside: this.#draft ? null : add,
          lead: 'Who sends flows to this monitor. A wrong sampling rate makes every figure wrong: it stands here with where it came from.',
        },
        this.#exporters.show('The exporters', (exporters) =>
          exporters.length
            ? this.#table(exporters)
            : empty(
                'No exporter was heard yet',
                'Point your router at the monitor’s flow ports. Datagrams that arrive but cannot be used are counted on /metrics.',
              ),
        ),
      ),
    ];
  }

  #table(exporters) {
    return table(
      'Exporters',
      [
        ['Exporter', ''],
        ['Protocol', ''],
        ['Last heard (UTC)', 'nowrap'],
        ['Sampling', ''],
        ['Flow records', 'number'],
        ['Lost', 'number'],
        ['', 'actions'],
      ],
      exporters.map((each) => [
        each.address,
        [
          [
            each.router_name ? h('b', null, each.router_name) : h('span', { class: 'muted' }, 'not named'),
            h('small', { class: 'id' }, each.address),
          ],
          (each.protocols ?? []).join(', ') || '–',
          heard(each),
          sampling(each),
          count(each.flow_records),
          each.lost_records || each.lost_datagrams
            ? tag(
                `${count(each.lost_records || each.lost_datagrams)} ${each.lost_records ? 'records' : 'datagrams'}`,
                'warn',
              )
            : '0',
          this.#actions(each),
        ],
      ]),
    );
  }

  #actions(exporter) {
    const router = this.#routers.value?.find((each) => each.id === exporter.router_id);
    if (!router)
      return h(
        'button',
        {
          type: 'button',
          class: 'button small',
          'aria-label': `Name it: ${exporter.address}`,
          on: { click: () => this.#edit(null, exporter.address) },
        },
        'Name it',
      );
    return h(
      'span',
      { class: 'row' },
      h(
        'button',
        {
          type: 'button',
          class: 'button small',
          'aria-label': `Edit ${router.name}`,
          on: { click: () => this.#edit(router) },
        },
        'Edit',
      ),
      h(
        'button',
        {
          type: 'button',
          class: 'button small',
          'aria-label': `Delete ${router.name}`,
          on: { click: () => this.#remove(router) },
        },
        'Delete',
      ),
    );
  }

  #edit(router, address = '') {
    this.#draft = {
      id: router?.id ?? null,
      name: router?.name ?? '',
      router_ip: router?.router_ip ?? address,
      default_sampling: router?.default_sampling ? String(router.default_sampling) : '',
    };
    this.#problems = {};
    this.changed();
    queueMicrotask(() => this.root.querySelector('#router-name')?.focus());
  }

  #text(name, label, more) {
    const id = `router-${name}`;
    const change = (event) => {
      this.#draft = { ...this.#draft, [name]: event.target.value };
      if (this.#problems[name]) this.#check();
      this.changed();
    };
    return field(
      id,
      label,
      h('input', {
        id,
        autocomplete: 'off',
        spellcheck: 'false',
        placeholder: more.placeholder,
        value: this.#draft[name],
        'aria-invalid': this.#problems[name] ? 'true' : null,
        'aria-describedby': `${id}-help ${id}-problem`,
        on: { input: change },
      }),
      { help: more.help, problem: this.#problems[name] },
    );
  }

  #form() {
    return h(
      'form',
      {
        class: 'panel',
        key: 'form',
        novalidate: true,
        'aria-label': 'Router',
        on: { submit: (event) => this.#save(event) },
      },
      h('h2', null, this.#draft.id ? 'Edit the router' : 'Name a router'),
      this.#problems[''] ? h('p', { class: 'said bad', role: 'alert' }, this.#problems['']) : null,
      h(
        'div',
        { class: 'columns' },
        this.#text('name', 'Name', { placeholder: 'edge-1', help: 'How it is called in alerts and here.' }),
        this.#text('router_ip', 'Address', {
          placeholder: '192.0.2.1',
          help: 'The source address of its flow packets.',
        }),
        this.#text('default_sampling', 'Default sampling', {
          placeholder: '1000',
          help: '1 in so many. Used only where flows carry no rate. Empty: none.',
        }),
      ),
      h(
        'div',
        { class: 'row end' },
        h('button', { type: 'button', class: 'button', on: { click: () => this.#close() } }, 'Cancel'),
        h('button', { type: 'submit', class: 'button strong' }, 'Save'),
      ),
    );
  }

  #close() {
    this.#draft = null;
    this.changed();
  }

  #check() {
    const { name, router_ip: address, default_sampling: rate } = this.#draft;
    const problems = {};
    if (!name.trim()) problems.name = 'a name is needed';
    const wrong = addressProblem(address.trim());
    if (wrong) problems.router_ip = wrong;
    if (rate.trim() && (!/^\d{1,10}$/.test(rate.trim()) || Number(rate) > 4294967295))
      problems.default_sampling = 'a whole number such as 1000 is expected';
    this.#problems = problems;
    return Object.keys(problems)[0];
  }

  async #save(event) {
    event.preventDefault();
    const first = this.#check();
    this.changed();
    if (first) {
      this.root.querySelector(`#router-${first}`)?.focus();
      return;
    }
    const { id, name, router_ip: address, default_sampling: rate } = this.#draft;
    const body = { name: name.trim(), router_ip: address.trim(), default_sampling: Number(rate) || 0 };
    try {
      await api.call(id ? `/routers/${encodeURIComponent(id)}` : '/routers', {
        method: id ? 'PUT' : 'POST',
        body,
      });
      this.#draft = null;
      this.#said = { tone: 'good', text: `“${body.name}” is saved.` };
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      for (const message of error.messages) {
        const [, field_, text] = /^(name|router_ip|default_sampling): (.*)$/s.exec(message) ?? [
          null,
          '',
          message,
        ];
        this.#problems[field_] = text;
      }
    }
    this.load('own');
    this.changed();
  }

  async #remove(router) {
    const agreed = await confirmed({
      title: `Delete “${router.name}”?`,
      text: ['Its flows are counted on, without a name and without its default sampling.'],
      agree: 'Delete the router',
    });
    if (!agreed) return;
    try {
      await api.call(`/routers/${encodeURIComponent(router.id)}`, { method: 'DELETE' });
      this.#said = { tone: 'good', text: `“${router.name}” is deleted.` };
    } catch (error) {
      this.#said = { tone: 'bad', text: `“${router.name}” is still there: ${error.message}` };
    }
    this.load('own');
    this.changed();
  }
}

function heard(exporter) {
  if (!exporter.last_seen) return tag('never since the start', 'warn');
  const isSilent = Date.now() - instant(exporter.last_seen) > kSilentAfter * 1000;
  return [timeElement(exporter.last_seen), isSilent ? [' ', tag('silent', 'warn')] : null];
}

function sampling(exporter) {
  const rates = exporter.sampling ?? [];
  // Of other collectors' exporters only their records are known here, no datagrams.
  const isElsewhere = exporter.flow_records > 0 && !exporter.datagrams;
  if (!rates.length)
    return h('span', { class: 'muted' }, isElsewhere ? 'known to its collector' : 'nothing sampled yet');
  return h(
    'ul',
    { class: 'plain' },
    rates
      .slice(0, 4)
      .map((rate) =>
        h(
          'li',
          { key: `${rate.protocol}-${rate.domain}-${rate.sampler}` },
          rate.source === 'none' ? tag('1 in 1, a guess', 'warn') : h('b', null, `1 in ${count(rate.rate)}`),
          ' ',
          h('small', { class: 'muted' }, kSources[rate.source] ?? rate.source),
        ),
      ),
    rates.length > 4
      ? h('li', { key: 'more', class: 'muted' }, `and ${rates.length - 4} more samplers`)
      : null,
  );
}
