// Files from a drop, a choice or the clipboard into a place of the page.

/**
 * Take files in.
 *
 * @param {{place: HTMLElement, button: HTMLElement, input: HTMLInputElement,
 *   view: HTMLElement, onFiles: (files: File[]) => void}} parts Drops count anywhere in `view`.
 */
export function takesFiles({ place, button, input, view, onFiles }) {
  let depth = 0;
  const hasFiles = (event) => !view.hidden && [...(event.dataTransfer?.types ?? [])].includes("Files");
  const over = (isOver) => place.classList.toggle("over", isOver);
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files.length) onFiles([...input.files]);
    // The same file may be chosen again.
    input.value = "";
  });
  document.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    over(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (!depth) over(false);
  });
  document.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    over(false);
    if (event.dataTransfer.files.length) onFiles([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => {
    if (view.hidden || event.target.closest?.("input, textarea")) return;
    if (event.clipboardData?.files.length) onFiles([...event.clipboardData.files]);
  });
}
