// The API's documentation follows the look that was chosen, else the system's; its own styles know both.

const dark = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  const chosen = document.documentElement.dataset.appearance;
  document.documentElement.classList.toggle("dark-mode", chosen ? chosen === "dark" : dark.matches);
}

dark.addEventListener("change", follow);
follow();
