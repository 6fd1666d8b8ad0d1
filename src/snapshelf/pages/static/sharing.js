// A link to what is searched for, which for a photo has to be kept first.

import { askJson } from "./api.js";
import { byId, toast } from "./dom.js";
import { showLink } from "./status.js";
import { troubleOf } from "./trouble.js";
import { countText } from "./words.js";

/**
 * Share what is searched for when the button is pressed.
 *
 * @param {SearchState} state
 * @param {() => void} onMoved Told when the address says something else.
 */
export function listenForSharing(state, onMoved) {
  const button = byId("share");
  const linkDays = Number(byId("find").dataset.linkDays);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await keep(state, onMoved);
      await copy(state.asked.kept ? ` Its photo is kept for ${countText(linkDays, "day")}.` : "");
    } catch (error) {
      toast(troubleOf(error, "photo").text);
    } finally {
      button.disabled = false;
    }
  });
}

async function keep({ asked, isPhoto }, onMoved) {
  if (!isPhoto || asked.url || asked.kept) return;
  const headers = { "Content-Type": "application/octet-stream" };
  const kept = await askJson("v1/links", { method: "POST", body: asked.photo.blob, headers });
  asked.kept = kept.id;
  onMoved();
}

async function copy(told) {
  try {
    await navigator.clipboard.writeText(location.href);
    toast(`Link copied.${told}`);
  } catch {
    // Pages that did not come by https may not write there.
    showLink(location.href);
  }
}
