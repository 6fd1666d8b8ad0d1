// The customers' page: what comes in, what the address says, and what follows from either.

import { ask, begin } from "./api.js";
import { byId, moves, toast } from "./dom.js";
import { showExamples } from "./examples.js";
import { Filters } from "./filters.js";
import { Found } from "./found.js";
import { listen } from "./intake.js";
import { kindOf } from "./picture.js";
import { readPlace, writePlace } from "./place.js";
import { SearchState } from "./search_state.js";
import { Searches } from "./searches.js";
import { listenForSharing } from "./sharing.js";
import { busy, failed, quiet, show } from "./status.js";

const state = new SearchState();
const filters = new Filters(readPlace(location.search).filters, () => {
  keepPlace();
  if (state.asked.kind) state.again();
});
const found = new Found(state, {
  onBox: (box) => searches.box(box),
  onLike: searchLike,
  onMoved: keepPlace,
});
const searches = new Searches(state, found, filters);

async function take(file) {
  const kind = await kindOf(file);
  if (kind === "empty") return refuse("This file is empty.");
  if (kind === "other") {
    return refuse("This is neither a photo nor a clip. Choose a JPEG, PNG, WebP, HEIC or MP4 file.");
  }
  leaveStart("");
  return kind === "clip" ? searches.clip(file) : searches.photo(file);
}

function refuse(message) {
  byId("refused").hidden = false;
  byId("refused").textContent = message;
  if (state.asked.kind) toast(message);
}

function searchLike(id) {
  leaveStart(writePlace({ like: id, filters: filters.chosen }));
  searches.like(id);
}

/** Show what the address says. */
async function open() {
  const place = readPlace(location.search);
  if (place.like) return searches.like(place.like);
  if (!place.url && !place.kept) return home();
  const signal = state.restart();
  state.again = open;
  show("found");
  busy("Fetching the photo of this link …");
  try {
    const photo = place.kept
      ? await ask(`v1/links/${place.kept}`, { signal })
      : await ask("v1/upright", { method: "POST", json: { url: place.url }, signal });
    return await searches.photo(await photo.blob(), place);
  } catch (error) {
    if (!signal.aborted) found.nothing();
    return failed(error, place.kept ? "kept" : "web");
  }
}

function home() {
  found.nothing();
  show("start");
}

function stop() {
  state.stop();
  if (!state.answer.items.length) return home();
  quiet();
  return found.show();
}

function leaveStart(query) {
  byId("refused").hidden = true;
  history.pushState(null, "", addressOf(query));
  window.scrollTo({ top: 0, behavior: moves() ? "smooth" : "instant" });
}

function keepPlace() {
  history.replaceState(null, "", addressOf(state.query(filters.chosen)));
}

function addressOf(query) {
  return query ? `?${query}` : location.pathname;
}

listen((file) => take(file).catch(failed), refuse);
listenForSharing(state, keepPlace);
byId("again").addEventListener("click", () => {
  leaveStart("");
  home();
  byId("choose").focus();
});
byId("stop").addEventListener("click", stop);
byId("trouble-again").addEventListener("click", () => state.again());
byId("trouble-reload").addEventListener("click", () => location.reload());
window.addEventListener("popstate", open);

filters
  .load()
  .then((facets) => showExamples(facets, searchLike))
  .catch((error) => {
    // The page was opened before its session ended.
    if (error.status === 401) begin().catch(() => location.reload());
  });
open();
