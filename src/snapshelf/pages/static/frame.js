// What stands around every page: the button that changes its look.

const LOOKS = ["system", "light", "dark"];
const NAMES = { system: "as the system", light: "light", dark: "dark" };

const root = document.documentElement;
const button = document.getElementById("look");
const name = document.getElementById("look-name");

function chosen() {
  return root.dataset.look ?? "system";
}

function show() {
  name.textContent = `Look: ${NAMES[chosen()]}. Change it`;
  button.title = `Look: ${NAMES[chosen()]}`;
}

button.addEventListener("click", () => {
  const next = LOOKS[(LOOKS.indexOf(chosen()) + 1) % LOOKS.length];
  if (next === "system") delete root.dataset.look;
  else root.dataset.look = next;
  try {
    localStorage.setItem("snapshelf-look", next);
  } catch {
    // It holds for this page only then.
  }
  show();
});

button.hidden = false;
show();
