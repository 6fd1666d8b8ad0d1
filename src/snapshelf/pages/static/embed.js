// <snapshelf-search>: the search by photo, in any page of a shop. This one file is all of it: shops
// may keep it for a while, and parts of two versions must not meet; and a page's content security
// policy may allow its address alone.
//
// <script type="module" src="https://search.example/embed.js" data-key="sk_..."></script>
// <snapshelf-search></snapshelf-search>

const SERVICE = new URL("./", import.meta.url);
const SCRIPT = [...document.scripts].find((each) => each.src === import.meta.url);

const LONGEST = 1600;
const MANY_BYTES = 1_500_000;
const WAITS = 3;
const LONGEST_WAIT_S = 20;
const SURE = 0.35;

const TEXTS = {
  label: "Search by photo",
  heading: "Find it by photo",
  hint: "Choose a photo of what you like, drop it here, or paste it.",
  choose: "Choose a photo",
  camera: "Take a photo",
  again: "Another photo",
  stop: "Stop",
  close: "Close",
  searching: "Looking through the shop…",
  photo: "Your photo",
  item: "Item {number}",
  found: "{count} products found",
  none: "Nothing found. Try a photo that shows it larger.",
  unsure: "Perhaps not in this shop. These look most like it:",
  best: "Best match",
  refused: "This photo cannot be searched. Choose another one, or save it as a JPEG first.",
  large: "This photo is too large. Choose a smaller one.",
  full: "Many are searching at the moment. Please try again in a moment.",
  failed: "The search does not answer at the moment. Please try again.",
  offline: "The shop cannot be reached. Is this device online?",
};

const STYLE = `
:host { display: inline-block; font-family: var(--snapshelf-font, inherit); }
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
.all {
  --accent: var(--snapshelf-accent, light-dark(#0b6b53, #59c9a5));
  --accent-ink: var(--snapshelf-accent-ink, light-dark(#fff, #06231a));
  --paper: var(--snapshelf-paper, light-dark(#fff, #1b1e20));
  --ink: var(--snapshelf-ink, light-dark(#1b1d1f, #eceeed));
  --soft: var(--snapshelf-soft, light-dark(#5c6166, #a4abae));
  --line: var(--snapshelf-line, light-dark(#e1e1da, #33393b));
  --radius: var(--snapshelf-radius, 14px);
}
button, .file { font: inherit; cursor: pointer; }
.button {
  display: inline-flex; align-items: center; justify-content: center; gap: 8px; min-height: 44px;
  padding: 8px 18px; border: 1px solid transparent; border-radius: 99px; background: var(--accent);
  color: var(--accent-ink); font-weight: 600; line-height: 1.2;
}
.button.quiet { border-color: var(--line); background: transparent; color: var(--ink); }
.button:hover { filter: brightness(1.08); }
.button.quiet:hover { border-color: var(--soft); }
:is(button, a):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
svg { flex: none; }
dialog {
  width: min(880px, calc(100vw - 24px)); max-width: none; max-height: min(92dvh, 900px); padding: 0;
  border: 1px solid var(--line); border-radius: calc(var(--radius) * 1.2); background: var(--paper);
  color: var(--ink); font-size: 16px; line-height: 1.5; text-align: start; overflow: auto;
  box-shadow: 0 24px 80px rgb(0 0 0 / 30%);
}
dialog::backdrop { background: rgb(10 12 14 / 55%); }
header {
  position: sticky; top: 0; z-index: 1; display: flex; align-items: center; gap: 12px;
  justify-content: space-between; padding: 12px 12px 12px 24px; border-bottom: 1px solid var(--line);
  background: var(--paper);
}
h2 { margin: 0; font-size: 1.2rem; line-height: 1.25; }
h3 { margin: 0; font-size: 1rem; line-height: 1.3; }
p { margin: 0; }
.close { display: grid; place-items: center; width: 44px; height: 44px; padding: 0; border: 0; border-radius: 99px; background: none; color: var(--soft); }
.close:hover { color: var(--ink); }
.body { display: grid; gap: 18px; padding: 20px 24px 24px; }
.drop {
  display: grid; justify-items: center; gap: 14px; padding: clamp(24px, 6vw, 48px) 16px;
  border: 2px dashed color-mix(in srgb, var(--soft) 45%, var(--line)); border-radius: var(--radius);
  text-align: center;
}
.drop.over { border-color: var(--accent); background: color-mix(in srgb, var(--accent) 10%, var(--paper)); }
.ways { display: flex; flex-wrap: wrap; justify-content: center; gap: 10px; }
.soft { color: var(--soft); }
.asked { display: flex; flex-wrap: wrap; align-items: center; gap: 14px; }
.photo { position: relative; flex: none; overflow: hidden; border-radius: 10px; }
.photo img { display: block; max-width: min(300px, 70vw); max-height: 220px; }
.box { position: absolute; padding: 0; border: 2.5px solid #fff; border-radius: 8px; background: none; box-shadow: 0 0 0 1.5px rgb(0 0 0 / 55%); }
.box[aria-pressed=true] { border-color: var(--accent); box-shadow: 0 0 0 1.5px #fff, 0 0 0 999px rgb(0 0 0 / 35%); }
.box span { position: absolute; left: 0; top: 0; min-width: 24px; border-radius: 5px 0 8px; background: #fff; color: #1b1d1f; font-size: 13px; font-weight: 700; line-height: 24px; text-align: center; }
.bar { height: 6px; overflow: hidden; border-radius: 99px; background: var(--line); }
.bar::before { content: ""; display: block; width: 40%; height: 100%; border-radius: 99px; background: var(--accent); animation: go 1.4s ease-in-out infinite; }
@keyframes go { from { margin-inline-start: -40%; } to { margin-inline-start: 100%; } }
.wrong { padding: 12px 16px; border-radius: 10px; background: light-dark(#fbe6e6, #3d1d1f); color: light-dark(#5c1216, #ffdada); }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(170px, 38vw), 1fr)); gap: 14px; margin: 0; padding: 0; list-style: none; }
.card { position: relative; display: grid; grid-template-rows: auto 1fr; overflow: hidden; height: 100%; border: 1px solid var(--line); border-radius: var(--radius); }
.card:hover { border-color: var(--accent); }
.card.best { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.picture { position: relative; display: grid; place-items: center; aspect-ratio: 1; background: #fff; color: #5c6166; font-size: 13px; text-align: center; }
.picture img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
.words { display: grid; gap: 2px; align-content: start; padding: 10px 12px 12px; }
.cover { padding: 0; border: 0; background: none; color: inherit; font-weight: inherit; text-align: start; text-decoration: none; }
.clamp { display: -webkit-box; overflow: hidden; overflow-wrap: anywhere; -webkit-box-orient: vertical; -webkit-line-clamp: 3; }
.cover::after { content: ""; position: absolute; inset: 0; }
.flag { color: var(--accent); font-size: 13px; font-weight: 650; }
.price { font-weight: 600; font-variant-numeric: tabular-nums; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
[hidden] { display: none !important; }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; } .bar::before { width: 100%; } }
@media (max-width: 520px) { .body { padding: 16px; } header { padding-inline-start: 16px; } }
`;

class Refused extends Error {}

/** Make an element; text stays text, so nothing that a feed says is ever markup. */
function el(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "style") for (const [key, part] of Object.entries(value)) element.style.setProperty(key, part);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(Boolean));
  return element;
}

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const given = { viewBox: "0 0 24 24", width: 20, height: 20, fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(given)) svg.setAttribute(name, value);
  const line = document.createElementNS(svg.namespaceURI, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

const CAMERA = "M4 8h3l1.6-2.5h6.8L17 8h3a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 20 20H4a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 4 8zm8 9a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z";
const CROSS = "m6 6 12 12M18 6 6 18";

export class SnapshelfSearch extends HTMLElement {
  static observedAttributes = ["label", "heading"];

  #texts = { ...TEXTS };
  #built = null;
  #turn = null;
  #url = "";
  #pass = { text: "", ends: 0 };

  /** Words in place of the English ones, such as `{ label: "Per Foto suchen" }`. */
  get texts() {
    return { ...this.#texts };
  }

  set texts(given) {
    this.#texts = { ...this.#texts, ...given };
    if (this.#built) this.#build();
  }

  connectedCallback() {
    if (!this.#built) this.#build();
    document.addEventListener("paste", this.#paste);
  }

  disconnectedCallback() {
    this.#turn?.abort();
    document.removeEventListener("paste", this.#paste);
    this.#forget();
  }

  attributeChangedCallback() {
    if (this.#built) this.#build();
  }

  /** Open the dialog; with a picture, search for it at once. */
  open(picture = null) {
    if (!this.#built) this.#build();
    if (!this.#built.dialog.open) this.#built.dialog.showModal();
    if (picture) this.#search(picture);
  }

  close() {
    this.#built?.dialog.close();
  }

  /** Of the element, or of the script. */
  #given(name) {
    return this.getAttribute(name) ?? SCRIPT?.dataset[name] ?? "";
  }

  #text(name, values = {}) {
    let text = this.#given(name) && (name === "label" || name === "heading") ? this.#given(name) : this.#texts[name];
    for (const [key, value] of Object.entries(values)) text = text.replace(`{${key}}`, value);
    return text;
  }

  #build() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    if (!root.adoptedStyleSheets.length) {
      // Not an element: a shop's content security policy may allow none.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    }
    const file = el("input", { type: "file", class: "unseen", accept: "image/*,.heic,.heif", tabindex: "-1", "aria-hidden": "true", onchange: () => this.#chosen(file) });
    const shot = el("input", { type: "file", class: "unseen", accept: "image/*", capture: "environment", tabindex: "-1", "aria-hidden": "true", onchange: () => this.#chosen(shot) });
    const drop = el(
      "div",
      { class: "drop", part: "drop" },
      el("p", { class: "soft", text: this.#text("hint") }),
      el(
        "div",
        { class: "ways" },
        el("button", { type: "button", class: "button", text: this.#text("choose"), onclick: () => file.click() }),
        matchMedia("(pointer: coarse)").matches && el("button", { type: "button", class: "button quiet", text: this.#text("camera"), onclick: () => shot.click() }),
      ),
    );
    const said = el("p", { class: "unseen", role: "status", "aria-live": "polite" });
    const trouble = el("p", { class: "wrong", role: "alert", hidden: true });
    const asked = el("div", { class: "asked", hidden: true });
    const busy = el("div", { hidden: true }, el("p", { text: this.#text("searching") }), el("div", { class: "bar", role: "progressbar", "aria-label": this.#text("searching") }));
    const told = el("h3", { tabindex: "-1", hidden: true });
    const list = el("ol", { "aria-label": this.#text("heading") });
    const dialog = el(
      "dialog",
      { part: "dialog", "aria-labelledby": "heading" },
      el("header", {}, el("h2", { id: "heading", text: this.#text("heading") }), el("button", { type: "button", class: "close", "aria-label": this.#text("close"), onclick: () => dialog.close() }, icon(CROSS))),
      el("div", { class: "body" }, said, drop, asked, busy, trouble, told, list, file, shot),
    );
    dialog.addEventListener("close", () => this.#turn?.abort());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    for (const name of ["dragover", "dragleave", "drop"]) dialog.addEventListener(name, (event) => this.#dragged(event, drop));
    const button = el("button", { type: "button", class: "button", part: "button", "aria-haspopup": "dialog", onclick: () => this.open() }, icon(CAMERA), el("span", { text: this.#text("label") }));
    root.replaceChildren(el("div", { class: "all" }, button, dialog));
    this.#built = { dialog, drop, said, trouble, asked, busy, told, list };
  }

  #chosen(input) {
    const [picture] = input.files;
    input.value = "";
    if (picture) this.#search(picture);
  }

  #dragged(event, drop) {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    drop.classList.toggle("over", event.type === "dragover");
    if (event.type === "drop" && event.dataTransfer.files.length) this.#search(event.dataTransfer.files[0]);
  }

  #paste = (event) => {
    const picture = event.clipboardData?.files?.[0];
    if (picture && this.#built?.dialog.open) this.#search(picture);
  };

  #forget() {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = "";
  }

  async #search(picture) {
    this.#turn?.abort();
    const turn = (this.#turn = new AbortController());
    const { drop, asked, busy, trouble, told, list, said } = this.#built;
    trouble.hidden = told.hidden = true;
    list.replaceChildren();
    drop.hidden = true;
    busy.hidden = asked.hidden = false;
    asked.replaceChildren(el("button", { type: "button", class: "button quiet", text: this.#text("stop"), onclick: () => turn.abort() }));
    said.textContent = this.#text("searching");
    try {
      const { blob, url } = await ready(picture);
      this.#forget();
      this.#url = url;
      const form = new FormData();
      form.append("picture", blob, "photo");
      form.append("top", this.#given("top") || "12");
      if (this.#given("filter")) form.append("filter", this.#given("filter"));
      const [answer] = await Promise.all([this.#ask("v1/search", { method: "POST", body: form, signal: turn.signal }), this.#renewPass(turn.signal)]);
      if (turn !== this.#turn) return;
      this.#show(answer, url);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#begin();
      if (error.name === "AbortError") return;
      trouble.hidden = false;
      trouble.textContent = error instanceof Refused ? error.message : this.#text("failed");
    } finally {
      if (turn === this.#turn) busy.hidden = true;
    }
  }

  #begin() {
    const { drop, asked, told, list } = this.#built;
    drop.hidden = false;
    asked.hidden = told.hidden = true;
    list.replaceChildren();
    drop.querySelector("button").focus();
  }

  #show(answer, url) {
    const { asked } = this.#built;
    const [width, height] = answer.size;
    const photo = el("div", { class: "photo" }, el("img", { src: url, alt: this.#text("photo") }));
    if (answer.items.length > 1) {
      answer.items.forEach((found, number) => {
        const [x0, y0, x1, y1] = found.item.box;
        const share = (value, whole) => `${(100 * value) / whole}%`;
        photo.append(
          el(
            "button",
            {
              type: "button",
              class: "box",
              "aria-pressed": "false",
              "aria-label": this.#text("item", { number: number + 1 }),
              style: { left: share(x0, width), top: share(y0, height), width: share(x1 - x0, width), height: share(y1 - y0, height) },
              onclick: () => this.#choose(answer, number),
            },
            el("span", { text: String(number + 1) }),
          ),
        );
      });
    }
    asked.replaceChildren(photo, el("button", { type: "button", class: "button quiet", text: this.#text("again"), onclick: () => this.#begin() }));
    this.#choose(answer, 0);
  }

  #choose(answer, number) {
    const { told, list, said, asked } = this.#built;
    asked.querySelectorAll(".box").forEach((box, place) => box.setAttribute("aria-pressed", String(place === number)));
    const found = answer.items[number];
    const matches = found?.matches ?? [];
    told.hidden = false;
    told.textContent = !matches.length
      ? this.#text("none")
      : found.in_catalogue
        ? this.#text("found", { count: matches.length })
        : this.#text("unsure");
    said.textContent = told.textContent;
    list.replaceChildren(...matches.map((match, place) => this.#card(match, answer, number, place === 0 && found.in_catalogue)));
    told.focus({ preventScroll: true });
  }

  #card(match, answer, item, isBest) {
    const { product } = match;
    const isLink = /^https?:\/\//i.test(product.url ?? "");
    const opened = (event) => {
      const told = new CustomEvent("snapshelf-open", { detail: { product, confidence: match.confidence, rank: match.rank }, bubbles: true, composed: true, cancelable: true });
      if (!this.dispatchEvent(told)) event.preventDefault();
      this.#note({ type: "click", request_id: answer.request_id, product_id: product.id, item, rank: match.rank });
    };
    const name = product.title || product.id;
    const words = el("span", { class: "clamp", text: name });
    const image = el("img", { src: this.#picture(match), alt: "", width: 400, height: 400, loading: "lazy", decoding: "async", onerror: (event) => event.target.replaceWith(name) });
    return el(
      "li",
      {},
      el(
        "article",
        { class: isBest ? "card best" : "card", part: "card" },
        el("div", { class: "picture" }, image),
        el(
          "div",
          { class: "words" },
          isBest && match.confidence >= SURE && el("p", { class: "flag", text: this.#text("best") }),
          el("h3", {}, isLink ? el("a", { class: "cover", href: product.url, target: this.#given("target") || null, rel: "noopener", onclick: opened }, words) : el("button", { type: "button", class: "cover", onclick: opened }, words)),
          product.brand && el("p", { class: "soft", text: product.brand }),
          product.price && el("p", { class: "price", text: priceText(product.price) }),
        ),
      ),
    );
  }

  #picture(match) {
    const url = new URL(match.picture.replace(/^\//, ""), SERVICE);
    url.searchParams.set("side", "400");
    url.searchParams.set("pass", this.#pass.text);
    return url.href;
  }

  async #renewPass(signal) {
    if (Date.now() < this.#pass.ends) return;
    const told = await this.#ask("v1/picture-pass", { signal });
    this.#pass = { text: told.pass, ends: Date.now() + 1000 * Math.max(60, told.seconds - 600) };
  }

  #headers() {
    const key = this.#given("key");
    return key ? { Authorization: `Bearer ${key}` } : {};
  }

  #note(event) {
    const headers = { ...this.#headers(), "Content-Type": "application/json" };
    fetch(new URL("v1/events", SERVICE), { method: "POST", headers, body: JSON.stringify(event), credentials: "omit", keepalive: true }).catch(() => {});
  }

  async #ask(path, { method = "GET", body, signal }) {
    for (let waits = 0; ; waits++) {
      let answer;
      try {
        answer = await fetch(new URL(path, SERVICE), { method, body, headers: this.#headers(), credentials: "omit", signal });
      } catch (error) {
        if (error.name === "AbortError") throw error;
        throw new Refused(this.#text("offline"));
      }
      if (answer.ok) return answer.json();
      const wait = Number(answer.headers.get("Retry-After"));
      if (waits < WAITS && [429, 503].includes(answer.status) && wait > 0 && wait <= LONGEST_WAIT_S) {
        await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
        signal?.throwIfAborted();
        continue;
      }
      const told = await answer.json().catch(() => ({}));
      // What is wrong with a picture is the customer's to know, in words; what with a key is the shop's.
      const isUnread = answer.status === 415 || String(told.type).endsWith(":picture-refused");
      const words = isUnread ? "refused" : { 413: "large", 429: "full" }[answer.status];
      if (words) throw new Refused(this.#text(words));
      console.warn(`snapshelf-search: ${answer.status} ${told.detail ?? ""}`);
      throw new Error(String(answer.status));
    }
  }
}

/** Make a picture ready: upright, and no larger than the search looks at. */
async function ready(picture) {
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(picture, { imageOrientation: "from-image" });
  } catch {
    // Some phones' pictures cannot be shown here; the service reads them all the same.
  }
  if (!bitmap) return { blob: picture, url: URL.createObjectURL(picture) };
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  let blob = picture;
  if (scale < 1 || picture.size > MANY_BYTES) {
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    blob = (await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.88))) ?? picture;
  }
  bitmap.close();
  return { blob, url: URL.createObjectURL(blob) };
}

function priceText(price) {
  const [, amount, currency] = /^(\d+(?:\.\d+)?)(?: ([A-Z]{3}))?$/.exec(price) ?? [];
  if (!currency) return price;
  try {
    return new Intl.NumberFormat(document.documentElement.lang || undefined, { style: "currency", currency }).format(Number(amount));
  } catch {
    return price;
  }
}

if (!customElements.get("snapshelf-search")) customElements.define("snapshelf-search", SnapshelfSearch);
