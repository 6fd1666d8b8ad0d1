// How pictures come in: chosen, dropped, pasted, taken with the camera.

import { byId } from "./dom.js";
import { takePhoto } from "./camera.js";

/**
 * Listen for pictures and clips.
 *
 * @param {(file: File|Blob) => void} onFile Called with each that comes.
 * @param {(message: string) => void} onRefused Called where what came is no file.
 */
export function listen(onFile, onRefused) {
  const input = byId("file");
  const capture = byId("capture");
  for (const field of [input, capture]) {
    const took = () => {
      if (field.files.length) onFile(field.files[0]);
      // So that the same file can be chosen again.
      field.value = "";
    };
    field.addEventListener("change", took);
    // On a slow network somebody may have chosen before this ran.
    took();
  }
  for (const button of document.querySelectorAll("[data-does=choose]")) {
    button.addEventListener("click", () => input.click());
  }
  for (const button of document.querySelectorAll("[data-does=camera]")) {
    button.addEventListener("click", () => photograph(capture, onFile));
  }
  listenForDrops(onFile, onRefused);
  listenForPastes(onFile);
}

async function photograph(capture, onFile) {
  // A phone's own camera is better than any page's.
  const isPhone = matchMedia("(pointer: coarse)").matches;
  if (isPhone || !navigator.mediaDevices?.getUserMedia) return capture.click();
  const photo = await takePhoto();
  if (photo) onFile(photo);
}

function listenForDrops(onFile, onRefused) {
  const zone = byId("drop");
  let inside = 0;
  const show = (over) => {
    document.body.classList.toggle("dropping", over);
    zone.classList.toggle("over", over);
  };
  const brings = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    inside += 1;
    show(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!brings(event)) return;
    inside = Math.max(0, inside - 1);
    if (!inside) show(false);
  });
  document.addEventListener("dragover", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("drop", (event) => {
    inside = 0;
    show(false);
    if (!event.dataTransfer) return;
    event.preventDefault();
    if (event.dataTransfer.files.length) onFile(event.dataTransfer.files[0]);
    else onRefused("That was no file. Save the picture first, then drop it here.");
  });
}

function listenForPastes(onFile) {
  document.addEventListener("paste", (event) => {
    if (event.target.closest?.("input, textarea")) return;
    const file = [...(event.clipboardData?.files ?? [])].find((each) =>
      /^(image|video)\//.test(each.type),
    );
    if (!file) return;
    event.preventDefault();
    onFile(file);
  });
}
