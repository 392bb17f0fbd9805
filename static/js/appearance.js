// The switch between light and dark: changes the page at once and remembers it for a year.

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-appearance-form]");
  if (!form || !event.submitter) return;
  event.preventDefault();
  choose(event.submitter.value);
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button === event.submitter));
  }
});

function choose(appearance) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `appearance=${appearance}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  if (appearance === "auto") delete document.documentElement.dataset.appearance;
  else document.documentElement.dataset.appearance = appearance;
}
