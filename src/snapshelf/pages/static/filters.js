// The filters above the results: category, brands and price, as the shop's products have them.

import { askJson } from "./api.js";
import { byId, el } from "./dom.js";
import { countChosen, NONE } from "./filter_text.js";
import { priceText } from "./words.js";

const WAIT_MS = 500;
const FEW_BRANDS = 8;

/**
 * The filters.
 *
 * @param {(chosen: object) => void} onChange Called when something else is chosen.
 */
export class Filters {
  #onChange;
  #facets = null;
  #timer = 0;
  #form = byId("filters");

  constructor(chosen, onChange) {
    this.chosen = { ...NONE, ...chosen };
    this.#onChange = onChange;
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("change", () => this.#changed(0));
    this.#form.addEventListener("input", (event) => {
      if (event.target.type === "number") this.#changed(WAIT_MS);
    });
    byId("filters-clear").addEventListener("click", () => {
      this.chosen = { ...NONE };
      this.#show();
      this.#onChange(this.chosen);
      byId("filters-open").focus();
    });
    this.#showCount();
  }

  /** Ask the shop what there is to choose from; without an answer there are no filters. */
  async load() {
    this.#facets = await askJson("v1/shelf/facets");
    this.#show();
    const { categories, brands, prices } = this.#facets;
    byId("filter-box").hidden = !(categories.length > 1 || brands.length > 1 || prices.length);
    return this.#facets;
  }

  #show() {
    if (!this.#facets) return;
    const { categories, brands, prices } = this.#facets;
    const select = byId("category");
    select.replaceChildren(
      el("option", { value: "", text: "All categories" }),
      ...categories.map(({ category, products }) => {
        const path = category.split(" > ");
        const indent = "\u2003".repeat(path.length - 1);
        return el("option", {
          value: category,
          text: `${indent}${path.at(-1)} (${products})`,
        });
      }),
    );
    select.value = this.chosen.category;
    select.closest(".field").hidden = categories.length < 2;
    byId("brands").replaceChildren(...this.#brands(brands));
    byId("brands").closest(".field").hidden = brands.length < 2;
    this.#showPrices(prices);
    this.#showCount();
  }

  #brands(brands) {
    const chosen = new Set(this.chosen.brands);
    const option = ({ brand, products }) =>
      el(
        "label",
        { class: "check" },
        el("input", { type: "checkbox", name: "brand", value: brand, checked: chosen.has(brand) }),
        el("span", { class: "text", dir: "auto", text: brand }),
        el("span", { class: "count", text: String(products) }),
      );
    const first = brands.filter((each, place) => place < FEW_BRANDS || chosen.has(each.brand));
    const rest = brands.filter((each) => !first.includes(each));
    const shown = first.map(option);
    if (rest.length) {
      shown.push(
        el(
          "details",
          { class: "more" },
          el("summary", { text: `${rest.length} more` }),
          el("div", { class: "checks" }, ...rest.map(option)),
        ),
      );
    }
    return shown;
  }

  #showPrices(prices) {
    const price = prices.find((each) => each.currency === this.chosen.currency) ?? prices[0];
    const field = byId("least").closest(".field");
    field.hidden = !price;
    if (!price) return;
    this.#form.dataset.currency = price.currency;
    const text = (amount) => priceText(`${amount} ${price.currency}`.trim());
    byId("price-range").textContent = `${text(price.least)} to ${text(price.most)}`;
    for (const [name, usual] of [["least", Math.floor(price.least)], ["most", Math.ceil(price.most)]]) {
      const input = byId(name);
      input.placeholder = String(usual);
      input.value = this.chosen[name] ?? "";
    }
  }

  #showCount() {
    const count = countChosen(this.chosen);
    byId("filters-count").textContent = count ? String(count) : "";
    byId("filters-count").hidden = !count;
    byId("filters-clear").hidden = !count;
  }

  #changed(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const data = new FormData(this.#form);
      const number = (name) => {
        const input = byId(name);
        return input.value !== "" && input.validity.valid ? Number(input.value) : null;
      };
      const next = {
        category: data.get("category") ?? "",
        brands: data.getAll("brand"),
        least: number("least"),
        most: number("most"),
        currency: this.#form.dataset.currency ?? "",
      };
      if (JSON.stringify(next) === JSON.stringify(this.chosen)) return;
      this.chosen = next;
      this.#showCount();
      this.#onChange(next);
    }, wait);
  }
}
