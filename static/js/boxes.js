// Boxes around things and faces over the picture: all of them by a button or the key b, which is remembered;
// a thing's own while its chip is pointed at or focused, and for longer after a press.

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

// What the details know of is drawn anew whenever they are: a name that was given, a thing that was found.
function draw() {
  const place = document.querySelector(".boxes");
  const told = document.getElementById("boxes-here")?.dataset.boxes;
  const button = document.querySelector("[data-toggle-boxes]");
  if (!place || !button) return;
  const boxes = told ? JSON.parse(told) : [];
  place.replaceChildren(...boxes.map(drawn));
  button.hidden = !boxes.length;
}

function drawn(box) {
  const made = document.createElement("span");
  made.className = `box box-${box.kind}`;
  made.classList.toggle("box-above", box.above);
  made.classList.toggle("box-left-of", box.left_of);
  if (box.thing) made.dataset.thing = box.thing;
  for (const side of ["left", "top", "width", "height"]) made.style[side] = `${box[side]}%`;
  const label = document.createElement("span");
  label.textContent = box.words;
  made.append(label);
  return made;
}

function toggle() {
  const button = document.querySelector("[data-toggle-boxes]");
  if (!button || button.hidden) return;
  const shown = document.querySelector(".boxes").classList.toggle("boxes-shown");
  button.setAttribute("aria-pressed", String(shown));
  document.cookie = `boxes=${shown ? "shown" : "hidden"}; Path=/; Max-Age=31536000; SameSite=Lax`;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-toggle-boxes]")) toggle();
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key.toLowerCase() === "b") toggle();
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "viewer" || event.target.id === "details") draw();
});
draw();
