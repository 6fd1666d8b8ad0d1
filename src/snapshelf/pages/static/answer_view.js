// What was found for the item that is looked at: its heading, its products, and the same in words.

import { nameOf } from "./asked.js";
import { byId } from "./dom.js";
import { cards } from "./results.js";
import { sightText } from "./sight.js";
import { countText, percentText, sureText } from "./words.js";

const SHOWN = 12;
/** Confidence below which the page does not say flatly that the shop sells an item. */
const SURE = 0.35;

/**
 * Show an item's products.
 *
 * @param {object[]} items All that were found.
 * @param {number} chosen The one that is looked at.
 * @param {{photo: object|null, wrong: Set<string>, onOpen: (match: object) => void}} more
 */
export function showAnswer(items, chosen, { photo, wrong, onOpen }) {
  const found = items[chosen];
  byId("share-place").replaceChildren();
  byId("remove-box").hidden = !found?.own;
  byId("more").hidden = true;
  if (!found) {
    heading("Nothing to search for was found", "Try another photo, or draw a box around what you mean.", "");
    byId("matches").replaceChildren();
    return;
  }
  const hint = sightText(photo?.sight);
  heading(titleOf(items, chosen, photo), hint || noteOf(found), stateOf(found, photo));
  // Where there is nothing to see, nothing has been recognised.
  const likes = found.likes || photo?.sight.isBlank;
  byId("matches").classList.toggle("absent", !found.in_catalogue);
  const shown = cards({ ...found, likes }, onOpen, wrong);
  byId("matches").replaceChildren(...shown.slice(0, SHOWN));
  byId("more").hidden = shown.length <= SHOWN;
  byId("more").onclick = () => {
    byId("matches").append(...shown.slice(SHOWN));
    byId("more").hidden = true;
    shown[SHOWN].querySelector("button").focus();
  };
}

/** Say what was found to somebody who does not see it. */
export function spokenAnswer(items, chosen, photo) {
  const found = items[chosen];
  if (!found) return "Nothing to search for was found.";
  const best = found.matches[0];
  const hint = sightText(photo?.sight);
  if (hint) return `${hint} ${countText(found.matches.length, "product")} shown.`;
  const start =
    items.length > 1 ? `${countText(items.length, "item")}. ${nameOf(found, chosen, photo)}. ` : "";
  if (!best) return `${start}No product fits.`;
  const title = best.product.title || best.product.id;
  const count = countText(found.matches.length, "product");
  if (found.likes) return `${count} that look alike. First: ${title}.`;
  if (!found.in_catalogue) return `${start}Not in this shop. Most alike: ${title}.`;
  const sure = `${sureText(best.confidence)}, ${percentText(best.confidence)}`;
  return `${start}${count}. Best match: ${title}. ${sure}.`;
}

function stateOf(found, photo) {
  if (found.likes || !found.matches.length || photo?.sight.isBlank) return "";
  if (!found.in_catalogue) return "absent";
  return found.matches[0].confidence < SURE ? "perhaps" : "here";
}

function titleOf(items, chosen, photo) {
  const found = items[chosen];
  if (found.likes) return "Looks like it";
  if (photo?.sight.isBlank) return "Nothing to recognise";
  if (items.length === 1 && !found.own) return found.item.label || "Best matches";
  return nameOf(found, chosen, photo);
}

function noteOf(found) {
  if (!found.matches.length) return "None of our products fits. Try other filters.";
  if (found.likes) return "The products of our shop that look most like this one.";
  if (found.in_catalogue) return "";
  return "These of our products look most like it.";
}

function heading(title, note, state) {
  byId("item-title").textContent = title;
  byId("item-note").textContent = note;
  const tag = byId("item-tag");
  tag.hidden = !state;
  tag.className = `tag ${state === "absent" ? "bad" : "good"}`;
  tag.textContent =
    { here: "In our shop", perhaps: "Perhaps in our shop" }[state] ?? "Not in this shop";
}
