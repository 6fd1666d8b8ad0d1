// The page's address: what is searched for, filters and boxes, so that a link shows the same.

import { readFilters, writeFilters } from "./filter_text.js";

/** Read an address's query. */
export function readPlace(search) {
  const query = new URLSearchParams(search);
  return {
    like: query.get("like") ?? "",
    url: /^https?:\/\//i.test(query.get("url") ?? "") ? query.get("url") : "",
    kept: /^[0-9a-f]{32}$/.test(query.get("kept") ?? "") ? query.get("kept") : "",
    boxes: query.getAll("box").map(readBox).filter(Boolean).slice(0, 20),
    item: Math.max(0, (Number.parseInt(query.get("item") ?? "1", 10) || 1) - 1),
    filters: readFilters(query),
  };
}

/** Write an address's query, without the question mark; "" for the start. */
export function writePlace({ like, url, kept, boxes = [], item = 0, filters }) {
  const query = new URLSearchParams();
  if (like) query.set("like", like);
  if (url) query.set("url", url);
  if (kept) query.set("kept", kept);
  if (like || url || kept) {
    for (const box of boxes) query.append("box", box.map((n) => Math.round(n)).join(","));
    if (item) query.set("item", item + 1);
  }
  writeFilters(query, filters);
  return query.toString();
}

function readBox(text) {
  const box = text.split(",").map(Number);
  return box.length === 4 && box.every((n) => Number.isFinite(n) && n >= 0 && n < 1e5) ? box : null;
}
