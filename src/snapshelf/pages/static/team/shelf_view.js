// Browsing the shelf: words, category, brand and filter, page after page.

import { askJson, Problem } from "../api.js";
import { announce, byId, el } from "../dom.js";
import { filterText, NONE } from "../filter_text.js";
import { countText } from "../words.js";
import { productCard } from "./product_card.js";

const LIMIT = 24;
const WAIT_MS = 350;
const BONES = 8;

export class ShelfView {
  #form = byId("browse");
  #list = byId("products");
  #more = byId("browse-next");
  #told = byId("browse-told");
  #onOpen;
  #next = null;
  #turn = null;
  #timer = 0;
  #asked = null;
  #total = null;

  constructor(onOpen) {
    this.#onOpen = onOpen;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#changed();
    });
    this.#form.addEventListener("change", () => this.#changed());
    byId("browse-text").addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#changed(), WAIT_MS);
    });
    this.#more.addEventListener("click", () => this.#load());
  }

  /** Show what an address asks for. */
  show(query) {
    for (const name of ["text", "category", "brand", "filter"]) {
      const field = this.#form.elements[name];
      const wanted = query.get(name) ?? "";
      if (field instanceof HTMLSelectElement && wanted && ![...field.options].some((o) => o.value === wanted)) {
        field.append(el("option", { value: wanted, text: wanted }));
      }
      if (field !== document.activeElement) field.value = wanted;
    }
    if (query.get("filter")) byId("browse-more").open = true;
    const asked = this.#query().toString();
    if (asked !== this.#asked) this.reload();
  }

  /** Begin anew, since the shelf may have changed. */
  reload() {
    this.#asked = this.#query().toString();
    this.#next = null;
    this.#list.replaceChildren(...bones());
    this.#load(true);
  }

  /** Show a product as it is now. */
  async refresh(id) {
    const card = this.#card(id);
    if (!card) return this.reload();
    const { products } = await askJson("v1/products", { query: { filter: `id="${id.replace(/[\\"]/g, "\\$&")}"` } });
    if (products.length) card.replaceWith(productCard(products[0], this.#onOpen));
    return undefined;
  }

  /** Take a product away that was deleted. */
  remove(id) {
    const card = this.#card(id);
    if (!card) return;
    const neighbour = card.nextElementSibling ?? card.previousElementSibling;
    card.remove();
    if (this.#total !== null) this.#count(this.#total - 1);
    (neighbour?.querySelector("button") ?? byId("shelf-title")).focus();
  }

  #card(id) {
    return [...this.#list.children].find((each) => each.dataset.id === id);
  }

  #query() {
    const data = new FormData(this.#form);
    const query = new URLSearchParams();
    for (const [name, value] of data) if (value.trim()) query.set(name, value.trim());
    return query;
  }

  #changed() {
    clearTimeout(this.#timer);
    const query = this.#query().toString();
    if (query === this.#asked) return;
    history.replaceState(null, "", query ? `#shelf?${query}` : "#shelf");
    this.reload();
  }

  async #load(first = false) {
    this.#turn?.abort();
    const turn = (this.#turn = new AbortController());
    const query = this.#query();
    const chosen = { ...NONE, category: query.get("category") ?? "", brands: query.getAll("brand") };
    const filter = [filterText(chosen), query.get("filter")].filter(Boolean).join(",");
    this.#list.setAttribute("aria-busy", "true");
    this.#more.disabled = true;
    try {
      const page = await askJson("v1/products", {
        query: { limit: LIMIT, after: this.#next, filter, text: query.get("text") },
        signal: turn.signal,
      });
      const cards = page.products.map((product) => productCard(product, this.#onOpen));
      if (first) this.#list.replaceChildren(...cards);
      else this.#list.append(...cards);
      this.#next = page.next;
      this.#more.hidden = !page.next;
      this.#told.textContent = "";
      this.#form.elements.filter.removeAttribute("aria-invalid");
      this.#count(page.total);
      if (!first) cards[0]?.querySelector("button").focus();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (first) this.#list.replaceChildren();
      this.#more.hidden = true;
      this.#told.textContent = problem instanceof Problem ? problem.message : "That did not work.";
      if (problem.status === 422) this.#form.elements.filter.setAttribute("aria-invalid", "true");
    } finally {
      if (turn === this.#turn) {
        this.#list.removeAttribute("aria-busy");
        this.#more.disabled = false;
      }
    }
  }

  #count(total) {
    this.#total = total;
    const shown = this.#list.children.length;
    const text =
      total === null
        ? this.#next
          ? `${shown} shown, there are more`
          : countText(shown, "product")
        : countText(total, "product");
    byId("shelf-count").textContent = text;
    const empty = byId("browse-empty");
    empty.hidden = shown > 0;
    empty.textContent = this.#asked ? "No product fits this. Try fewer words." : "The shelf is empty. Index a feed to fill it.";
    announce(text);
  }
}

function bones() {
  return Array.from({ length: BONES }, () =>
    el("li", { class: "card bone-card", "aria-hidden": "true" }, el("span", { class: "picture" }), el("div", { class: "card-text" }, el("span", { class: "bone" }), el("span", { class: "bone short" }))),
  );
}
