// What a feed did to the shelf, and what of it was skipped.

import { address } from "../api.js";
import { el } from "../dom.js";
import { countText } from "../words.js";

/**
 * Make the report.
 *
 * @param {object} result Of the job.
 * @returns {Node[]}
 */
export function reportOf({ feed, report, reasons, problems, problem_count: count, problem_files: files }) {
  const nodes = [
    el("h2", { id: "report-title", tabindex: "-1", text: count ? "Indexed, with problems" : "Indexed" }),
    el("p", { class: "soft text", text: `${feed}, in ${report.seconds.toFixed(1)} s` }),
    el(
      "dl",
      { class: "tiles" },
      tile("Stored", report.changed),
      tile("Unchanged", report.unchanged),
      tile("Removed", report.removed),
      tile("Skipped", report.skipped, report.skipped > 0),
      tile("Parts left out", report.parts_skipped, report.parts_skipped > 0),
    ),
  ];
  if (report.not_removed) nodes.push(el("p", { class: "notice", text: `Nothing was removed, since ${report.not_removed}.` }));
  if (report.stopped) nodes.push(el("p", { class: "notice", text: `The feed could not be read to its end: ${report.stopped}` }));
  if (!count) return nodes;
  nodes.push(
    el(
      "header",
      { class: "result-head" },
      el("h3", { text: countText(count, "problem") }),
      el("a", { class: "button quiet small", href: address(files.csv), download: "problems.csv", text: "Download CSV" }),
      el("a", { class: "button quiet small", href: address(files.jsonl), download: "problems.jsonl", text: "Download JSON Lines" }),
    ),
    table(
      "Reasons",
      ["Field", "Reason", "How often"],
      reasons.map((each) => [each.field || "row", each.reason, each.count]),
    ),
    table(
      count > problems.length ? `The first ${problems.length}` : "All of them",
      ["Line", "Product", "Field", "Reason"],
      problems.map((each) => [each.line || "–", each.product_id || "–", each.field || "row", each.reason]),
    ),
  );
  return nodes;
}

function tile(name, value, isBad = false) {
  return el("div", { class: isBad ? "tile bad" : "tile" }, el("dt", { text: name }), el("dd", { class: "figure", text: value.toLocaleString(document.documentElement.dataset.locale) }));
}

function table(caption, heads, rows) {
  return el(
    "div",
    { class: "table-box", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", { text: caption }),
      el("thead", {}, el("tr", {}, ...heads.map((text, place) => el("th", { scope: "col", class: typeof rows[0]?.[place] === "number" ? "figure" : "", text })))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((text) => el("td", { class: typeof text === "number" ? "figure" : "text", text: String(text) }))))),
    ),
  );
}
