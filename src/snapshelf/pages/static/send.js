// Sends a picture or a clip to be searched for, and tells how much of it is on its way.

import { address, patiently, Problem, problemOf } from "./api.js";

const SILENT_MS = 90_000;

/**
 * Search for what a picture or a clip shows.
 *
 * @param {Blob} file
 * @param {{top?: number, filter?: string, boxes?: number[][]}} options
 * @param {{signal?: AbortSignal, onProgress?: (share: number) => void,
 *   onWait?: (seconds: number) => void, name?: string}} more
 * @returns {Promise<object>} The API's answer; of a clip `{job}`.
 */
export function searchFor(file, options, { signal, onProgress, onWait, name = "picture" } = {}) {
  return patiently(
    () => {
      const form = new FormData();
      form.append(name, file, name === "clip" ? "clip" : "picture");
      if (options.top) form.append("top", options.top);
      if (options.filter) form.append("filter", options.filter);
      for (const box of options.boxes ?? []) form.append("boxes", box.map((n) => n.toFixed(1)).join(","));
      return posted("v1/search", form, signal, onProgress);
    },
    { signal, onWait },
  );
}

// Only XMLHttpRequest tells how much of a body has been sent.
function posted(path, body, signal, onProgress) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    signal?.addEventListener("abort", stop, { once: true });
    const done = (settle, value) => {
      signal?.removeEventListener("abort", stop);
      settle(value);
    };
    request.open("POST", address(path));
    request.timeout = SILENT_MS;
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable && event.total) onProgress?.(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      const header = (each) => request.getResponseHeader(each);
      if (request.status < 200 || request.status >= 300) {
        return done(reject, problemOf(request.status, request.responseText, header));
      }
      try {
        done(resolve, JSON.parse(request.responseText));
      } catch {
        done(reject, new Problem("The shop's answer cannot be read."));
      }
    });
    request.addEventListener("error", () =>
      done(
        reject,
        new Problem("The shop cannot be reached. Is this device online?", { kind: "offline" }),
      ),
    );
    request.addEventListener("timeout", () =>
      done(reject, new Problem("The shop takes too long to answer.", { kind: "timed-out" })),
    );
    request.addEventListener("abort", () =>
      done(reject, new DOMException("given up", "AbortError")),
    );
    request.send(body);
  });
}
