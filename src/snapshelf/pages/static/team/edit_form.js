// A product's fields, changed and stored.

import { ask, Problem } from "../api.js";
import { byId, toast } from "../dom.js";
import { closes } from "./dialogs.js";

const TEXTS = ["title", "brand", "price", "category", "availability", "url", "description"];

/**
 * The form.
 *
 * @param {(id: string) => void} onSaved
 */
export class EditForm {
  #dialog = byId("edit");
  #form = byId("edit-form");
  #told = byId("edit-told");
  #id = "";
  #onSaved;

  constructor(onSaved) {
    this.#onSaved = onSaved;
    closes(this.#dialog);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
  }

  /** Show a product's fields. */
  open(product) {
    this.#id = product.id;
    byId("edit-title").textContent = `Edit ${product.id}`;
    this.#told.textContent = "";
    const fields = this.#form.elements;
    for (const name of TEXTS) fields[name].value = product[name] ?? "";
    fields.images.value = product.images.map((each) => each.source).join("\n");
    fields.attributes.value = Object.entries(product.attributes)
      .map(([name, value]) => `${name} = ${value.replaceAll("\n", " ")}`)
      .join("\n");
    this.#dialog.showModal();
    fields.title.focus();
  }

  async #save() {
    const fields = this.#form.elements;
    const button = byId("edit-save");
    let body;
    try {
      body = {
        ...Object.fromEntries(TEXTS.map((name) => [name, fields[name].value.trim()])),
        images: lines(fields.images.value),
        attributes: attributesOf(fields.attributes.value),
      };
      if (!body.images.length) throw new Problem("A product needs a picture.");
    } catch (problem) {
      this.#told.textContent = problem.message;
      return;
    }
    button.disabled = true;
    this.#told.textContent = "";
    try {
      const answer = await ask(`v1/products/${encodeURIComponent(this.#id)}`, { method: "PUT", json: body });
      const { problems } = await answer.json();
      this.#dialog.close();
      toast(problems.length ? `Saved, but: ${problems.join("; ")}` : "Saved.", problems.length ? 10 : 5);
      this.#onSaved(this.#id);
    } catch (problem) {
      this.#told.textContent = problem instanceof Problem ? problem.message : "That did not work.";
    } finally {
      button.disabled = false;
    }
  }
}

function lines(text) {
  return text
    .split("\n")
    .map((each) => each.trim())
    .filter(Boolean);
}

function attributesOf(text) {
  const found = {};
  for (const line of lines(text)) {
    const [name, ...rest] = line.split("=");
    const value = rest.join("=").trim();
    if (!rest.length || !name.trim() || !value) {
      throw new Problem(`Attributes: “${line.slice(0, 60)}” is not of the form name = value.`);
    }
    found[name.trim()] = value;
  }
  return found;
}
