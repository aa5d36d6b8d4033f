// Attacks as a table, for the first page and for the list.

import { h } from './dom.js';
import { table, tag } from './parts.js';
import { href } from './router.js';
import { attackName } from './timeline.js';
import { brief, instant, timeElement } from './times.js';
import { bitRate, count, duration } from './units.js';

export function attackTable(caption, attacks) {
  const columns = [
    ['Attack', ''],
    ['Targets', ''],
    ['First seen (UTC)', 'nowrap'],
    ['Lasted', 'nowrap'],
    ['Packets', 'number'],
    ['Mean rate', 'number'],
    ['Sources', 'number'],
  ];
  return table(
    caption,
    columns,
    attacks.map((attack) => {
      const seconds = Math.max(0, (instant(attack.last_seen) - instant(attack.first_seen)) / 1000);
      const targets = attack.targets ?? [];
      return [
        attack.attack_id,
        [
          [
            h('a', { href: href(['attacks', attack.attack_id]) }, attackName(attack)),
            attack.active ? [' ', tag('now', 'warn')] : null,
            h('small', { class: 'id' }, attack.attack_id),
          ],
          [
            h('code', null, targets.slice(0, 2).join(', ')),
            attack.target_count > 2 ? h('small', null, ` +${attack.target_count - 2}`) : null,
          ],
          timeElement(attack.first_seen, (date) => brief(date)),
          seconds < 1 ? 'a moment' : duration(seconds),
          count(attack.packets),
          seconds >= 1 ? bitRate(attack.bits / seconds) : '–',
          count(attack.source_count),
        ],
      ];
    }),
  );
}
