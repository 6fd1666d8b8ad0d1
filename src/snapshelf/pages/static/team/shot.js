// An annotated picture: its items drawn on it, each with the products that it may be.

import { clamped, drawn, el } from "../dom.js";
import { percentText } from "../words.js";

const SHOWN = 3;

/**
 * Make a row.
 *
 * @param {object} line Of the JSON Lines.
 * @param {string} url Of the picture, on this device.
 * @param {(id: string) => void} onOpen
 */
export function shotOf(line, url, onOpen) {
  const frame = el("div", { class: "shot-frame" });
  const image = el("img", { src: url, alt: "", decoding: "async", loading: "lazy" });
  image.addEventListener("load", () => frame.append(boxes(line.items, image)));
  image.addEventListener("error", () => frame.replaceChildren(el("span", { class: "missing", text: "No preview" })));
  frame.append(image);
  return el(
    "li",
    { class: "shot panel" },
    frame,
    el(
      "div",
      { class: "shot-text" },
      el("h3", { class: "text", dir: "auto", text: line.picture }),
      line.error ? el("p", { class: "told wrong", text: line.error }) : null,
      line.error || line.items.length ? null : el("p", { class: "soft", text: "No item found." }),
      line.items.length ? el("ol", { class: "shot-items" }, ...line.items.map((item, number) => itemOf(item, number, line.items.length, onOpen))) : null,
    ),
  );
}

function itemOf(found, number, count, onOpen) {
  const { matches, in_catalogue: sold, item } = found;
  return el(
    "li",
    {},
    el(
      "p",
      { class: "shot-item" },
      count > 1 ? el("b", { class: "number", text: String(number + 1) }) : null,
      item?.label ? el("span", { class: "text", text: item.label }) : null,
      el("span", { class: `tag ${sold ? "good" : "plain"}`, text: sold ? "On the shelf" : "Perhaps not on the shelf" }),
    ),
    el(
      "ul",
      {},
      ...(matches ?? []).slice(0, SHOWN).map((match) =>
        el(
          "li",
          {},
          el(
            "button",
            {
              type: "button",
              class: "link",
              "aria-haspopup": "dialog",
              on: { click: () => onOpen(match.product.id) },
            },
            clamped(match.product.title || match.product.id),
          ),
          el("span", { class: "soft figure", text: percentText(match.confidence) }),
        ),
      ),
    ),
    attributesOf(found.attributes),
  );
}

function attributesOf(attributes) {
  const rows = Object.entries(attributes ?? {});
  if (!rows.length) return null;
  const text = rows.map(([name, values]) => `${name}: ${values.map((each) => each.value).join(", ")}`).join(" · ");
  return el("p", { class: "soft small-text text", text });
}

function boxes(items, image) {
  const [width, height] = [image.naturalWidth || 1, image.naturalHeight || 1];
  const side = Math.max(width, height);
  const layer = drawn("svg", { viewBox: `0 0 ${width} ${height}`, class: "shot-boxes", "aria-hidden": "true" });
  if (items.length < 2 && whole(items[0], width, height)) return layer;
  for (const [number, each] of items.entries()) {
    const [x0, y0, x1, y1] = each.item?.box ?? each.box;
    layer.append(
      drawn("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0, rx: side * 0.015 }),
      drawn("text", { x: x0 + side * 0.02, y: y0 + side * 0.075, "font-size": side * 0.07, text: String(number + 1) }),
    );
  }
  return layer;
}

function whole(found, width, height) {
  if (!found) return true;
  const [x0, y0, x1, y1] = found.item?.box ?? found.box;
  return (x1 - x0) * (y1 - y0) > 0.97 * width * height;
}
