// Why a product was found: both pictures beside each other, and lines between the points that match.

import { drawn } from "./dom.js";

const WIDTH = 1000;
const GAP = 60;
const SIDE = (WIDTH - GAP) / 2;
const MOST_LINES = 60;
const KINDS = 6;

let drawings = 0;

/**
 * Draw both pictures.
 *
 * @param {{url: string, size: number[], box: number[]}} query The customer's picture, its (width,
 *   height) in pixels and the item's box in it.
 * @param {{url: string, size: number[], box: number[]|null}} product The product's picture; `box` is
 *   the part that matched, null for all of it.
 * @param {object} evidence Of the match: `points` holds x and y in pixels of the item, then of that
 *   part.
 * @returns {{drawing: SVGElement, lines: number}}
 */
export function compared(query, product, evidence) {
  const parts = [part(query.box, query.size), part(product.box, product.size)];
  const height = SIDE * Math.max(...parts.map(flatness));
  const places = parts.map((each, n) => placed(each, n * (SIDE + GAP), height));
  const lines = linesBetween(evidence.points, places);
  const name = `drawing-${(drawings += 1)}`;
  const told = lines.length
    ? `Your picture on the left and the product's on the right, with ${lines.length} lines between points that match.`
    : "Your picture on the left, the product's on the right.";
  const drawing = drawn(
    "svg",
    { class: "drawing", viewBox: `0 0 ${WIDTH} ${height.toFixed(1)}`, role: "img", "aria-label": told },
    ...[query, product].map((picture, n) => shown(picture, places[n], `${name}-${n}`)),
    ...lines.map(([x1, y1, x2, y2], n) =>
      drawn(
        "g",
        { class: `k${n % KINDS}`, style: { "--n": String(n) } },
        drawn("line", { class: "casing", x1, y1, x2, y2 }),
        drawn("line", { class: "join", pathLength: 1, x1, y1, x2, y2 }),
        drawn("circle", { cx: x1, cy: y1, r: 5 }),
        drawn("circle", { cx: x2, cy: y2, r: 5 }),
      ),
    ),
  );
  return { drawing, lines: lines.length };
}

function part(box, [width, height]) {
  if (!box) return [0, 0, width, height];
  return [
    Math.max(0, Math.floor(box[0])),
    Math.max(0, Math.floor(box[1])),
    Math.min(width, Math.ceil(box[2])),
    Math.min(height, Math.ceil(box[3])),
  ];
}

function flatness([x0, y0, x1, y1]) {
  return (y1 - y0) / Math.max(x1 - x0, y1 - y0);
}

// As large as fits into a square.
function placed([x0, y0, x1, y1], left, height) {
  const scale = SIDE / Math.max(x1 - x0, y1 - y0);
  const width = scale * (x1 - x0);
  const high = scale * (y1 - y0);
  return {
    part: [x0, y0, x1, y1],
    scale,
    x: left + (SIDE - width) / 2,
    y: (height - high) / 2,
    width,
    height: high,
  };
}

function shown({ url, size }, place, name) {
  const [x0, y0, x1, y1] = place.part;
  const { x, y, width, height } = place;
  return drawn(
    "g",
    {},
    drawn("clipPath", { id: name }, drawn("rect", { x, y, width, height, rx: 14 })),
    drawn("rect", { class: "ground", x, y, width, height, rx: 14 }),
    drawn(
      "g",
      { "clip-path": `url(#${name})` },
      drawn(
        "svg",
        { x, y, width, height, viewBox: `${x0} ${y0} ${x1 - x0} ${y1 - y0}`, preserveAspectRatio: "none" },
        drawn("image", { href: url, width: size[0], height: size[1], preserveAspectRatio: "none" }),
      ),
    ),
  );
}

// None where a point lies beside its picture: that is another one than was indexed.
function linesBetween(points, [left, right]) {
  if (!Array.isArray(points)) return [];
  const lines = [];
  for (const point of points.slice(0, MOST_LINES)) {
    if (!Array.isArray(point) || point.length !== 4 || !point.every(Number.isFinite)) return [];
    const ends = [at(left, point[0], point[1]), at(right, point[2], point[3])];
    if (!ends[0] || !ends[1]) return [];
    lines.push([...ends[0], ...ends[1]].map((value) => value.toFixed(1)));
  }
  return lines;
}

function at({ part: [x0, y0, x1, y1], scale, x, y }, px, py) {
  if (px < -0.1 || py < -0.1 || px > x1 - x0 + 0.1 || py > y1 - y0 + 0.1) return null;
  return [x + scale * px, y + scale * py];
}
