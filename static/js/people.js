// Faces of a person: how many are ticked, a stretch of them with Shift, none with Escape; and where the focus goes.

const boxes = () => [...document.querySelectorAll("[data-faces] input[name=face]")];
let last = null;

document.addEventListener("click", (event) => {
  const box = event.target.closest?.("[data-faces] input[name=face]");
  if (!box) return;
  const all = boxes();
  if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const one of all.slice(from, to + 1)) one.checked = box.checked;
  }
  last = box;
  count();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !boxes().some((box) => box.checked)) return;
  for (const box of boxes()) box.checked = false;
  count();
});

function count() {
  const words = document.querySelector("[data-ticked]");
  const ticked = boxes().filter((box) => box.checked).length;
  if (words) words.textContent = ticked ? `${ticked} ${ticked === 1 ? "face" : "faces"} ticked` : "Tick faces to say something of them.";
}

// What was pressed is gone with the old part of the page: readers go on at the top of the new one.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "person" && !document.activeElement?.closest("#person")) {
    document.getElementById("person")?.focus({ preventScroll: true });
  }
});
