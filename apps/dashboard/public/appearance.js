// Before the first paint, so that nobody who chose the dark appearance is shown a flash of light.
// apps/dashboard/src/app/appearance.ts writes what this reads.
(() => {
  try {
    const chosen = localStorage.getItem("atelier.appearance");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // A browser that keeps nothing follows the system.
  }
})();
