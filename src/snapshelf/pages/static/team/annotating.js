// Many pictures annotated: sent in parts that the service takes, and read back as one file.

import { ask, Problem } from "../api.js";
import { announce, byId, el } from "../dom.js";
import { countText } from "../words.js";
import { takesFiles } from "./files_in.js";
import { shotOf } from "./shot.js";
import { failureOf, followed, giveUp, sent, WorkPlace } from "./work.js";

const MOST_SHOWN = 300;
const SHARE_SENT = 0.3;

export class Annotating {
  #form = byId("annotate");
  #told = byId("annotate-told");
  #shots = byId("shots");
  #work = new WorkPlace(byId("annotate-work"), "Annotating");
  #files = [];
  #urls = [];
  #onOpen;
  #limits;

  constructor(onOpen) {
    this.#onOpen = onOpen;
    const { mostPictures, mostBytes } = byId("team").dataset;
    this.#limits = { pictures: Number(mostPictures), bytes: 0.95 * Number(mostBytes) };
    takesFiles({
      place: byId("annotate-drop"),
      button: byId("annotate-choose"),
      input: byId("annotate-files"),
      view: byId("view-annotate"),
      onFiles: (files) => this.#add(files),
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#annotate();
    });
    byId("annotate-clear").addEventListener("click", () => this.#clear());
  }

  #add(files) {
    if (!byId("annotate-result").hidden) this.#clear();
    this.#files.push(...files);
    this.#chosen();
  }

  #clear() {
    this.#files = [];
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
    this.#shots.replaceChildren();
    byId("annotate-result").hidden = true;
    this.#told.textContent = "";
    this.#chosen();
    byId("annotate-choose").focus();
  }

  #chosen() {
    const count = this.#files.length;
    const bytes = this.#files.reduce((sum, file) => sum + file.size, 0);
    byId("annotate-chosen").textContent = count
      ? `${countText(count, "picture")} chosen, ${(bytes / 1048576).toFixed(1)} MB`
      : "As many as you like; they are deleted once they are annotated.";
    const begin = byId("annotate-begin");
    begin.disabled = !count;
    begin.textContent = count ? `Annotate ${countText(count, "picture")}` : "Annotate";
    byId("annotate-clear").hidden = !count;
    if (count) announce(byId("annotate-chosen").textContent);
  }

  async #annotate() {
    const files = [...this.#files];
    const parts = cut(files, this.#limits);
    const control = new AbortController();
    const lines = [];
    let job = null;
    byId("annotate-begin").disabled = true;
    this.#told.textContent = "";
    this.#shots.replaceChildren();
    byId("annotate-result").hidden = true;
    this.#work.begin(() => {
      if (job) giveUp(job);
      control.abort();
    });
    try {
      let done = 0;
      for (const part of parts) {
        const tell = (text, share) => this.#work.tell(text, (done + share * part.length) / files.length);
        ({ job } = await sent("v1/annotations", this.#formOf(part), {
          signal: control.signal,
          onProgress: (share) => tell("Sending pictures…", SHARE_SENT * share),
        }));
        const over = await followed(
          job,
          (now) => {
            const read = done + (now.so_far.pictures ?? 0);
            const text = now.status === "queued" ? "Waiting for other work to end…" : `${read} of ${files.length} annotated`;
            tell(text, SHARE_SENT + (1 - SHARE_SENT) * now.progress);
          },
          control.signal,
        );
        if (over.status !== "done") throw over.status === "failed" ? failureOf(over) : new DOMException("", "AbortError");
        const text = await (await ask(over.result.lines, { signal: control.signal })).text();
        lines.push(...text.trimEnd().split("\n"));
        done += part.length;
      }
    } catch (problem) {
      if (problem.name === "AbortError") this.#told.textContent = "Given up.";
      else this.#told.textContent = problem instanceof Problem ? problem.message : "That did not work.";
      if (lines.length) this.#told.textContent += ` What was done before is below.`;
    } finally {
      this.#work.end();
      byId("annotate-begin").disabled = false;
    }
    if (lines.length) this.#show(files, lines);
  }

  #formOf(files) {
    const form = new FormData();
    for (const file of files) form.append("pictures", file, file.webkitRelativePath || file.name);
    for (const name of ["side", "top"]) form.append(name, this.#form.elements[name].value);
    return form;
  }

  #show(files, lines) {
    const told = lines.map((line) => JSON.parse(line));
    const wrong = told.filter((each) => each.error).length;
    const items = told.reduce((sum, each) => sum + each.items.length, 0);
    const summary = byId("annotate-summary");
    summary.textContent =
      `${countText(told.length, "picture")} annotated, ${countText(items, "item")} found` +
      (wrong ? `; ${countText(wrong, "picture")} could not be read.` : ".");
    const url = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "application/jsonl" }));
    this.#urls.push(url);
    byId("annotate-download").href = url;
    byId("annotate-result").hidden = false;
    this.#shots.replaceChildren(
      ...told.slice(0, MOST_SHOWN).map((each, number) => {
        const picture = URL.createObjectURL(files[number]);
        this.#urls.push(picture);
        return shotOf(each, picture, this.#onOpen);
      }),
    );
    if (told.length > MOST_SHOWN) {
      this.#shots.append(el("li", { class: "soft", text: `${told.length - MOST_SHOWN} more are in the file.` }));
    }
    summary.focus();
    announce(summary.textContent);
  }
}

/** Cut files into parts that the service takes at once. */
export function cut(files, { pictures, bytes }) {
  const parts = [[]];
  let size = 0;
  for (const file of files) {
    const last = parts.at(-1);
    if (last.length && (last.length >= pictures || size + file.size > bytes)) {
      parts.push([file]);
      size = file.size;
    } else {
      last.push(file);
      size += file.size;
    }
  }
  return parts;
}
