// The toggle "my prefixes only": what Telegram is told about.

import * as api from './api.js';
import { h, patch } from './dom.js';
import { confirmed } from './parts.js';

const kMeaning = {
  true: 'Telegram is told only about mitigation on your own prefixes.',
  false:
    'Telegram is told about your own prefixes and about Cloudflare’s anycast ranges as well: expect many more messages.',
};

export class Scope {
  #place;
  #announce;
  #value = null;
  #failed = false;
  #busy = false;

  constructor(place, announce) {
    this.#place = place;
    this.#announce = announce;
  }

  async load() {
    try {
      this.#value = (await api.get('/preferences')).my_prefixes_only;
      this.#failed = false;
    } catch {
      this.#failed = true;
    }
    this.#show();
  }

  #show() {
    const isKnown = this.#value !== null;
    patch(
      this.#place,
      h(
        'button',
        {
          type: 'button',
          class: 'switch',
          role: 'switch',
          id: 'scope-switch',
          'aria-checked': String(this.#value === true),
          'aria-describedby': 'scope-help',
          disabled: !isKnown || this.#busy,
          on: { click: () => this.#change() },
        },
        h('span', { class: 'switch-knob', 'aria-hidden': 'true' }),
        'My prefixes only',
      ),
      h(
        'p',
        { class: 'small muted', id: 'scope-help' },
        !isKnown
          ? this.#failed
            ? 'cannot be read now'
            : ' '
          : this.#value
            ? 'Told: your prefixes'
            : 'Told: yours and anycast',
      ),
    );
  }

  async #change() {
    const next = !this.#value;
    const agreed = await confirmed({
      title: next ? 'Only your prefixes?' : 'Anycast ranges too?',
      text: [kMeaning[next], 'It takes effect with the next poll, for everybody in the chat.'],
      agree: next ? 'Tell only mine' : 'Tell both',
      tone: 'strong',
    });
    if (!agreed) return;
    this.#busy = true;
    try {
      this.#value = (
        await api.call('/preferences', { method: 'PUT', body: { my_prefixes_only: next } })
      ).result.my_prefixes_only;
      this.#announce(kMeaning[this.#value]);
    } catch (error) {
      this.#announce(`Not changed: ${error.message}`);
    }
    this.#busy = false;
    this.#show();
    this.#place.querySelector('#scope-switch')?.focus();
  }
}
