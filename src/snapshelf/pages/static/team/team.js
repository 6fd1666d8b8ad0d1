// The catalogue team's page: one view at a time, by the address behind #.

import { askJson } from "../api.js";
import { byId, el } from "../dom.js";
import { Annotating } from "./annotating.js";
import { Duplicates } from "./duplicates.js";
import { Feed } from "./feed.js";
import { ProductSheet } from "./product_sheet.js";
import { ShelfView } from "./shelf_view.js";

const NAMES = ["shelf", "duplicates", "annotate", "feed"];

const views = {};
const sheet = new ProductSheet({
  onChanged: (id) => views.shelf.refresh(id),
  onDeleted: (id) => {
    views.shelf.remove(id);
    views.duplicates.remove(id);
  },
});
views.shelf = new ShelfView((id) => sheet.open(id));
views.duplicates = new Duplicates((id) => sheet.open(id));
views.annotate = new Annotating((id) => sheet.open(id));
views.feed = new Feed(() => {
  views.shelf.reload();
  loadFacets();
});

let shown = "";

function show({ moveFocus = true } = {}) {
  const [name, query] = location.hash.slice(1).split("?");
  const next = NAMES.includes(name) ? name : "shelf";
  for (const each of NAMES) byId(`view-${each}`).hidden = each !== next;
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.hash === `#${next}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const changed = shown !== next;
  shown = next;
  document.title = document.title.replace(/^[^·]*/, `${byId(`${next}-title`).textContent} `);
  views[next].show?.(new URLSearchParams(query ?? ""));
  if (changed && moveFocus) byId(`${next}-title`).focus({ preventScroll: true });
}

async function loadFacets() {
  try {
    const { categories, brands } = await askJson("v1/shelf/facets");
    fill(byId("browse-category"), categories.map(categoryOption));
    fill(byId("compare-category"), categories.map(categoryOption));
    fill(
      byId("browse-brand"),
      brands.map(({ brand, products }) => el("option", { value: brand, text: `${brand} (${products})` })),
    );
  } catch {
    // The choices are an extra: words and the filter find everything.
  }
}

function categoryOption({ category, products }) {
  const path = category.split(" > ");
  return el("option", { value: category, text: `${"\u2003".repeat(path.length - 1)}${path.at(-1)} (${products})` });
}

function fill(select, options) {
  const before = select.value || select.dataset.wanted || "";
  select.replaceChildren(select.options[0], ...options);
  select.value = options.some((each) => each.value === before) ? before : "";
}

window.addEventListener("hashchange", () => show());
loadFacets().then(() => show({ moveFocus: false }));
