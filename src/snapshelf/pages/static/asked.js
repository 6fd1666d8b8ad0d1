// What is searched for, as it is shown: the photo with its items, the product, or the clip.

import { isWhole, rounded } from "./boxes.js";
import { byId, clamped, el } from "./dom.js";
import { productPicture } from "./results.js";

const CHIP = 56;

/** Show a photo, which has a place of its own shape before it is there. */
export function showPhoto({ url, width, height }) {
  showOnly("photo");
  const stage = byId("stage");
  stage.style.aspectRatio = `${width} / ${height}`;
  stage.style.setProperty("--shape", String(width / height));
  byId("photo-image").src = url;
}

/** Show a clip, which gets a place of its own shape as soon as the browser knows that. */
export function showClip(url) {
  showOnly("clip");
  const video = byId("clip");
  const frame = video.parentElement;
  frame.style.removeProperty("--shape");
  byId("clip-told").hidden = true;
  video.onloadedmetadata = () => {
    const { videoWidth: width, videoHeight: height } = video;
    if (width && height) frame.style.setProperty("--shape", `${width} / ${height}`);
  };
  video.onerror = () => {
    byId("clip-told").hidden = false;
  };
  video.src = url;
}

/** Show the product whose look-alikes are wanted, or its place as long as it is null. */
export function showProduct(product) {
  showOnly("product");
  if (!product) return byId("product-shown").replaceChildren(el("span", { class: "picture" }), el("span", { class: "bone" }));
  const match = { product, picture: product.images[0]?.href };
  byId("product-shown").replaceChildren(
    productPicture(match, 640, { loading: "eager" }),
    el("p", {}, clamped(product.title || product.id)),
  );
  return undefined;
}

/** Show nothing, where there is nothing to search with. */
export function showNothing() {
  showOnly("");
}

/** Show the items as a row of cut-outs, for who does not want to aim at boxes. */
export function showChips(items, chosen, picture, onChoose) {
  const row = byId("chips");
  row.hidden = items.length < 2;
  row.replaceChildren(
    ...items.map((found, index) =>
      el(
        "li",
        {},
        el(
          "button",
          {
            type: "button",
            class: `chip${index === chosen ? " chosen" : ""}`,
            "aria-pressed": String(index === chosen),
            on: { click: () => onChoose(index) },
          },
          cutOut(picture, found.item.box),
          clamped(nameOf(found, index, picture)),
        ),
      ),
    ),
  );
}

/** What an item is called; `photo` is the picture that it is in, null of a clip. */
export function nameOf(found, index, photo) {
  if (found.own) return `Box ${index + 1}`;
  if (photo && isWhole(found.item.box, photo)) return "Whole photo";
  return found.item.label ? `${index + 1}. ${found.item.label}` : `Item ${index + 1}`;
}

/** The query part of an address that searches for a box again. */
export function boxesOf(items) {
  return items.filter((found) => found.own).map((found) => rounded(found.item.box));
}

function cutOut({ url, width, height }, [x0, y0, x1, y1]) {
  const scale = CHIP / Math.min(x1 - x0, y1 - y0);
  const image = el("img", { src: url, alt: "", draggable: "false" });
  image.style.width = `${width * scale}px`;
  image.style.height = `${height * scale}px`;
  image.style.left = `${CHIP / 2 - ((x0 + x1) / 2) * scale}px`;
  image.style.top = `${CHIP / 2 - ((y0 + y1) / 2) * scale}px`;
  return el("span", { class: "cut", "aria-hidden": "true" }, image);
}

function showOnly(kind) {
  byId("find").dataset.asked = kind;
  for (const each of ["photo", "clip", "product"]) byId(`${each}-asked`).hidden = each !== kind;
  // These come with what was found, where they can be used.
  byId("draw").hidden = true;
  byId("share").hidden = true;
  if (kind !== "clip") byId("clip").removeAttribute("src");
  byId("chips").hidden = true;
  byId("timeline").replaceChildren();
}
