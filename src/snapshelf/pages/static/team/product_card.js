// A product as the team sees it in lists.

import { clamped, el } from "../dom.js";
import { productPicture } from "../results.js";
import { priceText } from "../words.js";

/**
 * Make a card that opens its product.
 *
 * @param {object} product As lists of the API give it.
 * @param {(id: string) => void} onOpen
 * @param {...(Node|null)} more Below its names.
 */
export function productCard(product, onOpen, ...more) {
  const match = { product, picture: product.picture };
  return el(
    "li",
    { class: "card", data: { id: product.id } },
    productPicture(match, 400),
    el(
      "div",
      { class: "card-text" },
      el(
        "h3",
        {},
        el(
          "button",
          {
            type: "button",
            class: "cover",
            "aria-haspopup": "dialog",
            on: { click: () => onOpen(product.id) },
          },
          clamped(product.title || product.id),
        ),
      ),
      el("p", { class: "soft id" }, clamped([product.brand, product.id].filter(Boolean).join(" · "))),
      product.price ? el("p", { class: "price", text: priceText(product.price) }) : null,
      ...more,
    ),
  );
}

/** A similarity in words and figures. */
export function likeText(similarity, samePicture = null) {
  const figure = similarity.toFixed(3);
  if (samePicture === true) return `Same picture · ${figure}`;
  if (samePicture === false) return `Looks alike · ${figure}`;
  return figure;
}
