// What is sent when: files are read for their hash one after the other, those that are there already are left out,
// and three at once are sent. Begun uploads are remembered by hash, so that the same file goes on after a reload.

import { post, Refused, send, throwAway } from "./tus.js";

const AT_ONCE = 3;
const AHEAD = 30; // files whose hash is known before their turn
const REMEMBERED = "upload:";
const PICTURES =
  /\.(jpe?g|jpe|jfif|mpo|a?png|webp|gif|tiff?|hei[cf]s?|hif|avifs?|jxl|jp2|j2k|jp[fx]|bmp|dib|cr[23w]|ne[fr]|nrw|arw|sr[2fw]|raf|rw[2l]|raw|or[fi]|pef|dng|kdc|dcr|k25|mrw|x3f|erf|3fr|fff|mef|mos|iiq|cap|mp4|m4v|mov|qt|3gp|3g2|avi|mkv|webm|m2?ts|mpe?g|vob|mod|tod|wmv|asf|flv|ogv)$/i;
const SIDECARS = /\.(xmp|aae|json)$/i; // they tell about a photo; the server looks which of them do
const LARGEST_SIDECAR = 16 * 2 ** 20;

export class Queue extends EventTarget {
  items = [];
  paused = false;
  trouble = "";
  #hashing = new Worker(new URL("./hashing.js", import.meta.url), { type: "module" });
  #waitingHashes = new Map();
  #endpoint;
  #known;
  #reading = false;
  #asking = [];

  constructor(endpoint, known) {
    super();
    this.#endpoint = endpoint;
    this.#known = known;
    this.#hashing.onmessage = ({ data }) => this.#hashed(data);
  }

  add(files) {
    for (const file of files) {
      const item = { id: crypto.randomUUID?.() ?? `${Math.random()}`, file, state: "waiting", sent: 0, read: 0, said: "" };
      if (!looksRight(file)) Object.assign(item, { state: "left", said: "By its name this is no photo, no video and no sidecar." });
      this.items.push(item);
      this.#told(item);
    }
    this.#go();
  }

  pause() {
    this.paused = true;
    for (const item of this.items.filter((one) => one.state === "sending")) item.stop.abort();
    this.#told();
  }

  resume() {
    this.paused = false;
    this.trouble = "";
    for (const item of this.items.filter((one) => one.state === "stopped")) this.#set(item, { state: "ready", said: "" });
    this.#told();
    this.#go();
  }

  pauseOne(item) {
    this.#set(item, { held: true });
    item.stop?.abort();
  }

  // After a pause or a failure, or against the warning: from where the server has it.
  again(item) {
    this.#set(item, { state: item.sha256 ? "ready" : "waiting", held: false, said: "" });
    this.#go();
  }

  cancel(item) {
    const url = remembered(item.sha256)?.url;
    this.#set(item, { state: "cancelled" });
    item.stop?.abort();
    this.items = this.items.filter((one) => one !== item);
    forget(item.sha256);
    if (url) throwAway(url);
    this.#told(item);
    this.#go();
  }

  clear() {
    for (const item of this.items.filter((one) => !finished(one))) this.cancel(item);
    this.items = [];
    this.#told();
  }

  #go() {
    if (this.paused) return;
    this.#read();
    const sending = this.items.filter((one) => one.state === "sending").length;
    const ready = this.items.filter((one) => one.state === "ready" && !one.held);
    for (const item of ready.slice(0, Math.max(0, AT_ONCE - sending))) this.#send(item);
  }

  async #read() {
    const ahead = this.items.filter((one) => one.state === "ready" || one.state === "asking").length;
    const item = this.items.find((one) => one.state === "waiting" && !one.held);
    if (this.#reading || !item || ahead >= AHEAD) return;
    this.#reading = true;
    this.#set(item, { state: "reading" });
    try {
      const sha256 = await this.#hash(item);
      if (item.state !== "reading") return;
      const same = (one) => one !== item && one.sha256 === sha256 && !problem(one);
      // The same sidecar may be meant for several photos: there its name counts too.
      const twin = this.items.find((one) => same(one) && (!SIDECARS.test(item.file.name) || one.file.name === item.file.name));
      item.sha256 = sha256;
      if (twin) this.#set(item, { state: "there", said: `The same as ${twin.file.name}.`, address: twin.address });
      else this.#ask(item);
    } catch {
      this.#set(item, { state: "failed", said: "This file cannot be read any more. Choose it again." });
    } finally {
      this.#reading = false;
      this.#go();
    }
  }

  #hash(item) {
    return new Promise((resolve, reject) => {
      this.#waitingHashes.set(item.id, { item, resolve, reject });
      this.#hashing.postMessage({ id: item.id, file: item.file });
    });
  }

  #hashed({ id, sha256, read, error }) {
    const { item, resolve, reject } = this.#waitingHashes.get(id);
    if (read !== undefined) return this.#set(item, { read });
    this.#waitingHashes.delete(id);
    if (sha256) resolve(sha256);
    else reject(new Error(error));
  }

  // Many files are one question.
  #ask(item) {
    this.#set(item, { state: "asking" });
    if (this.#asking.push(item) === 1) setTimeout(() => this.#answer(), 100);
  }

  async #answer() {
    const asked = this.#asking.splice(0);
    let known = {};
    try {
      ({ known } = await post(this.#known, { hashes: asked.map((item) => item.sha256) }));
    } catch {
      // Then the server says so once the bytes are there.
    }
    for (const item of asked.filter((one) => one.state === "asking")) {
      if (item.sha256 in known) this.#finish(item, "there", known[item.sha256]);
      else this.#set(item, { state: "ready" });
    }
    this.#go();
  }

  async #send(item) {
    item.stop = new AbortController();
    this.#set(item, { state: "sending", said: "" });
    try {
      const answer = await send(item.file, {
        endpoint: this.#endpoint,
        metadata: { filename: item.file.name, sha256: item.sha256, modified: item.file.lastModified },
        url: remembered(item.sha256)?.url ?? null,
        signal: item.stop.signal,
        said: (news) => this.#heard(item, news),
      });
      const there = answer.header("Filmroll-Outcome") === "there-already";
      const photo = answer.header("Filmroll-Photo");
      this.#finish(item, there ? "there" : "done", photo ? `/photos/${photo}/` : "");
    } catch (error) {
      this.#failed(item, error);
    }
    this.#go();
  }

  #heard(item, news) {
    if (item.state !== "sending") return;
    if (news.url && !SIDECARS.test(item.file.name)) remember(item.sha256, { url: news.url, name: item.file.name, size: item.file.size });
    if (news.waiting) this.#set(item, { said: "The server cannot be reached; it goes on by itself." });
    else if (news.waiting === 0) item.said = "";
    if (news.sent !== undefined) this.#set(item, { sent: news.sent });
  }

  #finish(item, state, address) {
    forget(item.sha256);
    this.#set(item, { state, address, sent: item.file.size, said: "" });
  }

  #failed(item, error) {
    if (item.state === "cancelled") return;
    if (error.name === "AbortError") return this.#set(item, { state: item.held ? "held" : "stopped", said: "" });
    if (!(error instanceof Refused)) {
      return this.#set(item, { state: "failed", said: "This file cannot be read any more. Choose it again." });
    }
    // No room, or signed out: that holds for all files.
    if (error.status === 507 || error.status === 401 || error.status === 403) {
      this.#set(item, { state: "stopped", said: error.status === 507 ? "No room." : "" });
      this.trouble = error.message;
      return this.pause();
    }
    forget(item.sha256);
    this.#set(item, { state: error.status === 415 ? "refused" : "failed", said: error.message, sent: 0 });
  }

  #set(item, values) {
    Object.assign(item, values);
    this.#told(item);
  }

  #told(item) {
    this.dispatchEvent(new CustomEvent("change", { detail: item }));
  }
}

export const finished = (item) => ["done", "there", "refused", "left", "cancelled"].includes(item.state);
export const problem = (item) => ["failed", "refused", "left"].includes(item.state);

// Uploads of earlier visits that had not come to their end.
export function interrupted() {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(REMEMBERED))
    .map((key) => ({ sha256: key.slice(REMEMBERED.length), ...JSON.parse(localStorage[key]) }));
}

export function abandon({ sha256, url }) {
  forget(sha256);
  return throwAway(url);
}

const looksRight = (file) =>
  /^(image|video)\//.test(file.type) ||
  PICTURES.test(file.name) ||
  (SIDECARS.test(file.name) && file.size <= LARGEST_SIDECAR);
const remembered = (sha256) => JSON.parse(localStorage.getItem(REMEMBERED + sha256));
const remember = (sha256, what) => localStorage.setItem(REMEMBERED + sha256, JSON.stringify(what));
const forget = (sha256) => localStorage.removeItem(REMEMBERED + sha256);
