// Work that the service does in the background: followed to its end, with its progress shown.

import { address, ask, askJson, patiently, pause, Problem, problemOf } from "../api.js";
import { announce, el } from "../dom.js";

const LOOK_MS = 700;
const SILENT_MS = 900_000;

/** Whether nothing more will become of a job. */
export function isOver(job) {
  return ["done", "failed", "cancelled"].includes(job.status);
}

/** What a job failed with. */
export function failureOf(job) {
  const error = job.error ?? {};
  return new Problem(error.detail ?? "The work failed.", {
    status: error.status,
    kind: String(error.type ?? "").replace("urn:snapshelf:problem:", ""),
    requestId: error.request_id,
  });
}

/**
 * Ask for a job until it is over; a break of the connection does not end it.
 *
 * @param {object} job
 * @param {(job: object) => void} onLook Called each time.
 * @param {AbortSignal} [signal]
 */
export async function followed(job, onLook, signal) {
  let misses = 0;
  for (let now = job; ; ) {
    onLook(now);
    if (isOver(now)) return now;
    await pause(LOOK_MS, signal);
    try {
      now = await askJson(job.url, { signal });
      misses = 0;
    } catch (problem) {
      if (!(problem instanceof Problem) || (problem.kind !== "offline" && problem.status < 500)) throw problem;
      if (++misses > 20) throw problem;
      await pause(LOOK_MS * misses, signal);
    }
  }
}

/** Send a form, and tell how much of it is on its way: only XMLHttpRequest does. */
export function sent(path, form, { signal, onProgress } = {}) {
  const attempt = () =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const request = new XMLHttpRequest();
      const stop = () => request.abort();
      signal?.addEventListener("abort", stop, { once: true });
      request.open("POST", address(path));
      request.timeout = SILENT_MS;
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable && event.total) onProgress?.(event.loaded / event.total);
      });
      request.addEventListener("load", () => {
        if (request.status >= 200 && request.status < 300) return resolve(JSON.parse(request.responseText));
        return reject(problemOf(request.status, request.responseText, (name) => request.getResponseHeader(name)));
      });
      for (const name of ["error", "timeout"]) {
        request.addEventListener(name, () =>
          reject(new Problem("The service cannot be reached. Is this device online?", { kind: "offline" })),
        );
      }
      request.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")));
      request.addEventListener("loadend", () => signal?.removeEventListener("abort", stop));
      request.send(form);
    });
  return patiently(attempt, { signal });
}

/**
 * The place where a view tells of its work: a line, a bar, and a button that gives it up.
 */
export class WorkPlace {
  #place;
  #line = el("p", { class: "work-line" });
  #bar;
  #stop = el("button", { type: "button", class: "button quiet small", text: "Give up" });
  #onStop = () => {};
  #said = "";

  constructor(place, label) {
    this.#place = place;
    this.#bar = el("progress", { max: "1", "aria-label": label });
    this.#stop.addEventListener("click", () => {
      this.#stop.disabled = true;
      this.#onStop();
    });
    place.replaceChildren(this.#line, this.#bar, this.#stop);
  }

  /** Begin; `onStop` gives the work up. */
  begin(onStop) {
    this.#onStop = onStop;
    this.#stop.disabled = false;
    this.#said = "";
    this.#place.hidden = false;
    this.#bar.removeAttribute("value");
  }

  /** Tell how far it is; no share where that is not known. */
  tell(text, share) {
    this.#line.textContent = text;
    if (share > 0) this.#bar.value = share;
    else this.#bar.removeAttribute("value");
    // Not every count is read out, only each quarter.
    const stage = `${text.replace(/[\d.,]+/g, "")}${Math.floor((share ?? 0) * 4)}`;
    if (stage !== this.#said) announce(text);
    this.#said = stage;
  }

  end() {
    this.#place.hidden = true;
  }
}

/** Give a job up on the service. */
export function giveUp(job) {
  return ask(job.url, { method: "DELETE" }).catch(() => {});
}
