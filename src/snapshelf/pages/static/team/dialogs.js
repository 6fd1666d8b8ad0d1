// Dialogs: closed by their buttons and beside them, and asked before anything is lost.

import { byId } from "../dom.js";

/** Have a dialog close by its buttons, and by a press beside it. */
export function closes(dialog) {
  for (const button of dialog.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => dialog.close());
  }
  let pressedBeside = false;
  dialog.addEventListener("pointerdown", (event) => {
    pressedBeside = event.target === dialog;
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && pressedBeside) dialog.close();
  });
}

/**
 * Ask whether somebody is sure.
 *
 * @returns {Promise<boolean>}
 */
export function sure({ title, text, yes }) {
  const dialog = byId("sure");
  byId("sure-title").textContent = title;
  byId("sure-text").textContent = text;
  const [no, go] = [byId("sure-no"), byId("sure-yes")];
  go.textContent = yes;
  return new Promise((resolve) => {
    const end = (answer) => {
      no.onclick = go.onclick = dialog.onclose = null;
      if (dialog.open) dialog.close();
      resolve(answer);
    };
    no.onclick = () => end(false);
    go.onclick = () => end(true);
    dialog.onclose = () => end(false);
    dialog.showModal();
    no.focus();
  });
}
