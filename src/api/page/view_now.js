// Now: bad news big, good news small, the next step obvious.

import { h } from './dom.js';
import { bitRate, count, duration, packetRate } from './units.js';
import { brief, instant, rfc3339, timeElement } from './times.js';
import { href } from './router.js';
import { choice, empty, icon, panel, tag } from './parts.js';
import { machinery } from './machinery.js';
import { attackTable } from './attack_table.js';
import { alertTarget, alertTraffic, crossed, isAboutPackets } from './alert_text.js';
import { View } from './view.js';
import { query } from './api.js';
import { attackName, timeline } from './timeline.js';
import { troubles } from './verdict.js';

const kDay = 86400;
const kStep = 1200;
/** So many attacks are said large, the largest; the others are in the list below. */
const kAttacks = 3;

export class NowView extends View {
  #status = this.reading();
  #alerts = this.reading();
  #attacks = this.reading();
  #timeline = this.reading();
  #unit = 'bits';

  get title() {
    return 'Now';
  }

  load(why) {
    const since = rfc3339(
      new Date(Math.floor(Date.now() / 1000 / kStep) * kStep * 1000 - (kDay - kStep) * 1000),
    );
    this.#status.read('/status');
    if (['route', 'alert', 'minute', 'resync', 'theme'].includes(why))
      this.#alerts.read('/alerts?active=true&limit=50');
    if (['route', 'poll', 'resync'].includes(why)) {
      this.#attacks.read(`/attacks${query({ since, limit: 50 })}`, { keep: true });
      this.#timeline.read(`/attacks/timeline${query({ since, step: kStep })}`, { keep: true });
    }
  }

  render() {
    return [this.#verdict(), this.#mitigation(), this.#prefixes(), this.#machinery()];
  }

  #verdict() {
    if (this.#status.value === null)
      return h(
        'div',
        { class: 'verdict-box', key: 'verdict' },
        this.#status.show('State of the monitor', () => null),
      );
    if (this.#alerts.error || this.#attacks.error) {
      const [what, reading] = this.#alerts.error
        ? ['Active alerts', this.#alerts]
        : ['Attacks', this.#attacks];
      if (reading.value === null)
        return h(
          'div',
          { class: 'verdict-box', key: 'verdict' },
          reading.show(what, () => null),
        );
    }
    if (this.#alerts.value === null || this.#attacks.value === null)
      return h(
        'div',
        { class: 'verdict-box', key: 'verdict' },
        this.#alerts.show('Active alerts', () => null),
      );
    const status = this.#status.value;
    const active = this.#attacks.value.filter((each) => each.active).sort((a, b) => b.packets - a.packets);
    const found = troubles(status, this.#alerts.value, active.slice(0, kAttacks));
    const more = active.length - kAttacks;
    const unread = [this.#status, this.#alerts, this.#attacks].find((each) => each.error);
    const news = unread ? unread.show('The newest state', () => null) : null;
    return h(
      'div',
      { class: 'verdict-box', key: 'verdict' },
      news,
      found.length
        ? [h('ul', { class: 'troubles' }, found.map(trouble)), more > 0 ? moreAttacks(more) : null]
        : this.#quiet(status),
    );
  }

  #quiet(status) {
    const flow = status.flow ?? {};
    return h(
      'p',
      { class: 'quiet', key: 'quiet' },
      icon('check'),
      h('b', null, 'All quiet.'),
      ' Cloudflare drops nothing on your prefixes and no rule is crossed. Asked ',
      timeElement(status.polling?.last_ok_at, (date) => brief(date)),
      flow.enabled ? [', flows counted up to ', timeElement(flow.last_minute, (date) => brief(date))] : '',
      ' UTC.',
    );
  }

  #mitigation() {
    const aside = choice(
      'Unit of the timeline',
      [
        ['bits', 'bits/s'],
        ['packets', 'packets/s'],
      ],
      this.#unit,
      (unit) => {
        this.#unit = unit;
        this.changed();
      },
    );
    return panel(
      'Dropped by Cloudflare, last 24 hours',
      { key: 'mitigation', id: 'h-mitigation', aside },
      this.#timeline.show('The timeline', (data) =>
        data.series.length
          ? h('div', { key: 'timeline' }, timeline(data, this.#unit))
          : empty(
              'Nothing was dropped in the last 24 hours',
              'Cloudflare reported no mitigation event for what is watched. Older ones are under ',
              h('a', { href: href(['attacks'], { range: '7d' }) }, 'Attacks'),
              '.',
            ),
      ),
      this.#attacks.value?.length
        ? attackTable('Attacks of the last 24 hours', this.#attacks.value.slice(0, 8))
        : null,
      this.#attacks.value?.length > 8
        ? h(
            'p',
            null,
            h(
              'a',
              { href: href(['attacks'], { range: '24h' }) },
              'All attacks of the last 24 hours',
              icon('arrow'),
            ),
          )
        : null,
    );
  }

  #prefixes() {
    const prefixes = this.#status.value?.prefixes;
    if (!prefixes?.length) return null;
    const tones = { advertised: 'good', withdrawn: 'plain', unknown: 'warn' };
    return panel(
      'Prefixes at Cloudflare',
      { key: 'prefixes' },
      h(
        'ul',
        { class: 'prefixes' },
        prefixes.map((each) =>
          h(
            'li',
            { key: each.prefix },
            h('code', null, each.prefix),
            ' ',
            tag(each.status, tones[each.status] ?? 'plain', {
              title: each.status === 'unknown' ? 'Cloudflare did not tell' : '',
            }),
            ' ',
            h(
              'small',
              { class: 'muted' },
              each.checked_at
                ? ['asked ', timeElement(each.checked_at, (date) => brief(date))]
                : 'not asked yet',
            ),
          ),
        ),
      ),
    );
  }

  #machinery() {
    const status = this.#status.value;
    if (!status) return null;
    return panel(
      'The monitor itself',
      { key: 'machinery', className: 'machinery' },
      h('div', { class: 'cards' }, machinery(status)),
    );
  }
}

const moreAttacks = (more) =>
  h(
    'p',
    { class: 'more-attacks', key: 'more' },
    h(
      'a',
      { href: href(['attacks']) },
      `and ${more} smaller attack${more > 1 ? 's' : ''} being dropped`,
      icon('arrow'),
    ),
  );

function trouble(each) {
  if (each.kind === 'alert') return alertTrouble(each.alert);
  if (each.kind === 'attack') return attackTrouble(each.attack);
  return h(
    'li',
    { class: `trouble ${each.tone}`, key: `${each.kind}-${each.name ?? ''}` },
    icon('alert'),
    h(
      'div',
      { class: 'trouble-text' },
      h('h2', null, each.headline),
      each.details.map((line, at) => h('p', { key: at }, line)),
      each.since ? h('p', { class: 'small' }, `${each.sinceWords} `, timeElement(each.since)) : null,
    ),
  );
}

function alertTrouble(alert) {
  const started = instant(alert.started_at);
  return h(
    'li',
    { class: 'trouble bad', key: `alert-${alert.id}` },
    icon('alert'),
    h(
      'div',
      { class: 'trouble-text' },
      h(
        'h2',
        null,
        `${isAboutPackets(alert) ? packetRate(alert.current?.packets_per_second) : bitRate(alert.current?.bits_per_second)} to `,
        h('span', { class: 'target' }, alertTarget(alert)),
      ),
      h('p', null, `Rule “${alert.rule_name}” is crossed: ${crossed(alert)}.`),
      h(
        'p',
        { class: 'small' },
        'since ',
        timeElement(alert.started_at),
        ` (${duration((Date.now() - started) / 1000)}), peak ${bitRate(alert.peak?.bits_per_second)}, ${packetRate(alert.peak?.packets_per_second)}`,
      ),
    ),
    h('a', { class: 'button strong', href: alertTraffic(alert) }, 'See who sends it', icon('arrow')),
  );
}

function attackTrouble(attack) {
  return h(
    'li',
    { class: 'trouble warn', key: `attack-${attack.attack_id}` },
    icon('shield'),
    h(
      'div',
      { class: 'trouble-text' },
      h('h2', null, `Cloudflare is dropping ${attackName(attack)}`),
      h(
        'p',
        null,
        `on ${(attack.targets ?? []).slice(0, 3).join(', ')}${attack.target_count > 3 ? ` and ${attack.target_count - 3} more targets` : ''}, from ${count(attack.source_count)} source${attack.source_count === 1 ? '' : 's'}: ${count(attack.packets)} packets so far.`,
      ),
      h(
        'p',
        { class: 'small' },
        'since ',
        timeElement(attack.first_seen),
        ', last seen ',
        timeElement(attack.last_seen),
      ),
    ),
    h('a', { class: 'button', href: href(['attacks', attack.attack_id]) }, 'See the attack', icon('arrow')),
  );
}
