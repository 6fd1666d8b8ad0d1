// A few of the shop's own products to begin with, one of each of its largest categories.

import { byId, clamped, el } from "./dom.js";
import { productPicture } from "./results.js";

const MOST = 8;

/** Show examples; `onLike` is called with the ID of the product that is pressed. */
export function showExamples({ categories }, onLike) {
  const seen = new Set();
  const chosen = [...categories]
    .filter(({ category }) => !categories.some((other) => other.category.startsWith(`${category} > `)))
    .sort((a, b) => b.products - a.products)
    .filter(({ example }) => !seen.has(example) && seen.add(example))
    .slice(0, MOST);
  if (chosen.length < 2) return;
  byId("examples").hidden = false;
  byId("examples-list").replaceChildren(
    ...chosen.map(({ category, example }) => {
      const name = category.split(" > ").at(-1);
      return el(
        "li",
        {},
        el(
          "button",
          { type: "button", class: "example", on: { click: () => onLike(example) } },
          productPicture({ product: { id: example, title: name } }, 320),
          clamped(name),
        ),
      );
    }),
  );
}
