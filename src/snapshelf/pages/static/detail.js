// A product close up, in a dialog: what it is, why it was found, and what looks like it.

import { ask, askJson } from "./api.js";
import { byId, clamped, el, toast } from "./dom.js";
import { compared } from "./matched.js";
import { pictureOf, productPicture, sureness } from "./results.js";
import { countText, percentText, priceText } from "./words.js";

const LARGE = 1024;
const LIKES = 8;
const TOLD = new Set(["matches", "inliers", "colour", "points", "text", "words", "attributes"]);

/**
 * The dialog.
 *
 * @param {{onWrong: (match: object) => void, onLike: (id: string) => void}} listeners
 */
export class Detail {
  #dialog = byId("detail");
  #listeners;
  #turn = 0;
  #urls = [];
  #shown = null;

  constructor(listeners) {
    this.#listeners = listeners;
    this.#dialog.addEventListener("close", () => this.#forget());
    byId("detail-close").addEventListener("click", () => this.#dialog.close());
    // The dialog itself is only hit beside its content.
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    this.#dialog.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step && !event.target.closest("input, .strip")) this.#step(step);
    });
    byId("detail-before").addEventListener("click", () => this.#step(-1));
    byId("detail-after").addEventListener("click", () => this.#step(1));
  }

  /**
   * Show a match.
   *
   * @param {object[]} matches All of the item's, to go from one to the next.
   * @param {number} place Which of them.
   * @param {{url: string, size: number[], box: number[]}|null} query The customer's picture.
   */
  open(matches, place, query) {
    this.#shown = { matches, place, query };
    this.#fill();
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.scrollTop = 0;
    byId("detail-title").focus({ preventScroll: true });
  }

  #step(by) {
    const { matches, place, query } = this.#shown;
    if (matches[place + by]) this.open(matches, place + by, query);
  }

  #forget() {
    this.#turn += 1;
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
  }

  #fill() {
    this.#forget();
    const { matches, place, query } = this.#shown;
    const match = matches[place];
    const { product } = match;
    byId("detail-title").textContent = product.title || product.id;
    byId("detail-place").textContent = `${place + 1} of ${matches.length}`;
    byId("detail-before").disabled = place === 0;
    byId("detail-after").disabled = place === matches.length - 1;
    byId("detail-facts").replaceChildren(...this.#facts(match));
    byId("detail-actions").replaceChildren(...this.#actions(match));
    byId("detail-why").replaceChildren();
    byId("detail-picture").replaceChildren(productPicture(match, LARGE, { loading: "eager" }));
    byId("detail-likes").hidden = true;
    this.#explain(match, query, this.#turn);
    this.#likes(match, this.#turn);
  }

  #facts(match) {
    const { product } = match;
    const path = product.category?.split(" > ").join(" › ");
    return [
      product.brand ? el("p", { class: "text brand-name", dir: "auto", text: product.brand }) : null,
      product.price ? el("p", { class: "price", text: priceText(product.price) }) : null,
      path ? el("p", { class: "text soft", dir: "auto", text: path }) : null,
      "confidence" in match ? sureness(match) : null,
    ].filter(Boolean);
  }

  #actions(match) {
    const { product } = match;
    const shown = [];
    if (/^https?:\/\//i.test(product.url ?? "")) {
      shown.push(
        el("a", {
          class: "button",
          href: product.url,
          target: "_blank",
          rel: "noopener noreferrer",
          text: "View in the shop",
        }),
      );
    }
    shown.push(
      el("button", {
        type: "button",
        class: "button quiet",
        text: "More like this",
        on: {
          click: () => {
            this.#dialog.close();
            this.#listeners.onLike(product.id);
          },
        },
      }),
    );
    if ("confidence" in match) {
      shown.push(
        el("button", {
          type: "button",
          class: "button plain",
          text: "Not this one",
          on: {
            click: (event) => {
              event.currentTarget.disabled = true;
              this.#listeners.onWrong(match);
              toast("Thank you. That helps the search.");
            },
          },
        }),
      );
    }
    return shown;
  }

  async #explain(match, query, turn) {
    const evidence = match.evidence ?? {};
    const told = inWords(evidence);
    if (query) {
      try {
        const answer = await ask(pictureOf(match, LARGE));
        const size = (answer.headers.get("Picture-Size") ?? "").split(",").map(Number);
        const url = URL.createObjectURL(await answer.blob());
        if (turn !== this.#turn) return URL.revokeObjectURL(url);
        this.#urls.push(url);
        if (size.length !== 2 || !(size[0] > 0 && size[1] > 0)) return;
        const product = { url, size, box: match.region ?? null };
        const { drawing, lines } = compared(query, product, evidence);
        byId("detail-picture").replaceChildren(
          el(
            "figure",
            { class: "compared" },
            el("div", { class: "sides", "aria-hidden": "true" }, el("span", { text: "Your photo" }), el("span", { text: "Our product" })),
            drawing,
          ),
        );
        if (lines) told[0] ??= "Lines join the points that match.";
      } catch {
        // The product's picture stands there alone, or its title.
      }
    }
    if (turn !== this.#turn) return;
    const rest = attributesOf(evidence);
    const shown = [];
    if (told.length || Object.keys(rest).length) {
      shown.push(el("h3", { text: "Why we found it" }), ...told.map((text) => el("p", { text })), facts(rest));
    }
    if (query?.seen?.length) {
      const seen = query.seen.map((each) => [each.name, `${each.value} (${percentText(each.probability)})`]);
      shown.push(el("h3", { text: "What we see in your photo" }), facts(Object.fromEntries(seen)));
    }
    byId("detail-why").replaceChildren(...shown);
    return undefined;
  }

  async #likes(match, turn) {
    try {
      const path = `v1/products/${encodeURIComponent(match.product.id)}/similar`;
      const { matches } = await askJson(path, { query: { top: LIKES } });
      if (turn !== this.#turn || !matches.length) return;
      byId("detail-likes").hidden = false;
      byId("detail-strip").replaceChildren(
        ...matches.map((like) =>
          el(
            "li",
            {},
            el(
              "button",
              {
                type: "button",
                class: "like",
                on: { click: () => this.open([like], 0, null) },
              },
              productPicture(like, 200),
              clamped(like.product.title || like.product.id),
              like.product.price ? el("span", { class: "price", text: priceText(like.product.price) }) : null,
            ),
          ),
        ),
      );
    } catch {
      // What looks like it is an extra.
    }
  }
}

// Say in sentences what the evidence tells.
function inWords(evidence) {
  const { matches, inliers, colour, words } = evidence;
  const told = [];
  if (Number.isInteger(inliers) && Number.isInteger(matches) && inliers > 0) {
    told.push(
      `${countText(inliers, "detail")} of your photo ${inliers === 1 ? "is" : "are"} at the same ` +
        "place on the product.",
    );
    if (Number.isFinite(colour)) {
      told.push(colour > 0.5 ? "The colours fit well." : colour > 0 ? "The colours fit partly." : "The colours differ.");
    }
  }
  if (Array.isArray(words) && words.length) {
    told.push(`The same words stand on both: ${words.slice(0, 8).join(", ")}.`);
  }
  return told;
}

function attributesOf(evidence) {
  const known = evidence.attributes && typeof evidence.attributes === "object" ? evidence.attributes : {};
  const rest = Object.entries(evidence).filter(([name]) => !TOLD.has(name));
  return Object.fromEntries([...Object.entries(known), ...rest]);
}

function facts(attributes) {
  const list = el("dl", { class: "pairs" });
  for (const [name, value] of Object.entries(attributes).slice(0, 20)) {
    const text = typeof value === "number" ? String(Number(value.toPrecision(3))) : typeof value === "string" ? value : JSON.stringify(value);
    list.append(el("div", {}, el("dt", { text: name }), el("dd", { text: text.slice(0, 120) })));
  }
  return list;
}
