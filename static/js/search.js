// The search box: the arrows go to the suggestions and through them, Escape closes them and goes back.

const box = document.querySelector("[data-search]");
const place = document.getElementById("suggestions");
const links = () => [...place.querySelectorAll(".suggestion")];

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    box.focus();
  }
});

box.form.addEventListener("keydown", (event) => {
  const at = links().indexOf(document.activeElement);
  if (event.key === "Escape" && links().length) {
    event.preventDefault();
    place.replaceChildren();
    box.focus();
  } else if (event.key === "ArrowDown" && links().length) {
    event.preventDefault();
    links()[Math.min(at + 1, links().length - 1)].focus();
  } else if (event.key === "ArrowUp" && at >= 0) {
    event.preventDefault();
    (links()[at - 1] ?? box).focus();
  }
});

// What is said about an earlier question is not asked again with the next one.
box.form.addEventListener("submit", () => {
  if (!box.value.trim()) box.disabled = true;
});
addEventListener("pageshow", () => (box.disabled = false));

document.addEventListener("pointerdown", (event) => {
  if (!box.form.contains(event.target)) place.replaceChildren();
});
