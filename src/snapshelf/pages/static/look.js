// Light or dark, as was chosen before. A plain script, not a module: it runs before the first paint.
try {
  const look = localStorage.getItem("snapshelf-look");
  if (look === "light" || look === "dark") document.documentElement.dataset.look = look;
} catch {
  // Storage is closed to this page; the system's look holds.
}
