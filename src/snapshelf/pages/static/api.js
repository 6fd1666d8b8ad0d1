// The service's API, as its pages use it: with the session's cookie, errors in words, patience.

/** Where the service stands, whatever folder a proxy puts it into: modules lie in static/VERSION/. */
export const BASE = new URL("../../", import.meta.url);

const MOST_WAITS = 4;
const LONGEST_WAIT_S = 20;

/** What the service, or the way to it, says against a request. */
export class Problem extends Error {
  /**
   * @param {string} message Fit to be shown to who knows the API; customers are told `troubleOf` it.
   * @param {{status?: number, kind?: string, requestId?: string, retryAfter?: number}} more
   */
  constructor(message, { status = 0, kind = "", requestId = "", retryAfter = 0 } = {}) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.kind = kind;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

/** Address of a path of the API, such as `v1/search`. */
export function address(path, query = {}) {
  const url = new URL(path.replace(/^\//, ""), BASE);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url.href;
}

/** The kind of a problem, such as `picture-refused`, in its type. */
export function kindOfType(type) {
  return String(type ?? "").replace("urn:snapshelf:problem:", "");
}

/** Make a Problem of an answer's status, headers and text. */
export function problemOf(status, text, header) {
  let told = {};
  try {
    told = JSON.parse(text);
  } catch {
    // Not of the service: of a proxy before it.
  }
  const usual =
    status === 413
      ? "This file is too large."
      : status >= 500
        ? "The shop's search does not answer at the moment. Please try again."
        : `The request was refused (${status}).`;
  const detail = String(told.detail || usual);
  return new Problem(detail[0].toUpperCase() + detail.slice(1), {
    status,
    kind: kindOfType(told.type),
    requestId: told.request_id ?? header("X-Request-ID") ?? "",
    retryAfter: Number(header("Retry-After")) || 0,
  });
}

/** Begin a session: with a key, or without where anybody may have the page. */
export async function begin(body = { scope: "read" }) {
  const answer = await attempt("v1/session", { method: "POST", json: body });
  return answer.json();
}

/**
 * Ask the API, and wait where it says to.
 *
 * @param {string} path Such as `v1/shelf/facets`.
 * @param {{method?: string, json?: any, body?: any, headers?: object, query?: object,
 *   signal?: AbortSignal, onWait?: (seconds: number) => void}} options `onWait` is told of waits.
 * @returns {Promise<Response>} An answer that is fine.
 * @throws {Problem} If it is not; AbortError if it was given up.
 */
export async function ask(path, options = {}) {
  return patiently(() => attempt(path, options), options);
}

/** The same for JSON. */
export async function askJson(path, options = {}) {
  return (await ask(path, options)).json();
}

/**
 * Do something with the API: again after a wait where it has too much to do, and once more with a
 * new session where the old one has ended.
 */
export async function patiently(work, { signal, onWait } = {}) {
  let renewed = false;
  for (let waits = 0; ; waits++) {
    try {
      return await work();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 401 && !renewed) {
        renewed = true;
        await renew(problem);
      } else if ([429, 503].includes(problem.status) && problem.retryAfter && waits < MOST_WAITS) {
        if (problem.retryAfter > LONGEST_WAIT_S) throw problem;
        onWait?.(problem.retryAfter);
        await pause(problem.retryAfter * 1000, signal);
      } else {
        throw problem;
      }
    }
  }
}

/** Wait, unless given up. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

async function renew(problem) {
  try {
    await begin();
  } catch {
    throw new Problem("Your session has ended. Load the page anew.", {
      status: 401,
      kind: problem.kind,
    });
  }
}

async function attempt(path, { method = "GET", json, body, headers = {}, query, signal }) {
  let answer;
  try {
    answer = await fetch(address(path, query), {
      method,
      headers: json === undefined ? headers : { ...headers, "Content-Type": "application/json" },
      body: json === undefined ? body : JSON.stringify(json),
      credentials: "same-origin",
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The shop cannot be reached. Is this device online?", { kind: "offline" });
  }
  if (!answer.ok) {
    throw problemOf(answer.status, await answer.text(), (name) => answer.headers.get(name));
  }
  return answer;
}
