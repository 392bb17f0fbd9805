// Shows a thing's box over the picture while its chip is pointed at or focused; a press keeps it shown.

for (const [name, lit] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(name, (event) => {
    const chip = event.target.closest?.(".chip-thing");
    if (chip) light(chip, lit || chip.getAttribute("aria-pressed") === "true");
  });
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip-thing");
  if (!chip) return;
  const pressed = chip.getAttribute("aria-pressed") !== "true";
  chip.setAttribute("aria-pressed", String(pressed));
  light(chip, pressed);
});

function light(chip, lit) {
  document.querySelector(`.box[data-thing="${chip.dataset.thing}"]`)?.classList.toggle("lit", lit);
}
