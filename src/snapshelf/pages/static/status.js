// How a search stands: under way, answered, or failed.

import { Problem } from "./api.js";
import { byId, el } from "./dom.js";
import { skeletons } from "./results.js";
import { troubleOf } from "./trouble.js";

/** Show the start or what was found. */
export function show(state) {
  byId("find").dataset.state = state;
  byId("start").hidden = state !== "start";
  byId("found").hidden = state !== "found";
  byId("trouble").hidden = true;
}

/** Say what is being done; nobody knows for how long. */
export function busy(text) {
  byId("trouble").hidden = true;
  byId("busy").hidden = false;
  byId("busy-text").textContent = text;
  byId("busy-bar").removeAttribute("value");
  byId("stage").classList.add("searching");
  byId("answers").setAttribute("aria-busy", "true");
  byId("answer-head").hidden = true;
  byId("more").hidden = true;
  const list = byId("matches");
  if (!list.querySelector(".skeleton")) list.replaceChildren(...skeletons());
}

/** Say what is being done, and how much of it is. */
export function progress(share, text) {
  byId("busy").hidden = false;
  byId("busy-text").textContent = text;
  if (share < 1) byId("busy-bar").value = share;
  else byId("busy-bar").removeAttribute("value");
}

/** Say that a full service is asked again in a moment. */
export function waiting(seconds) {
  busy(`Many are searching. Trying again in ${seconds} s …`);
}

/** Nothing is being done. */
export function quiet() {
  byId("busy").hidden = true;
  byId("trouble").hidden = true;
  byId("answer-head").hidden = false;
  byId("stage").classList.remove("searching");
  byId("answers").setAttribute("aria-busy", "false");
}

/**
 * Say what went wrong, unless it was given up.
 *
 * @param {Error} error
 * @param {string} asked What was searched for, see `troubleOf`.
 */
export function failed(error, asked = "photo") {
  if (error.name === "AbortError") return;
  quiet();
  byId("answer-head").hidden = true;
  byId("matches").replaceChildren();
  byId("more").hidden = true;
  byId("trouble").hidden = false;
  const { text, help, requestId } = troubleOf(error, asked);
  byId("trouble-text").textContent = text;
  byId("trouble-id").textContent = requestId ? `Request ${requestId}` : "";
  const buttons = {
    again: byId("trouble-again"),
    reload: byId("trouble-reload"),
    other: byId("trouble-other"),
  };
  buttons.again.hidden = help !== "again";
  buttons.reload.hidden = help !== "reload";
  buttons.other.textContent = asked === "product" ? "Choose a photo" : "Choose another photo";
  buttons.other.classList.toggle("quiet", help !== "other");
  if (!(error instanceof Problem)) console.error(error);
  // What can help comes first.
  buttons[help].focus({ preventScroll: true });
}

/** Show a link, to be copied by hand where the page may not write to the clipboard. */
export function showLink(link) {
  const field = el("input", { readonly: true, value: link, "aria-label": "Link to this result" });
  byId("share-place").replaceChildren(field);
  field.select();
}
