// Elements made by hand: text stays text, so nothing that a shop or a customer wrote is ever markup.

const SVG = "http://www.w3.org/2000/svg";
/** Letters that may not fit where words are clamped. */
const LONG = 50;

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {object} [given] Attributes; `class`, `text`, `data` (dataset), `on` (listeners) and `style`
 *   (of single properties) are understood; null and false leave one out, true gives an empty one.
 * @param {...(Node|string|null|false)} children
 */
export function el(tag, given = {}, ...children) {
  return filled(document.createElement(tag), given, children);
}

/** The same for a drawing. */
export function drawn(tag, given = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), given, children);
}

/** An element by its ID, which has to be there. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * Words of a feed, at most a few lines of them: what is longer is read in full by who hears the page,
 * and by who points at it.
 *
 * @param {string} text
 * @param {string} more Further classes.
 */
export function clamped(text, more = "") {
  const title = text.length > LONG ? text : null;
  return el("span", { class: `text clamp ${more}`.trim(), dir: "auto", title, text });
}

/** Tell somebody who does not see the page what has changed. */
export function announce(text) {
  const region = byId("said");
  // The same words again would not be read again.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

/** Show a few words at the lower edge for a moment. */
export function toast(text, seconds = 5) {
  const shown = el("p", { class: "toast", text });
  byId("toasts").append(shown);
  setTimeout(() => shown.remove(), seconds * 1000);
}

/** Whether movement is welcome. */
export function moves() {
  return !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function filled(element, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "style") {
      for (const [key, part] of Object.entries(value)) element.style.setProperty(key, part);
    } else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}
