// The customers' page: what is searched for, what was found, and how one leads to the other.

import { showAnswer, spokenAnswer } from "./answer_view.js";
import { ask, askJson, begin, Problem } from "./api.js";
import { boxesOf, showChips, showClip, showPhoto, showProduct } from "./asked.js";
import { Detail } from "./detail.js";
import { announce, byId, moves, toast } from "./dom.js";
import { tellEvent } from "./events.js";
import { showExamples } from "./examples.js";
import { filterText } from "./filter_text.js";
import { Filters } from "./filters.js";
import { listen } from "./intake.js";
import { follow } from "./job.js";
import { Overlay } from "./overlay.js";
import { kindOf, ready } from "./picture.js";
import { readPlace, writePlace } from "./place.js";
import { searchFor } from "./send.js";
import { busy, failed, progress, quiet, show, showLink, waiting } from "./status.js";
import { bestOf, takeFrames, Timeline } from "./timeline.js";
import { countText } from "./words.js";

const TOP = 24;
const MOST_BOXES = 8;
const mostBytes = Number(byId("find").dataset.mostBytes);
const linkDays = Number(byId("find").dataset.linkDays);

// What is searched for: `kind` is "photo" (with `photo`, and `kept` or `url` where a link names it),
// "clip" (with `url` and `frames`), "like" (with the product's ID), or "" at the start.
let asked = { kind: "" };
let answer = { items: [], chosen: 0, requestId: "" };
let wrong = new Set();
let work = new AbortController();
let again = () => {};

const overlay = new Overlay(byId("stage"), {
  onChoose: choose,
  onDrawn: searchBox,
  onDropped: () => setDrawing(false),
});
const timeline = new Timeline((index) => {
  choose(index);
  timeline.seek(answer.items[index]);
});
const detail = new Detail({ onWrong: tellWrong, onLike: searchLikeNext });
const filters = new Filters(readPlace(location.search).filters, () => {
  keepPlace();
  if (asked.kind) again();
});

// --- searching ------------------------------------------------------------------------------

async function take(file) {
  const kind = await kindOf(file);
  if (kind === "empty") return refuse("This file is empty.");
  if (kind === "other") {
    return refuse("This is neither a photo nor a clip. Choose a JPEG, PNG, WebP, HEIC or MP4 file.");
  }
  leaveStart("");
  return kind === "clip" ? searchClip(file) : searchPhoto(file);
}

async function searchPhoto(file, { kept = "", url = "", boxes = [], item = 0 } = {}) {
  const { signal } = restart();
  again = () => searchPhoto(file, { kept, url, boxes });
  show("found");
  busy("Getting your photo ready …");
  try {
    const photo = await ready(file, { signal });
    if (signal.aborted) return URL.revokeObjectURL(photo.url);
    if (photo.blob.size > mostBytes) throw new Problem("This photo is too large. Try a smaller one.");
    release();
    asked = { kind: "photo", photo, kept, url };
    again = searchAgain;
    showPhoto(photo);
    overlay.clear();
    await searchItems(boxes, item, signal);
  } catch (error) {
    failed(error);
  }
  return undefined;
}

async function searchItems(boxes, item, signal) {
  const { blob } = asked.photo;
  const options = { top: TOP, filter: filterText(filters.chosen) };
  busy("Sending your photo …");
  const onProgress = (share) =>
    progress(share, share < 1 ? "Sending your photo …" : "Looking through the shop …");
  const found = await searchFor(blob, options, { signal, onProgress, onWait: waiting });
  if (boxes.length) {
    const own = await searchFor(blob, { ...options, boxes }, { signal, onWait: waiting });
    found.items.push(...own.items.map(asOwn));
  }
  if (!signal.aborted) answered(found.items, found.request_id, Math.min(item, found.items.length - 1));
}

function searchAgain() {
  const { signal } = restart();
  searchItems(boxesOf(answer.items), Math.max(0, answer.chosen), signal).catch(failed);
}

async function searchBox(box) {
  setDrawing(false);
  if (boxesOf(answer.items).length >= MOST_BOXES) {
    toast(`${MOST_BOXES} boxes are enough. Remove one first.`);
    return showItems();
  }
  const { signal } = restart();
  const before = answer.items;
  busy("Looking at your box …");
  try {
    const options = { top: TOP, filter: filterText(filters.chosen), boxes: [box] };
    const found = await searchFor(asked.photo.blob, options, { signal, onWait: waiting });
    if (signal.aborted) return undefined;
    const items = [...before, ...found.items.map(asOwn)];
    again = searchAgain;
    answered(items, found.request_id, items.length - 1);
  } catch (error) {
    again = () => searchBox(box);
    failed(error);
  }
  return undefined;
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
    const onProgress = (share) => progress(share, "Sending your clip …");
    let found = await searchFor(file, options, { signal, name: "clip", onProgress, onWait: waiting });
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

async function searchLike(id) {
  const { signal } = restart();
  again = () => searchLike(id);
  release();
  asked = { kind: "like", like: id };
  show("found");
  busy("Looking for what is alike …");
  try {
    const query = { top: TOP, filter: filterText(filters.chosen) };
    const [title, found] = await Promise.all([
      showProduct(id, signal),
      ask(`v1/products/${encodeURIComponent(id)}/similar`, { query, signal }),
    ]);
    const { matches } = await found.json();
    if (signal.aborted) return;
    const item = { item: { box: [], label: title }, matches, in_catalogue: true, likes: true };
    answered([item], found.headers.get("X-Request-ID") ?? "", 0);
  } catch (error) {
    failed(error);
  }
}

function searchLikeNext(id) {
  leaveStart(writePlace({ like: id, filters: filters.chosen }));
  searchLike(id);
}

// --- what was found -------------------------------------------------------------------------

function answered(items, requestId, chosen) {
  if (requestId !== answer.requestId) wrong = new Set();
  answer = { items, chosen: Math.max(0, chosen), requestId };
  quiet();
  choose(answer.chosen);
}

function choose(index) {
  answer.chosen = index;
  showItems();
  keepPlace();
  announce(spokenAnswer(answer.items, index, asked.photo ?? null));
}

function showItems() {
  const { items, chosen } = answer;
  const isPhoto = asked.kind === "photo";
  byId("draw").hidden = !isPhoto;
  byId("share").hidden = !(asked.kind === "like" || asked.url?.startsWith("http") || (isPhoto && linkDays));
  if (isPhoto) {
    overlay.show(items.map((each) => each.item), chosen, asked.photo);
    showChips(items, chosen, asked.photo, choose);
  } else if (asked.kind === "clip") {
    timeline.show(items, chosen);
    asked.frames.forEach((frame, index) => frame && timeline.thumbnail(index, frame.url));
  }
  showAnswer(items, chosen, { photo: asked.photo ?? null, wrong, onOpen: openDetail });
}

function removeBox() {
  const { items, chosen } = answer;
  if (!items[chosen]?.own) return;
  answer.items = items.filter((each, index) => index !== chosen);
  choose(Math.max(0, chosen - 1));
  byId("item-title").focus();
}

function openDetail(match) {
  const found = answer.items[answer.chosen];
  tell("click", match);
  detail.open(found.matches, found.matches.indexOf(match), queryOf(found));
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
  const { requestId, chosen } = answer;
  return tellEvent(type, { requestId, productId: match.product.id, item: chosen, rank: match.rank });
}

function tellWrong(match) {
  wrong.add(match.product.id);
  tell("wrong_match", match);
  showItems();
}

function asOwn(found) {
  return { ...found, own: true };
}

// --- coming and going -----------------------------------------------------------------------

function restart() {
  work.abort();
  work = new AbortController();
  return work;
}

function release() {
  if (asked.photo) URL.revokeObjectURL(asked.photo.url);
  if (asked.kind !== "clip") return;
  URL.revokeObjectURL(asked.url);
  for (const frame of asked.frames) if (frame) URL.revokeObjectURL(frame.url);
}

function home() {
  restart();
  release();
  asked = { kind: "" };
  answer = { items: [], chosen: 0, requestId: "" };
  overlay.clear();
  show("start");
}

function leaveStart(query) {
  byId("refused").hidden = true;
  history.pushState(null, "", query ? `?${query}` : location.pathname);
  window.scrollTo({ top: 0, behavior: moves() ? "smooth" : "instant" });
}

function refuse(message) {
  byId("refused").hidden = false;
  byId("refused").textContent = message;
  if (asked.kind) toast(message);
}

function keepPlace() {
  const isPhoto = asked.kind === "photo";
  const query = writePlace({
    like: asked.like,
    url: isPhoto ? asked.url : "",
    kept: asked.kept,
    boxes: isPhoto ? boxesOf(answer.items) : [],
    item: answer.chosen,
    filters: filters.chosen,
  });
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
}

/** Show what the address says. */
async function open() {
  const place = readPlace(location.search);
  if (place.like) return searchLike(place.like);
  if (!place.url && !place.kept) return home();
  const { signal } = restart();
  again = open;
  show("found");
  busy("Fetching the photo of this link …");
  try {
    const found = place.kept
      ? await ask(`v1/links/${place.kept}`, { signal })
      : await ask("v1/upright", { method: "POST", json: { url: place.url }, signal });
    return await searchPhoto(await found.blob(), place);
  } catch (error) {
    return failed(error);
  }
}

async function share() {
  const button = byId("share");
  button.disabled = true;
  try {
    const keeps = asked.kind === "photo" && !asked.url && !asked.kept;
    if (keeps) {
      const headers = { "Content-Type": "application/octet-stream" };
      const kept = await askJson("v1/links", { method: "POST", body: asked.photo.blob, headers });
      asked.kept = kept.id;
      keepPlace();
    }
    const told = asked.kept ? ` Its photo is kept for ${countText(linkDays, "day")}.` : "";
    try {
      await navigator.clipboard.writeText(location.href);
      toast(`Link copied.${told}`);
    } catch {
      // Pages that did not come by https may not write there.
      showLink(location.href);
    }
  } catch (error) {
    toast(error.message);
  } finally {
    button.disabled = false;
  }
}

function setDrawing(on) {
  overlay.drawing = on;
  byId("draw").setAttribute("aria-pressed", String(on));
  byId("draw-hint").hidden = !on;
}

function stop() {
  work.abort();
  if (!answer.items.length) return home();
  quiet();
  return showItems();
}

listen((file) => take(file).catch(failed), refuse);
byId("again").addEventListener("click", () => {
  leaveStart("");
  home();
  byId("choose").focus();
});
byId("stop").addEventListener("click", stop);
byId("trouble-again").addEventListener("click", () => again());
byId("remove-box").addEventListener("click", removeBox);
byId("share").addEventListener("click", share);
byId("draw").addEventListener("click", (event) => {
  setDrawing(!overlay.drawing);
  // By keys there is nothing to drag.
  if (overlay.drawing && event.detail === 0) overlay.drawByKeys(asked.photo);
  else if (overlay.drawing) announce("Drag a box around what you mean.");
});
window.addEventListener("popstate", open);

filters
  .load()
  .then((facets) => showExamples(facets, searchLikeNext))
  .catch((error) => {
    // The page was opened before its session ended.
    if (error.status === 401) begin().catch(() => location.reload());
  });
open();
