// What the customers' page is at: what is searched for, what was found, what is under way.

import { boxesOf } from "./asked.js";
import { writePlace } from "./place.js";

/** The state; a page has one, which its parts share. */
export class SearchState {
  /**
   * What is searched for: `kind` is "photo" (with `photo`, and `kept` or `url` where a link names
   * it), "clip" (with `url` and `frames`), "like" (with the product's ID), or "" at the start.
   */
  asked = { kind: "" };
  answer = { items: [], chosen: 0, requestId: "" };
  /** IDs of the products that the customer called wrong. */
  wrong = new Set();
  /** Does once more what was done last. */
  again = () => {};
  #work = new AbortController();

  /** The photo that is searched for, null if none is. */
  get photo() {
    return this.asked.photo ?? null;
  }

  get isPhoto() {
    return this.asked.kind === "photo";
  }

  get isClip() {
    return this.asked.kind === "clip";
  }

  /** The item that is looked at; undefined if nothing was found. */
  get found() {
    return this.answer.items[this.answer.chosen];
  }

  /** Give up what is under way; gives the signal of what begins now. */
  restart() {
    this.stop();
    this.#work = new AbortController();
    return this.#work.signal;
  }

  /** Give up what is under way. */
  stop() {
    this.#work.abort();
  }

  /** Search for something else, and let go of the pictures of what was searched for. */
  ask(asked) {
    const { photo, frames = [], url } = this.asked;
    if (photo) URL.revokeObjectURL(photo.url);
    if (this.isClip) URL.revokeObjectURL(url);
    for (const frame of frames) if (frame) URL.revokeObjectURL(frame.url);
    this.asked = asked;
  }

  /** Take what was found. */
  take(items, requestId, chosen) {
    if (requestId !== this.answer.requestId) this.wrong = new Set();
    this.answer = { items, chosen: Math.max(0, chosen), requestId };
  }

  /** Be at the start again. */
  forget() {
    this.restart();
    this.ask({ kind: "" });
    this.answer = { items: [], chosen: 0, requestId: "" };
  }

  /** The address's query that shows the same, with these filters. */
  query(filters) {
    return writePlace({
      like: this.asked.like,
      url: this.isPhoto ? this.asked.url : "",
      kept: this.asked.kept,
      boxes: this.isPhoto ? boxesOf(this.answer.items) : [],
      item: this.answer.chosen,
      filters,
    });
  }
}
