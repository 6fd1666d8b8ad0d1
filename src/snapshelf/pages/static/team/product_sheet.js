// A product with all that the shelf holds of it, its look-alikes side by side, edited and deleted.

import { ask, askJson, Problem } from "../api.js";
import { announce, byId, clamped, el, toast } from "../dom.js";
import { productPicture } from "../results.js";
import { priceText } from "../words.js";
import { closes, sure } from "./dialogs.js";
import { EditForm } from "./edit_form.js";
import { likeText } from "./product_card.js";

const LIKES = 8;
const LARGE = 800;

const AVAILABILITY = {
  in_stock: "In stock",
  out_of_stock: "Out of stock",
  preorder: "Preorder",
  backorder: "Backorder",
};

/** Where the API has a product. */
export function pathOf(id) {
  return `v1/products/${encodeURIComponent(id)}`;
}

/**
 * The sheet.
 *
 * @param {{onChanged: (id: string) => void, onDeleted: (id: string) => void}} listeners
 */
export class ProductSheet {
  #dialog = byId("product");
  #body = byId("product-body");
  #listeners;
  #edit;
  #product = null;
  #turn = 0;

  constructor(listeners) {
    this.#listeners = listeners;
    closes(this.#dialog);
    this.#edit = new EditForm((id) => {
      this.#listeners.onChanged(id);
      this.open(id);
    });
  }

  /** Show a product. */
  async open(id) {
    const turn = ++this.#turn;
    if (!this.#dialog.open || this.#product?.id !== id) {
      byId("product-title").textContent = id;
      this.#body.replaceChildren(el("p", { class: "soft", text: "One moment…" }));
    } // else what is shown stays until it is there anew
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.scrollTop = 0;
    byId("product-title").focus({ preventScroll: true });
    try {
      const product = await askJson(pathOf(id));
      if (turn !== this.#turn) return;
      this.#product = product;
      this.#fill(product);
      this.#likes(product, turn);
    } catch (problem) {
      if (turn !== this.#turn) return;
      const text = problem instanceof Problem ? problem.message : "That did not work.";
      this.#body.replaceChildren(el("p", { class: "told wrong", role: "alert", text }));
    }
  }

  #fill(product) {
    byId("product-title").textContent = product.title || product.id;
    const large = el("div", { class: "large" }, shown(product, 0));
    const thumbs = el("ul", { class: "thumbs", "aria-label": "Pictures" });
    if (product.images.length > 1) {
      thumbs.append(
        ...product.images.map((_, number) =>
          el(
            "li",
            {},
            el(
              "button",
              {
                type: "button",
                "aria-label": `Picture ${number + 1} of ${product.images.length}`,
                "aria-pressed": String(number === 0),
                on: {
                  click: (event) => {
                    large.replaceChildren(shown(product, number));
                    for (const each of thumbs.querySelectorAll("button")) {
                      each.setAttribute("aria-pressed", String(each === event.currentTarget));
                    }
                  },
                },
              },
              shown(product, number, 120),
            ),
          ),
        ),
      );
    }
    this.#body.replaceChildren(
      el(
        "div",
        { class: "product" },
        el("div", { class: "product-pictures" }, large, product.images.length > 1 ? thumbs : null),
        el("div", { class: "product-text" }, facts(product), this.#actions(product)),
      ),
      el("section", { class: "likes", id: "likes", "aria-labelledby": "likes-title", hidden: true }),
    );
  }

  #actions(product) {
    const link = /^https?:\/\//i.test(product.url ?? "");
    return el(
      "div",
      { class: "actions" },
      el("button", { type: "button", class: "button", text: "Edit", on: { click: () => this.#edit.open(product) } }),
      link ? el("a", { class: "button quiet", href: product.url, target: "_blank", rel: "noopener noreferrer", text: "In the shop" }) : null,
      el("button", { type: "button", class: "button quiet danger-quiet", text: "Delete", on: { click: () => this.#delete(product) } }),
    );
  }

  async #delete(product) {
    const yes = await sure({
      title: "Delete this product?",
      text: `“${product.title || product.id}” (${product.id}) leaves the shelf, and searches do not find it any more. A feed that still has it brings it back.`,
      yes: "Delete",
    });
    if (!yes) return;
    try {
      await ask(pathOf(product.id), { method: "DELETE" });
      this.#dialog.close();
      toast("Deleted.");
      this.#listeners.onDeleted(product.id);
    } catch (problem) {
      toast(problem.message, 8);
    }
  }

  async #likes(product, turn) {
    let matches;
    try {
      ({ matches } = await askJson(`${pathOf(product.id)}/similar`, { query: { top: LIKES } }));
    } catch {
      return; // look-alikes are an extra
    }
    const section = byId("likes");
    if (turn !== this.#turn || !matches.length) return;
    const beside = el("div", { class: "beside" });
    const choose = (match, button) => {
      for (const each of section.querySelectorAll(".like")) each.setAttribute("aria-pressed", String(each === button));
      beside.replaceChildren(
        side(product, { product, picture: product.images[0].href }, "This product"),
        side(match.product, match, `Look-alike, ${likeText(match.similarity)}`, () => this.open(match.product.id)),
      );
      announce(`Beside it: ${match.product.title || match.product.id}`);
    };
    const strip = el(
      "ul",
      { class: "strip" },
      ...matches.map((match) =>
        el(
          "li",
          {},
          el(
            "button",
            { type: "button", class: "like", "aria-pressed": "false", on: { click: (event) => choose(match, event.currentTarget) } },
            productPicture(match, 200),
            clamped(match.product.title || match.product.id),
            el("span", { class: "soft figure", text: likeText(match.similarity) }),
          ),
        ),
      ),
    );
    section.replaceChildren(el("h3", { id: "likes-title", text: "Look-alikes" }), strip, beside);
    section.hidden = false;
    choose(matches[0], section.querySelector(".like"));
  }
}

function shown(product, number, size = LARGE) {
  return productPicture({ product, picture: product.images[number].href }, size, { loading: "eager" });
}

function side(product, match, title, onOpen) {
  return el(
    "figure",
    { class: "side" },
    el("figcaption", { class: "soft", text: title }),
    productPicture(match, LARGE),
    el("p", { class: "side-title" }, clamped(product.title || product.id)),
    el("p", { class: "soft text", dir: "auto", text: [product.brand, product.id].filter(Boolean).join(" · ") }),
    product.price ? el("p", { class: "price", text: priceText(product.price) }) : null,
    onOpen ? el("button", { type: "button", class: "button quiet small", text: "Open", on: { click: onOpen } }) : null,
  );
}

function facts(product) {
  const list = el("dl", { class: "facts-list" });
  const rows = [
    ["ID", product.id],
    ["Price", product.price ? priceText(product.price) : null],
    ["Brand", product.brand],
    ["Category", product.category?.split(" > ").join(" › ")],
    ["Availability", AVAILABILITY[product.availability] ?? product.availability],
    ["Pictures", product.images.map((each) => each.source).join("\n")],
    ...Object.entries(product.attributes),
    ["Description", product.description],
  ];
  for (const [name, value] of rows) {
    if (value) list.append(el("div", {}, el("dt", { text: name }), el("dd", { class: "text", dir: "auto", text: value })));
  }
  return list;
}

