// What customers are told of a search that failed: in their words, and with what can help. The
// service's own words are for who writes programs.

import { Problem } from "./api.js";

const UNREAD = "This photo cannot be read. Choose another one, or save it as a JPEG first.";
const BUSY = "Many are searching at the moment. Please try again in a moment.";
const SLOW = "That took too long. Please try again.";
const FAILED = "The shop's search does not work at the moment. Please try again.";
const REFUSED = "This search cannot be done. Choose another photo.";

/** By the kind of problem; where it depends on that, by what is searched for, `other` for the rest. */
const WORDS = {
  offline: "The shop cannot be reached. Is this device online?",
  "key-missing": "Your session has ended. Load the page anew.",
  "not-allowed": {
    web: "This shop fetches no photos from the web. Save the photo, and choose it here.",
    other: "The shop does not allow this search.",
  },
  "not-found": {
    product: "This product is not in our shop, or not any more.",
    kept: "This link has ended: its photo is kept no more.",
    other: REFUSED,
  },
  "too-large": {
    clip: "This clip is too large. Choose a shorter one.",
    other: "This photo is too large. Choose a smaller one.",
  },
  "wrong-type": { clip: "This shop cannot search clips of this kind. Choose a photo.", other: UNREAD },
  "picture-refused": {
    web: "The photo of this link cannot be fetched. Save it, and choose it here.",
    other: UNREAD,
  },
  "clip-refused":
    "This clip cannot be used: it may be damaged, too long, or of a kind that is not known here. " +
    "Choose another one, or a photo.",
  invalid: "This search cannot be done. Choose other filters, or another photo.",
  "too-many-requests": BUSY,
  busy: BUSY,
  "too-slow": SLOW,
  "timed-out": SLOW,
};

/** Of an answer that names no kind: it is of a proxy before the service. */
const KINDS = {
  401: "key-missing",
  403: "not-allowed",
  404: "not-found",
  408: "too-slow",
  413: "too-large",
  415: "wrong-type",
  429: "busy",
  504: "timed-out",
};

const MAY_PASS = new Set(["offline", "busy", "too-many-requests", "too-slow", "timed-out"]);

/**
 * Tell what a customer can do about a failure.
 *
 * @param {Error} error
 * @param {"photo"|"clip"|"product"|"kept"|"web"} asked What was searched for: "kept" is a photo that
 *   a link of ours names, "web" one that lies elsewhere.
 * @returns {{text: string, help: "again"|"reload"|"other", requestId: string}} `help` is what can
 *   help: the same once more, the page anew, or only another photo; `requestId` is for who runs the
 *   service, "" where it did what it should.
 */
export function troubleOf(error, asked) {
  if (!(error instanceof Problem)) {
    return { text: "Something went wrong on this page.", help: "again", requestId: "" };
  }
  const { status, requestId } = error;
  const kind = error.kind in WORDS ? error.kind : (KINDS[status] ?? "");
  const isTheirs = status >= 400 && status < 500;
  const words = WORDS[kind] ?? (isTheirs ? REFUSED : FAILED);
  const text = typeof words === "string" ? words : (words[asked] ?? words.other);
  const passes = MAY_PASS.has(kind) || (!kind && !isTheirs);
  const help = kind === "key-missing" ? "reload" : passes ? "again" : "other";
  return { text, help, requestId: status >= 500 ? requestId : "" };
}
