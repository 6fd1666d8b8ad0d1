// What was found, beside what it was searched for with: items to choose, and products of the chosen.

import { showAnswer, spokenAnswer } from "./answer_view.js";
import { showChips, showNothing } from "./asked.js";
import { Detail } from "./detail.js";
import { announce, byId } from "./dom.js";
import { tellEvent } from "./events.js";
import { Overlay } from "./overlay.js";
import { quiet } from "./status.js";
import { bestOf, Timeline } from "./timeline.js";

/**
 * Shows what was found.
 *
 * @param {SearchState} state
 * @param {{onBox: (box: number[]) => void, onLike: (id: string) => void, onMoved: () => void}}
 *   listeners Told of a box that was drawn, of a product whose look-alikes are wanted, and when the
 *   address says something else.
 */
export class Found {
  #state;
  #onMoved;
  #overlay;
  #timeline;
  #detail;
  #linkDays = Number(byId("find").dataset.linkDays);

  constructor(state, { onBox, onLike, onMoved }) {
    this.#state = state;
    this.#onMoved = onMoved;
    this.#overlay = new Overlay(byId("stage"), {
      onChoose: (index) => this.choose(index),
      onDrawn: (box) => {
        this.#setDrawing(false);
        onBox(box);
      },
      onDropped: () => this.#setDrawing(false),
    });
    this.#timeline = new Timeline((index) => {
      this.choose(index);
      this.#timeline.seek(state.found);
    });
    this.#detail = new Detail({ onWrong: (match) => this.#tellWrong(match), onLike });
    byId("remove-box").addEventListener("click", () => this.#removeBox());
    byId("draw").addEventListener("click", (event) => this.#draw(event));
  }

  /** Show what was found just now. */
  answer(items, requestId, chosen) {
    this.#state.take(items, requestId, chosen);
    quiet();
    this.choose(this.#state.answer.chosen);
  }

  /** Look at an item. */
  choose(index) {
    const { answer, photo } = this.#state;
    answer.chosen = index;
    this.show();
    this.#onMoved();
    announce(spokenAnswer(answer.items, index, photo));
  }

  /** Show it anew. */
  show() {
    const { asked, answer, photo, wrong, isPhoto, isClip } = this.#state;
    const { items, chosen } = answer;
    byId("draw").hidden = !isPhoto;
    const isLink = asked.kind === "like" || asked.url?.startsWith("http");
    byId("share").hidden = !(isLink || (isPhoto && this.#linkDays));
    if (isPhoto) {
      this.#overlay.show(items.map((each) => each.item), chosen, photo);
      showChips(items, chosen, photo, (index) => this.choose(index));
    } else if (isClip) {
      this.#timeline.show(items, chosen);
      asked.frames.forEach((frame, index) => frame && this.#timeline.thumbnail(index, frame.url));
    }
    showAnswer(items, chosen, { photo, wrong, onOpen: (match) => this.#open(match) });
  }

  /** Show no items. */
  clear() {
    this.#overlay.clear();
  }

  /** Give up what is under way, and show that nothing is searched for. */
  nothing() {
    this.#state.forget();
    this.clear();
    showNothing();
  }

  /** Keep the frame of a clip where an item is seen best. */
  keepFrame(index, { blob, full }) {
    const url = URL.createObjectURL(blob);
    this.#state.asked.frames[index] = { url, full };
    this.#timeline.thumbnail(index, url);
  }

  #open(match) {
    const { found } = this.#state;
    this.#tell("click", match);
    this.#detail.open(found.matches, found.matches.indexOf(match), this.#query());
  }

  // The customer's picture for a comparison; of a clip the frame where the item is seen best.
  #query() {
    const { asked, answer, found, photo, isPhoto, isClip } = this.#state;
    if (isPhoto) {
      const { url, width, height } = photo;
      return { url, size: [width, height], box: found.item.box, seen: found.item.attributes };
    }
    const frame = isClip ? asked.frames[answer.chosen] : null;
    return frame ? { url: frame.url, size: asked.size ?? frame.full, box: bestOf(found).box } : null;
  }

  #tell(type, match) {
    const { requestId, chosen } = this.#state.answer;
    tellEvent(type, { requestId, productId: match.product.id, item: chosen, rank: match.rank });
  }

  #tellWrong(match) {
    this.#state.wrong.add(match.product.id);
    this.#tell("wrong_match", match);
    this.show();
  }

  #removeBox() {
    const { answer, found } = this.#state;
    if (!found?.own) return;
    answer.items = answer.items.filter((each) => each !== found);
    this.choose(Math.max(0, answer.chosen - 1));
    byId("item-title").focus();
  }

  #draw(event) {
    this.#setDrawing(!this.#overlay.drawing);
    // By keys there is nothing to drag.
    if (this.#overlay.drawing && event.detail === 0) this.#overlay.drawByKeys(this.#state.photo);
    else if (this.#overlay.drawing) announce("Drag a box around what you mean.");
  }

  #setDrawing(on) {
    this.#overlay.drawing = on;
    byId("draw").setAttribute("aria-pressed", String(on));
    byId("draw-hint").hidden = !on;
  }
}
