// What can be seen in a picture at all: not much where it is tiny, nothing where it is one colour.

/** Longest side, pixels, of a picture in which hardly anything can be told from anything. */
const TINY = 64;
/** Side of the copy that is looked at: larger than the grain of photos, smaller than what they show. */
const LOOKED_AT = 256;
/** Levels of 255 within which all is one colour; the black of a covered lens differs by as much. */
const SAME = 8;

/**
 * Look whether a picture shows anything. Nothing is refused for it: a customer may know better.
 *
 * @param {ImageBitmap} bitmap
 * @returns {{isTiny: boolean, isBlank: boolean}}
 */
export function sightOf(bitmap) {
  return { isTiny: Math.max(bitmap.width, bitmap.height) < TINY, isBlank: isBlank(bitmap) };
}

/** Say it to the customer; "" where there is enough to see. */
export function sightText({ isTiny, isBlank } = {}) {
  if (isTiny) return "This photo is very small, so there is hardly anything to see in it. Try a larger one.";
  if (isBlank) return "There is nothing to see in this photo: it is all one colour. Try another one.";
  return "";
}

function isBlank(bitmap) {
  const scale = Math.min(1, LOOKED_AT / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, width, height);
  const { data } = pen.getImageData(0, 0, width, height);
  const least = [255, 255, 255];
  const most = [0, 0, 0];
  for (let place = 0; place < data.length; place += 1) {
    const channel = place % 4;
    if (channel === 3) continue;
    least[channel] = Math.min(least[channel], data[place]);
    most[channel] = Math.max(most[channel], data[place]);
  }
  return most.every((value, channel) => value - least[channel] <= SAME);
}
