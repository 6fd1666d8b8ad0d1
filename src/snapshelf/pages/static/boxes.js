// Boxes [x0, y0, x1, y1] in pixels of a picture, and what a hand or a key does to them.

/** Least side of a box that a customer draws, as a share of the picture's longer side. */
export const LEAST = 0.03;

/** Put two corners in order and keep them inside a picture. */
export function ordered([xa, ya, xb, yb], { width, height }) {
  const clamp = (value, most) => Math.min(Math.max(value, 0), most);
  return [
    clamp(Math.min(xa, xb), width),
    clamp(Math.min(ya, yb), height),
    clamp(Math.max(xa, xb), width),
    clamp(Math.max(ya, yb), height),
  ];
}

/** Whether a box is large enough to be meant. */
export function isMeant([x0, y0, x1, y1], { width, height }) {
  const least = LEAST * Math.max(width, height);
  return x1 - x0 >= least && y1 - y0 >= least;
}

/** Move a box, all of it staying in the picture. */
export function moved([x0, y0, x1, y1], dx, dy, { width, height }) {
  const mx = Math.min(Math.max(dx, -x0), width - x1);
  const my = Math.min(Math.max(dy, -y0), height - y1);
  return [x0 + mx, y0 + my, x1 + mx, y1 + my];
}

/** Make a box larger or smaller at its right and lower sides. */
export function sized([x0, y0, x1, y1], dx, dy, size) {
  const least = LEAST * Math.max(size.width, size.height);
  return [
    x0,
    y0,
    Math.min(Math.max(x1 + dx, x0 + least), size.width),
    Math.min(Math.max(y1 + dy, y0 + least), size.height),
  ];
}

/** The box in the middle with which drawing by keys begins. */
export function middle({ width, height }) {
  return [0.25 * width, 0.25 * height, 0.75 * width, 0.75 * height];
}

/** Whether a box is the whole picture, give or take two pixels. */
export function isWhole([x0, y0, x1, y1], { width, height }) {
  return Math.max(x0, y0, width - x1, height - y1) <= 2;
}

/** Whole pixels, as addresses hold them. */
export function rounded(box) {
  return box.map((value) => Math.round(value));
}

/** Where a box is, in words. */
export function placeText([x0, y0, x1, y1], { width, height }) {
  const share = (value, whole) => `${Math.round((100 * value) / whole)} %`;
  return (
    `left ${share(x0, width)}, top ${share(y0, height)}, ` +
    `width ${share(x1 - x0, width)}, height ${share(y1 - y0, height)}`
  );
}
