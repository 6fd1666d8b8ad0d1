// Asks for a key, and opens the page with a session in place of it.

import { begin } from "./api.js";

const form = document.getElementById("gate");
const told = document.getElementById("gate-told");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = form.elements.key;
  const button = form.querySelector("button");
  button.disabled = true;
  told.textContent = "";
  try {
    await begin({ key: field.value, scope: form.dataset.scope });
    location.reload();
  } catch (problem) {
    told.textContent =
      problem.status === 401 ? "This is none of the shop's keys." : problem.message;
    field.setAttribute("aria-invalid", "true");
    field.select();
    field.focus();
    button.disabled = false;
  }
});

form.elements.key.focus();
