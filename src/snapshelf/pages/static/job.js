// Follows a job, such as the search of a clip, until it has ended.

import { address, ask, askJson, kindOfType, pause, Problem } from "./api.js";

const LOOK_MS = 1000;

/**
 * Wait for a job's result.
 *
 * @param {{id: string, url: string, events: string}} job
 * @param {{signal?: AbortSignal, onProgress?: (share: number, status: string) => void}} more
 * @returns {Promise<object>} Its result.
 * @throws {Problem} If it failed; AbortError if it was given up, and then it is cancelled.
 */
export async function follow(job, { signal, onProgress } = {}) {
  const cancel = () => ask(job.url, { method: "DELETE" }).catch(() => {});
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    const ended = (await told(job, signal, onProgress)) ?? (await looked(job, signal, onProgress));
    if (ended.status === "done") return ended.result;
    const error = ended.error ?? {};
    throw new Problem(error.detail ?? "The clip could not be searched.", {
      status: error.status,
      kind: kindOfType(error.type),
      requestId: error.request_id,
    });
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

function hasEnded(state) {
  return ["done", "failed", "cancelled"].includes(state.status);
}

// By events; null where these do not come, as behind some proxies.
function told(job, signal, onProgress) {
  return new Promise((resolve, reject) => {
    if (!job.events || !window.EventSource) return resolve(null);
    const events = new EventSource(address(job.events));
    const end = (settle, value) => {
      events.close();
      signal?.removeEventListener("abort", stop);
      settle(value);
    };
    const stop = () => end(reject, signal.reason);
    signal?.addEventListener("abort", stop, { once: true });
    for (const name of ["progress", "done", "failed", "cancelled"]) {
      events.addEventListener(name, (event) => {
        let state;
        try {
          state = JSON.parse(event.data);
        } catch {
          return end(resolve, null);
        }
        onProgress?.(state.progress, state.status);
        if (hasEnded(state)) end(resolve, state);
      });
    }
    events.addEventListener("error", () => end(resolve, null));
  });
}

async function looked(job, signal, onProgress) {
  for (;;) {
    const state = await askJson(job.url, { signal });
    onProgress?.(state.progress, state.status);
    if (hasEnded(state)) return state;
    await pause(LOOK_MS, signal);
  }
}
