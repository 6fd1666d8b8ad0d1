// The items on the picture: shown, chosen, and drawn by hand or by keys.

import { isMeant, isWhole, middle, moved, ordered, placeText, sized } from "./boxes.js";
import { announce, el } from "./dom.js";

const STEP = 0.02;
const CORNERS = [
  ["nw", 0, 1],
  ["ne", 2, 1],
  ["sw", 0, 3],
  ["se", 2, 3],
];

/**
 * Draws boxes over a picture that is shown at any size.
 *
 * @param {HTMLElement} stage Holds the picture and nothing else; as large as it.
 * @param {{onChoose: (index: number) => void, onDrawn: (box: number[]) => void,
 *   onDropped: () => void}} listeners
 */
export class Overlay {
  #stage;
  #listeners;
  #size = { width: 1, height: 1 };
  #drawing = false;
  #own = null;

  constructor(stage, listeners) {
    this.#stage = stage;
    this.#listeners = listeners;
    stage.addEventListener("pointerdown", (event) => this.#begin(event));
  }

  /** Show items; boxes are in pixels of a picture of this size. */
  show(items, chosen, size) {
    this.#size = size;
    const before = document.activeElement;
    const focused = before?.parentElement === this.#stage ? before.dataset.index : undefined;
    this.clear();
    items.forEach((item, index) =>
      this.#stage.append(this.#button(item, index, index === chosen, items.length === 1)),
    );
    if (focused !== undefined) this.#stage.querySelector(`[data-index="${focused}"]`)?.focus();
  }

  /** Take all boxes away. */
  clear() {
    for (const box of this.#stage.querySelectorAll(".box")) box.remove();
    this.#own = null;
  }

  /** Whether a finger draws a box rather than moves the page. */
  set drawing(on) {
    this.#drawing = on;
    this.#stage.classList.toggle("drawing", on);
  }

  get drawing() {
    return this.#drawing;
  }

  /** Put a box into the middle, to be moved by the arrow keys. */
  drawByKeys(size) {
    this.#size = size;
    this.#show(middle(size));
    this.#own.focus();
    announce(
      "A box is in the middle of the picture. Arrow keys move it, with Shift they size it, " +
        "Enter searches, Escape takes it away.",
    );
  }

  #button(item, index, isChosen, alone) {
    const [x0, y0, x1, y1] = item.box;
    const area = (x1 - x0) * (y1 - y0);
    const whole = isWhole(item.box, this.#size);
    const button = el(
      "button",
      {
        type: "button",
        class: `box${isChosen ? " chosen" : ""}${whole ? " whole" : ""}`,
        "aria-pressed": String(isChosen),
        "aria-label": `Item ${index + 1}${item.label ? `: ${item.label}` : ""}`,
        data: { index },
        // Small boxes lie on large ones, or nobody could reach them.
        style: { "z-index": String(1 + Math.round(900 * (1 - area / (this.#size.width * this.#size.height)))) },
        on: { click: () => this.#listeners.onChoose(index) },
      },
      alone ? null : el("span", { class: "number", "aria-hidden": "true", text: String(index + 1) }),
    );
    this.#place(button, item.box);
    return button;
  }

  #place(element, [x0, y0, x1, y1]) {
    const { width, height } = this.#size;
    element.style.left = `${(100 * x0) / width}%`;
    element.style.top = `${(100 * y0) / height}%`;
    element.style.width = `${(100 * (x1 - x0)) / width}%`;
    element.style.height = `${(100 * (y1 - y0)) / height}%`;
  }

  #point(event) {
    const frame = this.#stage.getBoundingClientRect();
    return [
      ((event.clientX - frame.left) / frame.width) * this.#size.width,
      ((event.clientY - frame.top) / frame.height) * this.#size.height,
    ];
  }

  #begin(event) {
    if (event.button !== 0 || event.target.closest(".own")) return;
    // A finger that is not told to draw scrolls.
    if (event.pointerType === "touch" && !this.#drawing) return;
    const start = this.#point(event);
    let box = null;
    this.#follow(
      event,
      (point) => {
        const wanted = ordered([...start, ...point], this.#size);
        if (!box && !isMeant(wanted, this.#size)) return;
        box = wanted;
        this.#show(box);
      },
      () => {
        if (box && isMeant(box, this.#size)) this.#finish(box);
        else this.#drop();
      },
    );
  }

  #follow(event, onMove, onEnd) {
    const ending = new AbortController();
    const { signal } = ending;
    let dragged = false;
    const move = (moving) => {
      if (moving.pointerId !== event.pointerId) return;
      dragged = true;
      onMove(this.#point(moving));
    };
    const end = (ended) => {
      if (ended.pointerId !== event.pointerId) return;
      ending.abort();
      onEnd(dragged);
    };
    window.addEventListener("pointermove", move, { signal });
    window.addEventListener("pointerup", end, { signal });
    window.addEventListener("pointercancel", end, { signal });
    if (event.pointerType !== "touch" || this.#drawing) event.preventDefault();
  }

  #show(box) {
    if (!this.#own) {
      this.#own = el("button", {
        type: "button",
        class: "box own",
        "aria-label": "Your box",
        on: {
          keydown: (event) => this.#key(event),
          pointerdown: (event) => this.#drag(event),
        },
      });
      for (const [corner] of CORNERS) {
        this.#own.append(el("span", { class: `corner ${corner}`, data: { corner } }));
      }
      this.#stage.append(this.#own);
    }
    this.#own.box = box;
    this.#place(this.#own, box);
  }

  #drag(event) {
    event.stopPropagation();
    const own = this.#own;
    const from = own.box;
    const start = this.#point(event);
    const corner = CORNERS.find(([name]) => name === event.target.dataset.corner);
    own.focus();
    this.#follow(
      event,
      (point) => {
        let box;
        if (corner) {
          box = [...from];
          box[corner[1]] = point[0];
          box[corner[2]] = point[1];
          box = ordered(box, this.#size);
        } else {
          box = moved(from, point[0] - start[0], point[1] - start[1], this.#size);
        }
        if (isMeant(box, this.#size)) this.#show(box);
      },
      (dragged) => dragged && this.#finish(this.#own.box),
    );
  }

  #key(event) {
    const step = STEP * Math.max(this.#size.width, this.#size.height);
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = arrows[event.key];
    if (arrow) {
      const change = event.shiftKey ? sized : moved;
      this.#show(change(this.#own.box, step * arrow[0], step * arrow[1], this.#size));
      announce(placeText(this.#own.box, this.#size));
    } else if (event.key === "Enter" || event.key === " ") {
      this.#finish(this.#own.box);
    } else if (event.key === "Escape" || event.key === "Delete") {
      this.#drop();
      this.#listeners.onDropped();
      announce("The box is taken away.");
      this.#stage.querySelector(".box")?.focus();
    } else return;
    event.preventDefault();
  }

  #finish(box) {
    this.drawing = false;
    this.#listeners.onDrawn(box);
  }

  #drop() {
    this.#own?.remove();
    this.#own = null;
  }
}
