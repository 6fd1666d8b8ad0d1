// A clip's items over its time: a bar for each, beside the clip, which goes where one is chosen.

import { byId, clamped, el } from "./dom.js";
import { redrawn } from "./picture.js";
import { countText, timeText } from "./words.js";

const SEEK_MS = 4000;
const LONGEST_FRAME = 1280;

/** When an item is seen: its first and last second. */
export function spanOf({ item }) {
  const [first, last] = item.seconds ?? [0, 0];
  return [Number(first) || 0, Number(last) || 0];
}

/** Each time that it is seen: its spans in seconds. */
export function spansOf(found) {
  const spans = (found.item.spans ?? []).filter(
    (span) => Array.isArray(span) && span.length === 2 && span.every(Number.isFinite),
  );
  return spans.length ? spans : [spanOf(found)];
}

/** The second and the box where an item is seen best. */
export function bestOf({ item }) {
  const [first, last] = spanOf({ item });
  return { seconds: item.best?.seconds ?? (first + last) / 2, box: item.best?.box ?? item.box };
}

/**
 * Shows a clip's items over its time.
 *
 * @param {(index: number) => void} onChoose
 */
export class Timeline {
  #list = byId("timeline");
  #video = byId("clip");
  #onChoose;
  /** Seconds up to where the last item was seen: the clip's own length may be known only later. */
  #end = 0.1;

  constructor(onChoose) {
    this.#onChoose = onChoose;
    this.#video.addEventListener("timeupdate", () => this.#showTime());
    this.#video.addEventListener("loadedmetadata", () => this.#showLength());
  }

  /** Show items; `chosen` is the one that is looked at. */
  show(items, chosen) {
    this.#end = Math.max(...items.map((found) => spanOf(found)[1]), 0.1);
    this.#list.replaceChildren(...items.map((found, index) => this.#row(found, index, index === chosen)));
    this.#showLength();
  }

  /** Let the clip go to where an item is seen best. */
  seek(found) {
    const { seconds } = bestOf(found);
    if (Number.isFinite(this.#video.duration)) {
      this.#video.pause();
      this.#video.currentTime = Math.min(seconds, this.#video.duration);
    }
  }

  /** Put the picture of an item's best frame before its bar. */
  thumbnail(index, url) {
    const holder = this.#list.children[index]?.querySelector(".thumb");
    holder?.replaceChildren(el("img", { src: url, alt: "", width: 56, height: 56 }));
  }

  #row(found, index, isChosen) {
    const [first, last] = spanOf(found);
    const bars = spansOf(found).map(([from, to]) =>
      el("span", { class: "span", style: { "--from": from, "--for": Math.max(to - from, 0) } }),
    );
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          class: `bar-row${isChosen ? " chosen" : ""}${found.in_catalogue ? "" : " absent"}`,
          "aria-pressed": String(isChosen),
          on: { click: () => this.#onChoose(index) },
        },
        el("span", { class: "thumb", "aria-hidden": "true" }, el("span", { text: String(index + 1) })),
        el(
          "span",
          { class: "bar-text" },
          clamped(`Item ${index + 1}${found.item.label ? `: ${found.item.label}` : ""}`, "bar-name"),
          el("span", { class: "soft figure", text: `${timeText(first)} – ${timeText(last)}` }),
        ),
        el(
          "span",
          { class: "track", "aria-hidden": "true" },
          ...bars,
          el("span", { class: "best-mark", style: { "--from": bestOf(found).seconds } }),
          el("span", { class: "now" }),
        ),
      ),
    );
  }

  #showLength() {
    const { duration } = this.#video;
    this.#list.style.setProperty("--length", Math.max(Number.isFinite(duration) ? duration : 0, this.#end));
    this.#showTime();
  }

  #showTime() {
    this.#list.style.setProperty("--now", this.#video.currentTime);
  }
}

/**
 * Take the frames where items are seen best from a clip.
 *
 * @param {string} url Of the clip, on this device.
 * @param {object[]} items
 * @param {(index: number, frame: {blob: Blob, size: number[]}) => void} onFrame Called with each
 *   frame that could be had.
 * @param {AbortSignal} signal
 */
export async function takeFrames(url, items, onFrame, signal) {
  const video = el("video", { src: url, muted: true, playsinline: true, preload: "auto" });
  video.muted = true;
  if (!(await happens(video, "loadeddata"))) return;
  for (const [index, found] of items.entries()) {
    if (signal.aborted) return;
    const seeking = happens(video, "seeked");
    video.currentTime = Math.min(bestOf(found).seconds, Math.max(0, video.duration - 0.05));
    if (!(await seeking)) continue;
    const scale = Math.min(1, LONGEST_FRAME / Math.max(video.videoWidth, video.videoHeight));
    const size = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
    const blob = await redrawn(video, ...size);
    if (!signal.aborted) onFrame(index, { blob, size, full: [video.videoWidth, video.videoHeight] });
  }
  video.removeAttribute("src");
  video.load();
}

/** What a clip's search found, in words. */
export function clipText(items) {
  return `${countText(items.length, "item")} in this clip`;
}

function happens(video, event) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), SEEK_MS);
    const end = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
    video.addEventListener(event, () => end(true), { once: true });
    video.addEventListener("error", () => end(false), { once: true });
  });
}
