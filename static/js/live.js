// Live streams that cost nothing while nobody looks.
//
// Browsers allow six connections to one HTTP/1.1 host, over all tabs. A stream per tab would use them up
// and the seventh tab would hang for ever, so a hidden tab lets its stream go and a shown one takes it
// up again. After each opening every listener is told once: whatever was missed meanwhile is fetched.

// How often each signal was heard.
const heard = new Map();

class Stream extends EventTarget {
  #url;
  #source = null;
  #closed = false;
  #names = new Set();
  #version = null;
  onopen = null;
  onerror = null;

  constructor(url) {
    super();
    this.#url = url;
    document.addEventListener("visibilitychange", this.#follow);
    addEventListener("pagehide", this.#rest);
    addEventListener("pageshow", this.#follow);
    this.#follow();
  }

  // htmx makes a new stream when it finds one CLOSED; one that rests comes back by itself.
  get readyState() {
    return this.#closed ? EventSource.CLOSED : this.#source?.readyState ?? EventSource.CONNECTING;
  }

  addEventListener(name, ...rest) {
    super.addEventListener(name, ...rest);
    if (!this.#names.has(name)) {
      this.#names.add(name);
      this.#source?.addEventListener(name, this.#forward);
    }
  }

  close() {
    this.#closed = true;
    this.#rest();
    document.removeEventListener("visibilitychange", this.#follow);
    removeEventListener("pagehide", this.#rest);
    removeEventListener("pageshow", this.#follow);
  }

  #follow = () => {
    if (document.hidden) this.#rest();
    else if (!this.#source && !this.#closed) this.#open();
  };

  #rest = () => {
    this.#source?.close();
    this.#source = null;
  };

  #open() {
    this.#source = new EventSource(this.#url);
    for (const name of this.#names) this.#source.addEventListener(name, this.#forward);
    this.#source.onopen = (event) => {
      this.onopen?.(event);
      this.#tellAll();
    };
    this.#source.addEventListener("version", this.#compare);
    this.#source.onerror = (event) => this.#retry(event);
  }

  #tellAll() {
    for (const name of this.#names) this.#tell(name, "");
  }

  #tell(name, data) {
    heard.set(name, (heard.get(name) ?? 0) + 1);
    this.dispatchEvent(new MessageEvent(name, { data }));
  }

  // Another number than before: something has changed, and its message may have been lost.
  #compare = (event) => {
    if (this.#version !== null && this.#version !== event.data) this.#tellAll();
    this.#version = event.data;
  };

  // The browser reconnects by itself after a cut, but not after an error status (a restarting proxy).
  #retry(event) {
    this.onerror?.(event);
    if (this.#source?.readyState !== EventSource.CLOSED) return;
    this.#rest();
    setTimeout(this.#follow, 3000 + 4000 * Math.random());
  }

  #forward = (event) => this.#tell(event.type, event.data);
}

htmx.createEventSource = (url) => new Stream(url);

// A part that replaces itself hears nothing from its request until its successor has settled, and what htmx has
// queued dies with the old element. Whatever was signalled in between is asked for once more.
const before = new WeakMap();
const signalOf = (part) => part.getAttribute("hx-trigger")?.match(/^sse:(\w+)$/)?.[1];

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  const name = signalOf(detail.elt);
  if (name) before.set(detail.xhr, heard.get(name));
});

document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
  if (!before.has(detail.xhr)) return;
  for (const part of [target, ...target.querySelectorAll("[hx-trigger]")]) {
    const name = signalOf(part);
    if (name && heard.get(name) !== before.get(detail.xhr)) htmx.trigger(part, `sse:${name}`);
  }
});
