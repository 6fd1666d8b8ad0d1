// The customers' page: what is searched for, what was found, and how one leads to the other.

import { ask, askJson, begin, Problem } from "./api.js";
import { boxesOf, keptPicture, nameOf, showChips, showClip, showPhoto, showProduct } from "./asked.js";
import { announce, byId, el, moves, toast } from "./dom.js";
import { Detail } from "./detail.js";
import { tellEvent } from "./events.js";
import { filterText } from "./filter_text.js";
import { Filters } from "./filters.js";
import { listen } from "./intake.js";
import { follow } from "./job.js";
import { Overlay } from "./overlay.js";
import { kindOf, ready } from "./picture.js";
import { readPlace, writePlace } from "./place.js";
import { cards, skeletons } from "./results.js";
import { searchFor } from "./send.js";
import { bestOf, takeFrames, Timeline } from "./timeline.js";
import { showExamples } from "./examples.js";
import { countText, percentText, sureText } from "./words.js";

const TOP = 24;
const MOST_BOXES = 8;
const SHOWN = 12;
const SURE = 0.35;
const page = byId("find");
const mostBytes = Number(page.dataset.mostBytes);
const linkDays = Number(page.dataset.linkDays);

// What is searched for and what was found. `kind` is photo, clip, like or "".
let asked = { kind: "" };
let answer = { items: [], chosen: 0, requestId: "" };
let wrong = new Set();
let work = new AbortController();
let again = () => {};

const overlay = new Overlay(byId("stage"), { onChoose: choose, onDrawn: searchBox });
const timeline = new Timeline((index) => {
  choose(index);
  timeline.seek(answer.items[index]);
});
const detail = new Detail({ onWrong: tellWrong, onLike: (id) => go({ like: id }) });
const filters = new Filters(readPlace(location.search).filters, () => {
  keepPlace();
  if (asked.kind) again();
});

// --- what comes in --------------------------------------------------------------------------

async function take(file) {
  const kind = await kindOf(file);
  if (kind === "empty") return refuse("This file is empty.");
  if (kind === "other") return refuse("This is neither a photo nor a clip. Choose a JPEG, PNG, WebP, HEIC or MP4 file.");
  begun();
  push("");
  if (kind === "clip") return searchClip(file);
  return searchPhoto(file);
}

async function searchPhoto(file, { kept = "", boxes = [], item = 0 } = {}) {
  const { signal } = restart();
  again = () => searchPhoto(file, { kept, boxes });
  show("found");
  busy("Getting your photo ready …");
  try {
    const photo = await ready(file, { signal });
    if (signal.aborted) return URL.revokeObjectURL(photo.url);
    if (photo.blob.size > mostBytes) throw new Problem("This photo is too large. Try a smaller one.");
    release();
    asked = { kind: "photo", photo, kept };
    again = () => searchAgain();
    showPhoto(photo);
    overlay.clear();
    await searchItems(boxes, item, signal);
  } catch (error) {
    failed(error);
  }
}

async function searchItems(boxes, item, signal) {
  const { photo } = asked;
  const options = { top: TOP, filter: filterText(filters.chosen) };
  busy("Sending your photo …");
  const seen = {
    signal,
    onProgress: (share) => progress(share, share < 1 ? "Sending your photo …" : "Looking through the shop …"),
    onWait: (seconds) => busy(`Many are searching. Trying again in ${seconds} s …`),
  };
  const found = await searchFor(photo.blob, options, seen);
  const items = found.items;
  if (boxes.length) {
    const own = await searchFor(photo.blob, { ...options, boxes }, seen);
    items.push(...own.items.map((each) => ({ ...each, own: true })));
  }
  if (signal.aborted) return;
  answered(items, found.request_id, Math.min(item, items.length - 1));
}

function searchAgain() {
  if (asked.kind !== "photo") return;
  const { signal } = restart();
  const { chosen } = answer;
  searchItems(boxesOf(answer.items), Math.max(0, chosen), signal).catch(failed);
}

async function searchBox(box) {
  byId("draw").setAttribute("aria-pressed", "false");
  byId("draw-hint").hidden = true;
  if (boxesOf(answer.items).length >= MOST_BOXES) {
    toast(`${MOST_BOXES} boxes are enough. Remove one first.`);
    return showItems();
  }
  const { signal } = restart();
  const before = answer.items;
  busy("Looking at your box …");
  try {
    const found = await searchFor(
      asked.photo.blob,
      { top: TOP, filter: filterText(filters.chosen), boxes: [box] },
      { signal, onWait: (seconds) => busy(`Many are searching. Trying again in ${seconds} s …`) },
    );
    if (signal.aborted) return;
    const items = [...before, ...found.items.map((each) => ({ ...each, own: true }))];
    answered(items, found.request_id, items.length - 1);
  } catch (error) {
    again = () => searchBox(box);
    failed(error);
  }
  return undefined;
}

function removeBox() {
  const { items, chosen } = answer;
  if (!items[chosen]?.own) return;
  answer.items = items.filter((each, index) => index !== chosen);
  choose(Math.max(0, chosen - 1));
  byId("item-title").focus();
}

async function searchClip(file) {
  const { signal } = restart();
  again = () => searchClip(file);
  release();
  asked = { kind: "clip", url: URL.createObjectURL(file), frames: [] };
  show("found");
  showClip(asked.url);
  busy("Sending your clip …");
  try {
    const options = { top: TOP, filter: filterText(filters.chosen) };
    let found = await searchFor(file, options, {
      signal,
      name: "clip",
      onProgress: (share) => progress(share, "Sending your clip …"),
      onWait: (seconds) => busy(`Many are searching. Trying again in ${seconds} s …`),
    });
    if (found.job) {
      progress(0, "Watching your clip …");
      found = await follow(found.job, {
        signal,
        onProgress: (share, status) => {
          if (status === "queued") busy("Waiting for others' clips …");
          else progress(share, "Watching your clip …");
        },
      });
    }
    if (signal.aborted) return;
    asked.size = found.size;
    answered(found.items, found.request_id ?? "", 0);
    takeFrames(asked.url, found.items, keepFrame, signal);
  } catch (error) {
    failed(error);
  }
}

async function searchLike(id, item = 0) {
  const { signal } = restart();
  again = () => searchLike(id);
  release();
  asked = { kind: "like", like: id };
  show("found");
  busy("Looking for what is alike …");
  try {
    const [title, found] = await Promise.all([
      showProduct(id, signal),
      ask(`v1/products/${encodeURIComponent(id)}/similar`, {
        query: { top: TOP, filter: filterText(filters.chosen) },
        signal,
      }),
    ]);
    const { matches } = await found.json();
    if (signal.aborted) return;
    asked.title = title;
    const requestId = found.headers.get("X-Request-ID") ?? "";
    answered([{ item: { box: [], label: title }, matches, in_catalogue: true, likes: true }], requestId, item);
  } catch (error) {
    failed(error);
  }
}

async function searchUrl(url, place) {
  // The shop fetches it; the picture itself is not ours to show.
  const { signal } = restart();
  again = () => searchUrl(url, place);
  show("found");
  busy("Fetching the picture …");
  try {
    const json = { url, top: TOP };
    const filter = filterText(filters.chosen);
    if (filter) json.filter = filter;
    if (place.boxes.length) json.boxes = place.boxes;
    const found = await askJson("v1/search", { method: "POST", json, signal });
    release();
    asked = { kind: "url", url };
    byId("photo-asked").hidden = true;
    answered(found.items.map((each) => ({ ...each, own: place.boxes.length > 0 })), found.request_id, place.item);
  } catch (error) {
    failed(error);
  }
}

// --- what was found -------------------------------------------------------------------------

function answered(items, requestId, chosen) {
  if (requestId !== answer.requestId) wrong = new Set();
  answer = { items, chosen: Math.max(0, chosen), requestId };
  quiet();
  showItems();
  keepPlace();
  announce(spoken());
}

function choose(index) {
  answer.chosen = index;
  showItems();
  keepPlace();
  announce(spoken());
}

function showItems() {
  const { items, chosen } = answer;
  const found = items[chosen];
  byId("share").hidden = !(asked.kind === "like" || asked.kind === "url" || (asked.kind === "photo" && linkDays));
  byId("draw").hidden = asked.kind !== "photo";
  byId("remove-box").hidden = !found?.own;
  if (asked.kind === "photo") {
    overlay.show(items.map((each) => each.item), chosen, asked.photo);
    showChips(items, chosen, asked.photo, choose);
  } else if (asked.kind === "clip") {
    timeline.show(items, chosen);
    asked.frames.forEach((frame, index) => frame && timeline.thumbnail(index, frame.url));
  }
  const list = byId("matches");
  if (!found) {
    heading("Nothing to search for was found", "Try another photo, or draw a box around what you mean.", "");
    byId("more").hidden = true;
    return list.replaceChildren();
  }
  heading(titleOf(found, chosen), noteOf(found), stateOf(found));
  list.classList.toggle("absent", !found.in_catalogue);
  showMatches(found, SHOWN);
  return undefined;
}

function showMatches(found, most) {
  const shown = cards(found, openDetail, wrong);
  byId("matches").replaceChildren(...shown.slice(0, most));
  byId("more").hidden = shown.length <= most;
}

function stateOf(found) {
  if (found.likes) return "";
  if (!found.in_catalogue) return "absent";
  return found.matches[0].confidence < SURE ? "perhaps" : "here";
}

function titleOf(found, index) {
  if (found.likes) return "Looks like it";
  if (answer.items.length === 1 && !found.own) return found.item.label || "Best matches";
  return nameOf(found, index, asked.photo);
}

function noteOf(found) {
  if (!found.matches.length) return "None of our products fits. Try other filters.";
  if (found.likes) return "The products of our shop that look most like this one.";
  if (found.in_catalogue) return "";
  return "We are not sure that we sell it. These look most like it.";
}

function heading(title, note, state) {
  byId("item-title").textContent = title;
  byId("item-note").textContent = note;
  const tag = byId("item-tag");
  tag.hidden = !state;
  tag.className = `tag ${state === "absent" ? "bad" : "good"}`;
  tag.textContent = { here: "In our shop", perhaps: "Perhaps in our shop" }[state] ?? "Not in this shop";
}

function spoken() {
  const { items, chosen } = answer;
  const found = items[chosen];
  if (!found) return "Nothing to search for was found.";
  const best = found.matches[0];
  const start = items.length > 1 ? `${countText(items.length, "item")}. ${nameOf(found, chosen, asked.photo)}. ` : "";
  if (!best) return `${start}No product fits.`;
  const title = best.product.title || best.product.id;
  if (found.likes) return `${countText(found.matches.length, "product")} that look alike. First: ${title}.`;
  const sure = `${sureText(best.confidence)}, ${percentText(best.confidence)}`;
  return found.in_catalogue
    ? `${start}${countText(found.matches.length, "product")}. Best match: ${title}. ${sure}.`
    : `${start}Not in this shop. Most alike: ${title}.`;
}

function openDetail(match) {
  const found = answer.items[answer.chosen];
  const place = found.matches.indexOf(match);
  tell("click", match);
  detail.open(found.matches, place, queryOf(found));
}

// The customer's picture for a comparison; of a clip the frame where the item is seen best.
function queryOf(found) {
  if (asked.kind === "photo") {
    const { url, width, height } = asked.photo;
    return { url, size: [width, height], box: found.item.box, seen: found.item.attributes };
  }
  const frame = asked.kind === "clip" ? asked.frames[answer.items.indexOf(found)] : null;
  return frame ? { url: frame.url, size: asked.size ?? frame.full, box: bestOf(found).box } : null;
}

function keepFrame(index, { blob, full }) {
  const url = URL.createObjectURL(blob);
  asked.frames[index] = { url, full };
  timeline.thumbnail(index, url);
}

function tell(type, match) {
  return tellEvent(type, {
    requestId: answer.requestId,
    productId: match.product.id,
    item: answer.chosen,
    rank: match.rank,
  });
}

function tellWrong(match) {
  wrong.add(match.product.id);
  tell("wrong_match", match);
  showItems();
}

// --- how it stands --------------------------------------------------------------------------

function restart() {
  work.abort();
  work = new AbortController();
  return work;
}

function release() {
  if (asked.photo) URL.revokeObjectURL(asked.photo.url);
  if (asked.kind === "clip") {
    URL.revokeObjectURL(asked.url);
    for (const frame of asked.frames) if (frame) URL.revokeObjectURL(frame.url);
  }
}

function show(state) {
  page.dataset.state = state;
  byId("start").hidden = state !== "start";
  byId("found").hidden = state !== "found";
  byId("trouble").hidden = true;
}

function begun() {
  byId("refused").hidden = true;
  window.scrollTo({ top: 0, behavior: moves() ? "smooth" : "instant" });
}

function busy(text) {
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

function progress(share, text) {
  byId("busy").hidden = false;
  byId("busy-text").textContent = text;
  if (share < 1) byId("busy-bar").value = share;
  else byId("busy-bar").removeAttribute("value");
}

function quiet() {
  byId("busy").hidden = true;
  byId("trouble").hidden = true;
  byId("answer-head").hidden = false;
  byId("stage").classList.remove("searching");
  byId("answers").setAttribute("aria-busy", "false");
}

function failed(error) {
  if (error.name === "AbortError") return;
  quiet();
  byId("answer-head").hidden = true;
  byId("matches").replaceChildren();
  byId("more").hidden = true;
  byId("trouble").hidden = false;
  byId("trouble-text").textContent = error instanceof Problem ? error.message : "Something went wrong on this page.";
  byId("trouble-id").textContent = error.requestId ? `Request ${error.requestId}` : "";
  if (!(error instanceof Problem)) console.error(error);
  byId("trouble-again").focus({ preventScroll: true });
}

function refuse(message) {
  const told = byId("refused");
  told.hidden = false;
  told.textContent = message;
  if (asked.kind) toast(message);
}

// --- addresses ------------------------------------------------------------------------------

function keepPlace() {
  const query = writePlace({
    like: asked.like,
    url: asked.kind === "url" ? asked.url : "",
    kept: asked.kept,
    boxes: asked.kind === "photo" ? boxesOf(answer.items) : [],
    item: answer.chosen,
    filters: filters.chosen,
  });
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
}

function push(query) {
  history.pushState(null, "", query ? `?${query}` : location.pathname);
}

function go({ like }) {
  push(writePlace({ like, filters: filters.chosen }));
  begun();
  searchLike(like);
}

async function open() {
  const place = readPlace(location.search);
  if (place.like) return searchLike(place.like, place.item);
  if (place.url) return searchUrl(place.url, place);
  if (place.kept) {
    show("found");
    busy("Fetching the photo of this link …");
    try {
      const file = await (await ask(keptPicture(place.kept))).blob();
      return await searchPhoto(file, place);
    } catch (error) {
      again = open;
      return failed(error);
    }
  }
  return home();
}

function home() {
  restart();
  release();
  asked = { kind: "" };
  answer = { items: [], chosen: 0, requestId: "" };
  overlay.clear();
  show("start");
}

async function share() {
  const button = byId("share");
  button.disabled = true;
  try {
    if (asked.kind === "photo" && !asked.kept) {
      const kept = await askJson("v1/links", {
        method: "POST",
        body: asked.photo.blob,
        headers: { "Content-Type": "application/octet-stream" },
      });
      asked.kept = kept.id;
      keepPlace();
    }
    const text = asked.kind === "photo" ? `Link copied. Its photo is kept for ${countText(linkDays, "day")}.` : "Link copied.";
    await copied(location.href, text);
  } catch (error) {
    toast(error.message);
  } finally {
    button.disabled = false;
  }
}

async function copied(link, text) {
  try {
    await navigator.clipboard.writeText(link);
    toast(text);
  } catch {
    // Pages that did not come by https may not write there.
    const field = el("input", { readonly: true, value: link, "aria-label": "Link to this result" });
    byId("share-place").replaceChildren(field);
    field.select();
  }
}

// --- beginning ------------------------------------------------------------------------------

listen((file) => take(file).catch(failed), refuse);
byId("again").addEventListener("click", () => {
  push("");
  home();
  byId("choose").focus();
});
byId("stop").addEventListener("click", () => {
  work.abort();
  if (answer.items.length) {
    quiet();
    showItems();
  } else home();
});
byId("more").addEventListener("click", () => {
  showMatches(answer.items[answer.chosen], Infinity);
  byId("matches").children[SHOWN]?.querySelector("button").focus();
});
byId("remove-box").addEventListener("click", removeBox);
byId("trouble-again").addEventListener("click", () => again());
byId("share").addEventListener("click", share);
byId("draw").addEventListener("click", (event) => {
  if (asked.kind !== "photo") return;
  const on = !overlay.drawing;
  overlay.drawing = on;
  event.currentTarget.setAttribute("aria-pressed", String(on));
  byId("draw-hint").hidden = !on;
  // By keys there is nothing to drag.
  if (on && event.detail === 0) overlay.drawByKeys(asked.photo);
  else if (on) announce("Drag a box around what you mean.");
});
window.addEventListener("popstate", open);

filters
  .load()
  .then((facets) => showExamples(facets, (id) => go({ like: id })))
  .catch((error) => {
    if (error.status !== 401) return;
    begin().catch(() => location.reload());
  });
open();
