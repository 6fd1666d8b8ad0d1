// Searches with a photo, a box on it, a clip, or a product whose look-alikes are wanted.

import { ask, askJson, Problem } from "./api.js";
import { boxesOf, showClip, showPhoto, showProduct } from "./asked.js";
import { byId, toast } from "./dom.js";
import { filterText } from "./filter_text.js";
import { follow } from "./job.js";
import { ready } from "./picture.js";
import { searchFor } from "./send.js";
import { busy, failed, progress, show, waiting } from "./status.js";
import { takeFrames } from "./timeline.js";

const TOP = 24;
const MOST_BOXES = 8;

/**
 * Searches; each gives up the one before it, and leaves how it is done once more.
 *
 * @param {SearchState} state
 * @param {Found} found Shows what is found.
 * @param {Filters} filters
 */
export class Searches {
  #state;
  #found;
  #filters;
  #mostBytes = Number(byId("find").dataset.mostBytes);

  constructor(state, found, filters) {
    this.#state = state;
    this.#found = found;
    this.#filters = filters;
  }

  get #options() {
    return { top: TOP, filter: filterText(this.#filters.chosen) };
  }

  /** Search with a photo, and with boxes on it that a link names. */
  async photo(file, { kept = "", url = "", boxes = [], item = 0 } = {}) {
    const signal = this.#state.restart();
    this.#state.again = () => this.photo(file, { kept, url, boxes });
    const wait = () => {
      show("found");
      busy("Getting your photo ready …");
    };
    let isShown = false;
    // The first photo comes together with what stands below it, or that would jump.
    if (this.#state.asked.kind) wait();
    try {
      const photo = await ready(file, { signal, onSlow: wait });
      if (signal.aborted) return URL.revokeObjectURL(photo.url);
      if (photo.blob.size > this.#mostBytes) {
        throw new Problem("This photo is too large.", { kind: "too-large" });
      }
      this.#state.ask({ kind: "photo", photo, kept, url });
      this.#state.again = () => this.#items();
      show("found");
      showPhoto(photo);
      isShown = true;
      this.#found.clear();
      await this.#send(boxes, item, signal);
    } catch (error) {
      if (!isShown && !signal.aborted) {
        this.#found.nothing();
        show("found");
      }
      failed(error);
    }
    return undefined;
  }

  /** Search with a box that was drawn on the photo. */
  async box(box) {
    const { items: before } = this.#state.answer;
    if (boxesOf(before).length >= MOST_BOXES) {
      toast(`${MOST_BOXES} boxes are enough. Remove one first.`);
      return this.#found.show();
    }
    const signal = this.#state.restart();
    busy("Looking at your box …");
    try {
      const options = { ...this.#options, boxes: [box] };
      const found = await searchFor(this.#state.photo.blob, options, { signal, onWait: waiting });
      if (signal.aborted) return undefined;
      const items = [...before, ...found.items.map(asOwn)];
      this.#state.again = () => this.#items();
      this.#found.answer(items, found.request_id, items.length - 1);
    } catch (error) {
      this.#state.again = () => this.box(box);
      failed(error);
    }
    return undefined;
  }

  /** Search with a clip. */
  async clip(file) {
    const signal = this.#state.restart();
    this.#state.again = () => this.clip(file);
    const asked = { kind: "clip", url: URL.createObjectURL(file), frames: [] };
    this.#state.ask(asked);
    show("found");
    showClip(asked.url);
    busy("Sending your clip …");
    try {
      const onProgress = (share) => progress(share, "Sending your clip …");
      const more = { signal, name: "clip", onProgress, onWait: waiting };
      let found = await searchFor(file, this.#options, more);
      if (found.job) {
        progress(0, "Watching your clip …");
        found = await follow(found.job, { signal, onProgress: watching });
      }
      if (signal.aborted) return;
      asked.size = found.size;
      this.#found.answer(found.items, found.request_id ?? "", 0);
      takeFrames(asked.url, found.items, (...frame) => this.#found.keepFrame(...frame), signal);
    } catch (error) {
      failed(error, "clip");
    }
  }

  /** Search for what looks like a product. */
  async like(id) {
    const signal = this.#state.restart();
    this.#state.again = () => this.like(id);
    this.#state.ask({ kind: "like", like: id });
    showProduct(null);
    show("found");
    busy("Looking for what is alike …");
    const path = `v1/products/${encodeURIComponent(id)}`;
    try {
      const [product, found] = await Promise.all([
        askJson(path, { signal }).then((product) => {
          if (!signal.aborted) showProduct(product);
          return product;
        }),
        ask(`${path}/similar`, { query: this.#options, signal }),
      ]);
      const { matches } = await found.json();
      if (signal.aborted) return;
      const label = product.title || product.id;
      const item = { item: { box: [], label }, matches, in_catalogue: true, likes: true };
      this.#found.answer([item], found.headers.get("X-Request-ID") ?? "", 0);
    } catch (error) {
      if (error.status === 404 && !signal.aborted) this.#found.nothing();
      failed(error, "product");
    }
  }

  // Once more with the photo that is there, and the boxes on it.
  #items() {
    const { items, chosen } = this.#state.answer;
    const signal = this.#state.restart();
    this.#send(boxesOf(items), Math.max(0, chosen), signal).catch(failed);
  }

  async #send(boxes, item, signal) {
    const { blob } = this.#state.photo;
    const options = this.#options;
    busy("Sending your photo …");
    const onProgress = (share) =>
      progress(share, share < 1 ? "Sending your photo …" : "Looking through the shop …");
    const found = await searchFor(blob, options, { signal, onProgress, onWait: waiting });
    if (boxes.length) {
      const own = await searchFor(blob, { ...options, boxes }, { signal, onWait: waiting });
      found.items.push(...own.items.map(asOwn));
    }
    if (signal.aborted) return;
    this.#found.answer(found.items, found.request_id, Math.min(item, found.items.length - 1));
  }
}

function watching(share, status) {
  if (status === "queued") busy("Waiting for others' clips …");
  else progress(share, "Watching your clip …");
}

function asOwn(found) {
  return { ...found, own: true };
}
