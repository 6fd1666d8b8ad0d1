// Feeds: read again or sent, followed while they are indexed, with a report of what was skipped.

import { askJson, Problem } from "../api.js";
import { announce, byId } from "../dom.js";
import { sure } from "./dialogs.js";
import { reportOf } from "./feed_report.js";
import { takesFiles } from "./files_in.js";
import { failureOf, followed, giveUp, isOver, sent, WorkPlace } from "./work.js";

const OPTIONS = ["format", "encoding", "currency"];
const SHARE_SENT = 0.15;

export class Feed {
  #told = byId("feed-told");
  #report = byId("feed-report");
  #work = new WorkPlace(byId("feed-work"), "Indexing");
  #file = null;
  #busy = false;
  #onIndexed;

  constructor(onIndexed) {
    this.#onIndexed = onIndexed;
    takesFiles({
      place: byId("feed-drop"),
      button: byId("feed-choose"),
      input: byId("feed-file"),
      view: byId("view-feed"),
      onFiles: ([file]) => this.#choose(file),
    });
    byId("own-feed").addEventListener("submit", (event) => {
      event.preventDefault();
      const recheck = new FormData(event.currentTarget).has("recheck");
      this.#index((isSure, options) => askJson("v1/index", { method: "POST", json: { recheck, sure: isSure }, ...options }));
    });
    byId("sent-feed").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#index((isSure, options) => sent("v1/index", this.#formOf(isSure), options));
    });
  }

  /** Tell what was indexed last, and join what somebody else has begun. */
  async show() {
    if (this.#busy) return;
    try {
      const { last_run: last } = await askJson("v1/shelf");
      byId("feed-last").textContent = last ? lastText(last) : "Nothing was indexed yet.";
      const { job } = await askJson("v1/index");
      if (job && !isOver(job) && !this.#busy) this.#index(async () => ({ job }));
    } catch {
      // What was is an extra.
    }
  }

  #choose(file) {
    this.#file = file;
    byId("feed-chosen").textContent = `${file.name}, ${(file.size / 1024).toFixed(0)} KB`;
    byId("feed-begin").disabled = this.#busy;
    announce(`${file.name} chosen`);
  }

  #formOf(isSure) {
    const fields = byId("sent-feed").elements;
    const form = new FormData();
    form.append("feed", this.#file, this.#file.name);
    form.append("whole", String(fields.whole.checked));
    form.append("sure", String(isSure));
    for (const name of OPTIONS) {
      const value = fields[name].value.trim();
      if (value) form.append(name, name === "currency" ? value.toUpperCase() : value);
    }
    return form;
  }

  #setBusy(busy) {
    this.#busy = busy;
    for (const button of document.querySelectorAll("#own-feed [type=submit], #feed-begin")) {
      button.disabled = busy || (button.id === "feed-begin" && !this.#file);
    }
  }

  async #index(begin, isSure = false) {
    this.#setBusy(true);
    this.#told.textContent = "";
    this.#report.hidden = true;
    const control = new AbortController();
    let job = null;
    this.#work.begin(() => (job ? giveUp(job) : control.abort()));
    this.#work.tell("Sending the feed…", 0);
    let failed = null;
    try {
      ({ job } = await begin(isSure, {
        signal: control.signal,
        onProgress: (share) => this.#work.tell("Sending the feed…", SHARE_SENT * share),
      }));
      const over = await followed(job, (now) => this.#work.tell(lineOf(now), SHARE_SENT + (1 - SHARE_SENT) * now.progress));
      if (over.status === "failed") throw failureOf(over);
      if (over.status === "cancelled") this.#told.textContent = "Given up. What was stored by then stays; the same feed goes on from there.";
      else this.#show(over.result);
      this.#onIndexed();
    } catch (problem) {
      failed = problem;
    } finally {
      this.#work.end();
      this.#setBusy(false);
    }
    if (failed) await this.#failed(failed, begin, isSure);
  }

  async #failed(problem, begin, isSure) {
    if (problem.name === "AbortError") {
      this.#told.textContent = "Given up.";
      return;
    }
    if (problem.kind === "conflict" && /half would be removed/.test(problem.message) && !isSure) {
      const yes = await sure({
        title: "Remove more than half?",
        text: `${problem.message.split(":")[0]}. Everything that it lacks would be removed.`,
        yes: "Remove what it lacks",
      });
      if (yes) await this.#index(begin, true);
      else this.#told.textContent = "Nothing was changed.";
      return;
    }
    this.#told.textContent = problem instanceof Problem ? problem.message : "That did not work.";
  }

  #show(result) {
    this.#report.replaceChildren(...reportOf(result));
    this.#report.hidden = false;
    byId("report-title").focus();
    announce(byId("report-title").textContent);
    byId("feed-last").textContent = lastText({ feed: result.feed, finished: new Date().toISOString() });
  }
}

function lineOf(job) {
  if (job.status === "queued") return "Waiting…";
  const { looked_through: looked, of, changed = 0, unchanged = 0, skipped = 0 } = job.so_far;
  if (!of) return looked ? `Looking through the feed: ${looked} rows` : "Looking through the feed…";
  return `${changed + unchanged} of ${of} products` + (skipped ? `, ${skipped} skipped` : "");
}

function lastText({ feed, started, finished }) {
  const time = new Date(finished || started);
  const when = Number.isNaN(time.getTime()) ? "" : `, ${time.toLocaleString(document.documentElement.dataset.locale)}`;
  return `Last: ${feed}${when}${finished ? "" : " (not finished)"}`;
}
