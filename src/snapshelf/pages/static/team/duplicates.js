// Groups of products that look the same, side by side.

import { askJson, Problem } from "../api.js";
import { announce, byId, el } from "../dom.js";
import { filterText, NONE } from "../filter_text.js";
import { countText } from "../words.js";
import { likeText, productCard } from "./product_card.js";
import { failureOf, followed, giveUp, WorkPlace } from "./work.js";

const SHOWN = 30;

export class Duplicates {
  #form = byId("compare");
  #list = byId("groups");
  #told = byId("compare-told");
  #work = new WorkPlace(byId("compare-work"), "Comparing");
  #onOpen;

  constructor(onOpen) {
    this.#onOpen = onOpen;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#find();
    });
  }

  /** Take a product away that was deleted; a group of one is none. */
  remove(id) {
    for (const card of this.#list.querySelectorAll(".card")) {
      if (card.dataset.id !== id) continue;
      const group = card.closest(".group");
      card.remove();
      if (group.querySelectorAll(".card").length < 2) group.remove();
    }
  }

  async #find() {
    const data = new FormData(this.#form);
    const query = {
      least: data.get("least"),
      filter: filterText({ ...NONE, category: data.get("category") ?? "" }),
      check: data.has("check") || null,
      all_pictures: data.has("all_pictures") || null,
      variants: data.has("variants") || null,
    };
    const button = this.#form.querySelector("[type=submit]");
    button.disabled = true;
    this.#told.className = "told";
    this.#told.textContent = "";
    this.#list.replaceChildren();
    let job = null;
    this.#work.begin(() => job && giveUp(job));
    this.#work.tell("Comparing every product with every other…", 0);
    try {
      let answer = await askJson("v1/duplicates", { query });
      if (answer.job) {
        job = answer.job;
        const over = await followed(job, (now) => this.#work.tell(lineOf(now), now.progress));
        if (over.status === "failed") throw failureOf(over);
        if (over.status === "cancelled") {
          this.#told.textContent = "Given up.";
          return;
        }
        answer = over.result;
      }
      this.#show(answer);
    } catch (problem) {
      this.#told.className = "told wrong";
      this.#told.textContent = problem instanceof Problem ? problem.message : "That did not work.";
    } finally {
      this.#work.end();
      button.disabled = false;
    }
  }

  #show({ groups, compared, left_out: leftOut }) {
    const products = groups.reduce((sum, group) => sum + group.products.length, 0);
    this.#told.textContent = groups.length
      ? `${countText(groups.length, "group")}: ${products} of ${countText(compared, "product")} look like another.`
      : `No two of ${countText(compared, "product")} look the same.`;
    if (leftOut) this.#told.textContent += ` ${leftOut} more groups are not shown; narrow the comparison.`;
    announce(this.#told.textContent);
    let place = 0;
    const more = el("button", { type: "button", class: "button quiet", text: "Show more groups" });
    const append = () => {
      const next = groups.slice(place, place + SHOWN).map((group, number) => this.#group(group, place + number + 1));
      place += SHOWN;
      this.#list.append(...next);
      more.hidden = place >= groups.length;
      this.#list.after(more);
    };
    this.#list.parentElement.querySelector(".more-groups")?.remove();
    more.classList.add("more-groups");
    more.addEventListener("click", append);
    append();
  }

  #group({ similarity, products }, number) {
    const copies = products.every((each) => each.same_picture === true);
    const checked = products.some((each) => each.same_picture !== null);
    return el(
      "li",
      { class: "group panel" },
      el(
        "header",
        {},
        el("h2", { text: `${number}. ${countText(products.length, "product")}` }),
        checked ? el("span", { class: `tag ${copies ? "bad" : "plain"}`, text: copies ? "Same picture" : "Look alike" }) : null,
        el("span", { class: "soft figure", text: `similarity ${similarity.toFixed(3)}` }),
      ),
      el(
        "ul",
        { class: "cards" },
        ...products.map((each) =>
          productCard(each.product, this.#onOpen, el("p", { class: "soft small-text", text: likeText(each.similarity, each.same_picture) })),
        ),
      ),
    );
  }
}

function lineOf(job) {
  return job.status === "queued" ? "Waiting for other work to end…" : "Comparing every product with every other…";
}
