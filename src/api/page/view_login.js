// The login: one field, for the token that the settings name.

import * as api from './api.js';
import { h } from './dom.js';
import { field } from './parts.js';
import { View } from './view.js';

export class LoginView extends View {
  #problem = null;
  #busy = false;
  #done;

  constructor(done) {
    super();
    this.#done = done;
  }

  get title() {
    return 'Log in';
  }

  mount(root, route) {
    super.mount(root, route);
    queueMicrotask(() => root.querySelector('#token')?.focus());
  }

  render() {
    const token = h('input', {
      id: 'token',
      type: 'password',
      autocomplete: 'current-password',
      required: true,
      'aria-invalid': this.#problem ? 'true' : null,
      'aria-describedby': 'token-help token-problem',
    });
    return h(
      'form',
      {
        class: 'panel login',
        key: 'login',
        'aria-label': 'Log in',
        on: { submit: (event) => this.#logIn(event) },
      },
      h('p', { class: 'lead' }, 'This monitor is protected by a token.'),
      field('token', 'Token', token, {
        help: 'It lies in the file that api.token_file names.',
        problem: this.#problem,
      }),
      h(
        'div',
        { class: 'row end' },
        h(
          'button',
          { type: 'submit', class: 'button strong', disabled: this.#busy },
          this.#busy ? 'Checking …' : 'Log in',
        ),
      ),
    );
  }

  async #logIn(event) {
    event.preventDefault();
    const input = this.root.querySelector('#token');
    this.#busy = true;
    this.#problem = null;
    this.changed();
    try {
      const state = await api.logIn(input.value);
      if (state.authenticated) {
        this.#done(state);
        return;
      }
      this.#problem = 'the monitor did not keep the session: are cookies allowed here?';
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      this.#problem =
        error.status === 401
          ? 'this token is wrong'
          : error.status === 429
            ? `too many attempts; wait ${error.retryAfter ?? 'a few'} seconds`
            : error.message;
      input.select();
    }
    this.#busy = false;
    this.changed();
  }
}
