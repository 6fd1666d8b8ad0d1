// Pictures made ready: told by their bytes, turned upright, made smaller before they are sent.

import { ask, Problem } from "./api.js";
import { sightOf } from "./sight.js";

/** Longest side of a picture that is sent, pixels: the search looks no closer. */
export const LONGEST = 1600;

const MANY_BYTES = 1_500_000;
const QUALITY = 0.88;

/**
 * Tell by its first bytes what a file is.
 *
 * @returns {Promise<"picture"|"heic"|"clip"|"empty"|"other">}
 */
export async function kindOf(file) {
  const bytes = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const text = String.fromCharCode(...bytes);
  if (!bytes.length) return "empty";
  if (text.startsWith("\xff\xd8\xff") || text.startsWith("\x89PNG\r\n")) return "picture";
  if (text.startsWith("GIF8") || (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP")) {
    return "picture";
  }
  if (text.slice(4, 8) === "ftyp") {
    return /^(hei[cfmsx]|hev[cmsx]|mif1|msf1|avi[fs])/.test(text.slice(8, 12)) ? "heic" : "clip";
  }
  if (text.startsWith("\x1aE\xdf\xa3") || (text.startsWith("RIFF") && text.slice(8, 11) === "AVI")) {
    return "clip";
  }
  return /^(image)\//.test(file.type) ? "picture" : /^video\//.test(file.type) ? "clip" : "other";
}

/**
 * Make a picture ready to be shown and sent.
 *
 * @param {Blob} file
 * @param {{signal?: AbortSignal, onSlow?: () => void}} more `onSlow` is told where the service has to help.
 * @returns {Promise<{blob: Blob, url: string, width: number, height: number, sight: object}>} Upright,
 *   the size in pixels of `blob`, in which boxes are given, and its `sightOf`; free `url` with
 *   URL.revokeObjectURL.
 * @throws {Problem} If it cannot be read.
 */
export async function ready(file, { signal, onSlow } = {}) {
  let source = file;
  let bitmap = await decoded(source);
  if (!bitmap) {
    // Most browsers cannot show the pictures of some phones; the shop can.
    onSlow?.();
    const answer = await ask("v1/upright", {
      method: "POST",
      body: file,
      headers: { "Content-Type": "application/octet-stream" },
      signal,
    });
    source = await answer.blob();
    bitmap = await decoded(source);
  }
  if (!bitmap) throw new Problem("This picture cannot be read.", { kind: "picture-refused" });
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  // What only some browsers read, the shop may not read either.
  const isOdd = source === file && (await kindOf(file)) === "heic";
  const isLarge = scale < 1 || source.size > MANY_BYTES;
  const blob = isLarge || isOdd ? await redrawn(bitmap, width, height) : source;
  const sight = sightOf(bitmap);
  bitmap.close();
  return { blob, url: URL.createObjectURL(blob), width, height, sight };
}

/** A frame of a playing video, or any part of a picture, as a JPEG. */
export async function redrawn(source, width, height, part = null) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  // A JPEG has no glass: what can be seen through becomes white, not black.
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  if (part) pen.drawImage(source, ...part, 0, 0, width, height);
  else pen.drawImage(source, 0, 0, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Problem("This picture cannot be drawn.", { kind: "picture-refused" }))),
      "image/jpeg",
      QUALITY,
    );
  });
}

async function decoded(blob) {
  try {
    return await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
}
