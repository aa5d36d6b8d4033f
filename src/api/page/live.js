// News as they happen: one stream of server-sent events, and what is known about the connection.

import * as api from './api.js';

const kKinds = ['minute', 'alert', 'poll', 'delivery', 'preferences', 'resync'];
const kLongestWait = 15000;
/** Without a stream the page asks again by itself. */
const kPollEvery = 10000;

export class Live {
  #listeners = [];
  #states = [];
  #source = null;
  #wait = 1000;
  #timer = null;
  #poll = null;

  state = 'connecting';
  lastSeen = null;

  constructor() {
    api.on('answered', () => this.#seen());
    api.on('lost', () => this.#set('lost'));
  }

  /** `listener(kind, data)`; the kind `resync`: anything may have changed. */
  onNews(listener) {
    this.#listeners.push(listener);
  }
  onState(listener) {
    this.#states.push(listener);
  }

  start() {
    this.stop();
    this.#open();
    this.#poll = setInterval(() => {
      if (this.state !== 'live') this.#tell('resync', {});
    }, kPollEvery);
  }

  stop() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#timer);
    clearInterval(this.#poll);
  }

  #open() {
    const source = new EventSource('/stream');
    this.#source = source;
    const opened = () => {
      const wasAway = this.state !== 'live';
      this.#wait = 1000;
      this.lastSeen = new Date();
      this.#set('live');
      if (wasAway) this.#tell('resync', {});
    };
    source.addEventListener('open', opened);
    source.addEventListener('hello', opened);
    for (const kind of kKinds) {
      source.addEventListener(kind, (event) => {
        this.lastSeen = new Date();
        this.#set('live');
        this.#tell(kind, read(event.data));
      });
    }
    source.addEventListener('error', () => this.#failed(source));
  }

  // The browser tries again by itself after a broken connection, but not after a refusal (503, 401).
  #failed(source) {
    if (source !== this.#source) return;
    if (this.state === 'live') this.#set('polling');
    this.#tell('resync', {});
    if (source.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, kLongestWait);
  }

  #seen() {
    this.lastSeen = new Date();
    if (this.state === 'lost' || this.state === 'connecting') {
      this.#set(this.#source?.readyState === EventSource.OPEN ? 'live' : 'polling');
    } else {
      this.#set(this.state);
    }
  }

  #set(state) {
    this.state = state;
    for (const listener of this.#states) listener(state, this.lastSeen);
  }

  #tell(kind, data) {
    for (const listener of this.#listeners) listener(kind, data);
  }
}

function read(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
