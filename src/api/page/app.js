// The page: one view at a time, the news that reach it, and what is always in sight.

import * as api from './api.js';
import { h, patch } from './dom.js';
import { Live } from './live.js';
import { route } from './router.js';
import { Scope } from './scope.js';
import { currentTheme, restoreTheme, toggleTheme } from './theme.js';
import { clock, stamp } from './times.js';
import { AlertsView } from './view_alerts.js';
import { AttackView } from './view_attack.js';
import { AttacksView } from './view_attacks.js';
import { DeliveriesView } from './view_deliveries.js';
import { EventsView } from './view_events.js';
import { LoginView } from './view_login.js';
import { NowView } from './view_now.js';
import { RoutersView } from './view_routers.js';
import { RuleView } from './view_rule.js';
import { RulesView } from './view_rules.js';
import { TrafficView } from './view_traffic.js';

/** Place in the navigation, and the view, by the first part of the address; a second part may have a view of its own. */
const kViews = {
  '': ['now', NowView],
  now: ['now', NowView],
  attacks: ['attacks', AttacksView, AttackView],
  events: ['attacks', EventsView],
  traffic: ['traffic', TrafficView],
  rules: ['rules', RulesView, RuleView],
  routers: ['rules', RoutersView],
  alerts: ['alerts', AlertsView],
  deliveries: ['alerts', DeliveriesView],
};
/** News come in bunches: one reading for all of a bunch. */
const kBunch = 250;

const at = (id) => document.getElementById(id);

class App {
  #live = new Live();
  #scope = new Scope(at('scope'), (text) => this.#announce(text));
  #view = null;
  #shown = null;
  #session = null;
  #news = new Map();
  #bunch = null;
  #organization = null;

  async start() {
    window.addEventListener('hashchange', () => this.#route());
    api.on('refused', () => this.#ask());
    this.#live.onState((state, lastSeen) => this.#showConnection(state, lastSeen));
    this.#live.onNews((kind, data) => this.#hear(kind, data));
    at('theme').addEventListener('click', () => this.#changeTheme());
    at('log-out').addEventListener('click', () => this.#logOut());
    at('skip').addEventListener('click', (event) => {
      event.preventDefault();
      at('title').focus();
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#view?.theme?.());
    this.#showTheme();
    setInterval(() => this.#showClock(), 1000);
    this.#showClock();
    await this.#enter();
  }

  // Who we are; again and again while nobody answers.
  async #enter() {
    try {
      this.#session = await api.session();
    } catch (error) {
      // A daemon without sessions needs no login.
      if (error.status !== 404) {
        this.#unreachable(error);
        setTimeout(() => this.#enter(), 3000);
        return;
      }
      this.#session = { required: false, authenticated: true };
    }
    this.#open();
  }

  #open() {
    const mayRead = !this.#session.required || this.#session.authenticated;
    at('log-out').hidden = !(this.#session.required && this.#session.authenticated);
    if (!mayRead) {
      this.#ask();
      return;
    }
    document.body.classList.remove('locked');
    this.#live.start();
    this.#scope.load();
    this.#route();
    this.#name();
  }

  #unreachable(error) {
    if (this.#view) return;
    patch(
      at('view'),
      h(
        'div',
        { class: 'state failed', role: 'alert' },
        h('p', { class: 'state-head' }, 'The monitor does not answer'),
        h(
          'p',
          null,
          `${error.message}. Nothing is known about attacks right now; this page tries again by itself.`,
        ),
      ),
    );
  }

  #ask() {
    if (this.#view instanceof LoginView) return;
    this.#live.stop();
    document.body.classList.add('locked');
    this.#swap(
      new LoginView((state) => {
        this.#session = state;
        this.#view.unmount();
        this.#view = null;
        this.#shown = null;
        this.#open();
      }),
      null,
    );
  }

  async #logOut() {
    try {
      await api.logOut();
    } finally {
      this.#session = { required: true, authenticated: false };
      at('log-out').hidden = true;
      this.#ask();
    }
  }

  async #name() {
    try {
      const { organization } = await api.get('/status');
      this.#organization = organization;
      at('organization').textContent = organization ?? '';
      this.#titled();
    } catch {
      // It stays without.
    }
  }

  #route() {
    if (document.body.classList.contains('locked')) return;
    const where = route();
    const [place, List, One] = kViews[where.path[0] ?? ''] ?? kViews[''];
    const Wanted = One && where.path.length > 1 ? One : List;
    const shown = `${Wanted.name} ${where.path.join('/')}`;
    if (shown === this.#shown) {
      this.#view.route(where);
      this.#titled();
      return;
    }
    const isFirst = this.#shown === null;
    this.#shown = shown;
    this.#swap(new Wanted(), place, where);
    if (!isFirst) {
      window.scrollTo(0, 0);
      at('title').focus({ preventScroll: true });
    }
  }

  #swap(view, place, where = route()) {
    this.#view?.unmount();
    this.#view = view;
    at('view').replaceChildren();
    for (const link of document.querySelectorAll('#places a')) {
      if (link.dataset.place === place) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    const render = view.rendered.bind(view);
    view.rendered = () => {
      render();
      if (view === this.#view) this.#titled();
    };
    view.mount(at('view'), where);
    this.#titled();
  }

  #titled() {
    const title = this.#view?.title ?? '';
    if (at('title').textContent !== title) at('title').textContent = title;
    document.title = [title, this.#organization, 'Analytics Monitor'].filter(Boolean).join(' · ');
  }

  #hear(kind, data) {
    this.#news.set(kind, data);
    if (kind === 'alert') this.#tellAlert(data);
    if (kind === 'poll' && data.new_events > 0) this.#announce(`${data.new_events} new mitigation events`);
    if (kind === 'preferences' || kind === 'resync') this.#scope.load();
    clearTimeout(this.#bunch);
    this.#bunch = setTimeout(() => {
      const news = [...this.#news.keys()];
      this.#news.clear();
      for (const each of news.includes('resync') ? ['resync'] : news) this.#view?.load(each);
    }, kBunch);
  }

  #tellAlert({ change }) {
    if (change === 'started') this.#announce('A rule is crossed: a traffic alert began');
    if (change === 'ended') this.#announce('A traffic alert ended');
  }

  /** For screen readers, and in sight for a moment. */
  #announce(text) {
    at('news').textContent = text;
    clearTimeout(this.fading);
    this.fading = setTimeout(() => {
      at('news').textContent = '';
    }, 8000);
  }

  #showConnection(state, lastSeen) {
    const isLost = state === 'lost';
    document.body.classList.toggle('lost', isLost);
    const words = {
      live: 'live',
      polling: 'asking every 10 s',
      connecting: 'connecting',
      lost: 'no connection',
    };
    at('connection').className = `connection ${state}`;
    if (at('connection-text').textContent !== words[state]) at('connection-text').textContent = words[state];
    const banner = at('lost');
    banner.hidden = !isLost;
    const text = lastSeen
      ? `Connection lost. Last seen ${clock(lastSeen)} UTC: what is shown is of then, and says nothing about now.`
      : 'The monitor does not answer. Nothing is known about attacks right now.';
    if (isLost && banner.textContent !== text) banner.textContent = text;
  }

  #showClock() {
    const now = new Date();
    at('clock').textContent = `${clock(now)} UTC`;
    at('clock').title = `${stamp(now)}\nlocal: ${now.toLocaleString()}`;
  }

  #changeTheme() {
    toggleTheme();
    this.#showTheme();
    this.#view?.theme?.();
    this.#view?.changed();
  }

  #showTheme() {
    const other = currentTheme() === 'dark' ? 'light' : 'dark';
    at('theme').setAttribute('aria-label', `Switch to ${other} colours`);
    at('theme').title = `Switch to ${other} colours`;
  }
}

restoreTheme();
new App().start();
