// The products found for an item, as a grid of cards.

import { address } from "./api.js";
import { clamped, el } from "./dom.js";
import { percentText, priceText, sureText } from "./words.js";

const SKELETONS = 8;
const SMALL = 400;

/** Where a match's picture is. */
export function pictureOf(match, side = SMALL) {
  const path = match.picture ?? `v1/products/${encodeURIComponent(match.product.id)}/images/0`;
  return address(path, { side, fetch: "true" });
}

/**
 * Make the cards of an item's matches.
 *
 * @param {object} found An item as the API gives it; `likes` marks products that are like another.
 * @param {(match: object, opener: HTMLElement) => void} onOpen
 * @param {Set<string>} wrong IDs of products that the customer said are wrong.
 */
export function cards(found, onOpen, wrong = new Set()) {
  return found.matches.map((match, place) =>
    card(match, {
      isBest: place === 0 && found.in_catalogue && !found.likes,
      isWrong: wrong.has(match.product.id),
      likes: found.likes,
      onOpen,
    }),
  );
}

/** Cards that stand where results will. */
export function skeletons() {
  return Array.from({ length: SKELETONS }, () =>
    el(
      "li",
      { class: "card skeleton", "aria-hidden": "true" },
      el("span", { class: "picture" }),
      el("div", { class: "body" }, el("span", { class: "bone" }), el("span", { class: "bone short" })),
    ),
  );
}

/** A product's picture, or its title where that cannot be had. */
export function productPicture(match, side, given = {}) {
  const holder = el("span", { class: "picture" });
  const image = el("img", {
    src: pictureOf(match, side),
    alt: "",
    width: side,
    height: side,
    decoding: "async",
    loading: "lazy",
    draggable: "false",
    ...given,
    on: {
      load: () => holder.classList.add("here"),
      error: () => holder.replaceChildren(missing(match.product)),
    },
  });
  holder.append(image);
  return holder;
}

/** How sure a match is, as a bar and in words. */
export function sureness(match) {
  const share = match.confidence;
  return el(
    "div",
    { class: "sure" },
    el("p", {}, el("span", { text: sureText(share) }), el("b", { text: percentText(share) })),
    el("div", { class: "bar", "aria-hidden": "true" }, el("span", { style: { width: `${Math.max(2, 100 * share)}%` } })),
  );
}

function card(match, { isBest, isWrong, likes, onOpen }) {
  const { product } = match;
  const open = el(
    "button",
    {
      type: "button",
      class: "cover",
      "aria-haspopup": "dialog",
      on: { click: (event) => onOpen(match, event.currentTarget) },
    },
    clamped(product.title || product.id),
  );
  return el(
    "li",
    { class: `card${isBest ? " best" : ""}${isWrong ? " wrong" : ""}`, data: { id: product.id } },
    productPicture(match, isBest ? 640 : SMALL, isBest ? { loading: "eager", fetchpriority: "high" } : {}),
    el(
      "div",
      { class: "body" },
      isBest && el("p", { class: "flag", text: "Best match" }),
      isWrong && el("p", { class: "flag not", text: "Not this one" }),
      el(
        "div",
        { class: "names" },
        el("h3", {}, open),
        product.brand ? el("p", {}, clamped(product.brand)) : null,
      ),
      product.price ? el("p", { class: "price", text: priceText(product.price) }) : null,
      likes ? null : sureness(match),
    ),
  );
}

function missing(product) {
  return el("span", { class: "missing" }, el("span", { text: product.title || product.id }));
}
