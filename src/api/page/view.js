// What all views share: they hold data with the state of its reading, and render all of it whenever any of it changes.

import * as api from './api.js';
import { patch } from './dom.js';
import { failed, loading } from './parts.js';

/** Data read from one address: nothing yet, good, or failed with what was read before kept. */
export class Reading {
  value = null;
  envelope = null;
  error = null;
  readAt = null;
  #path = null;
  #abort = null;
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  /** Another path empties it. A read that is under way for an older path is given up. */
  async read(path, options = {}) {
    if (path !== this.#path && !options.keep) {
      this.value = null;
      this.error = null;
    }
    this.#path = path;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const envelope = await api.call(path, { signal: abort.signal, ...options.call });
      if (abort !== this.#abort) return;
      this.envelope = envelope;
      this.value = envelope.result;
      this.error = null;
      this.readAt = new Date();
    } catch (error) {
      if (abort.signal.aborted || abort !== this.#abort) return;
      if (!(error instanceof api.ApiError)) throw error;
      this.error = error;
    }
    this.#changed();
  }

  stop() {
    this.#abort?.abort();
    this.#abort = null;
  }

  /** What to show in its place: the rendered value, with the failure above it where there is one. */
  show(what, render) {
    const retry = () => this.read(this.#path);
    if (this.error && this.value === null) return failed(what, this.error, { retry });
    if (this.value === null) return loading(what.toLowerCase());
    if (this.error) return [failed(what, this.error, { retry, since: this.readAt }), render(this.value)];
    return render(this.value);
  }
}

export class View {
  #readings = [];
  #pending = false;
  root = null;
  params = new URLSearchParams();
  path = [];

  /** Part of the document's title and the page's first heading. */
  get title() {
    return '';
  }

  reading() {
    const reading = new Reading(() => this.changed());
    this.#readings.push(reading);
    return reading;
  }

  mount(root, route) {
    this.root = root;
    this.route(route);
  }

  /** The address changed within this view. */
  route({ path, params }) {
    this.path = path;
    this.params = params;
    this.load('route');
    this.changed();
  }

  unmount() {
    for (const reading of this.#readings) reading.stop();
    this.root = null;
  }

  /** Something the view shows is different. Renders once, soon. */
  changed() {
    if (this.#pending) return;
    this.#pending = true;
    queueMicrotask(() => {
      this.#pending = false;
      if (!this.root) return;
      patch(this.root, this.render());
      this.rendered();
    });
  }

  /** Reads what the view shows. `why`: route, or the kind of news. */
  load() {}
  render() {
    return [];
  }
  /** After the document is up to date: the place to hang charts into it. */
  rendered() {}
}
