// The same spot of all pictures of a group: zoom and movement are shared, or one lies over the other.

const stage = document.getElementById("comparing");
const pictures = [...stage.querySelectorAll(".alike-picture")];
const LARGEST = 8;
let zoom = 1;
let spot = { x: 0.5, y: 0.5 }; // what stays in place, as a part of the picture

function show() {
  stage.style.setProperty("--zoom", zoom);
  stage.style.setProperty("--x", `${100 * spot.x}%`);
  stage.style.setProperty("--y", `${100 * spot.y}%`);
  stage.classList.toggle("zoomed", zoom > 1);
}

function place(event, picture) {
  const box = picture.getBoundingClientRect();
  return { x: clamp((event.clientX - box.left) / box.width), y: clamp((event.clientY - box.top) / box.height) };
}

const clamp = (part) => Math.min(1, Math.max(0, part));

let drag = null;
for (const picture of pictures) {
  picture.draggable = false;
  picture.querySelector("img").draggable = false;
  picture.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    drag = { from: { x: event.clientX, y: event.clientY }, spot, moved: false };
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const box = picture.getBoundingClientRect();
    const across = event.clientX - drag.from.x;
    const down = event.clientY - drag.from.y;
    drag.moved ||= Math.abs(across) + Math.abs(down) > 5;
    if (zoom === 1 || !drag.moved) return;
    const reach = zoom - 1;
    spot = { x: clamp(drag.spot.x - across / box.width / reach), y: clamp(drag.spot.y - down / box.height / reach) };
    show();
  });
  picture.addEventListener("pointerup", () => setTimeout(() => { drag = null; }));
  picture.addEventListener("pointercancel", () => { drag = null; });
  picture.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.detail === 0) return;
    event.preventDefault();
    if (drag?.moved) return;
    if (zoom === 1) spot = place(event, picture);
    zoom = zoom === 1 ? 3 : 1;
    show();
  });
  picture.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (zoom === 1) spot = place(event, picture);
    zoom = Math.min(LARGEST, Math.max(1, zoom * (event.deltaY < 0 ? 1.2 : 1 / 1.2)));
    if (zoom < 1.05) zoom = 1;
    show();
  }, { passive: false });
}

// One at a time: the chosen one lies on top, at the same place and zoom as the others.
const photos = [...stage.querySelectorAll(".alike-photo")];
let top = 0;

function lay(number) {
  top = (number + photos.length) % photos.length;
  photos.forEach((photo, at) => photo.classList.toggle("on-top", at === top));
}

function way(name) {
  stage.classList.toggle("over", name === "over");
  for (const button of document.querySelectorAll("[data-way]")) {
    button.setAttribute("aria-pressed", String(button.dataset.way === name));
  }
}

for (const button of document.querySelectorAll("[data-way]")) {
  button.addEventListener("click", () => way(button.dataset.way));
}
stage.addEventListener("change", (event) => {
  if (event.target.name === "keep") lay(photos.indexOf(event.target.closest(".alike-photo")));
});
stage.addEventListener("focusin", (event) => {
  const photo = event.target.closest(".alike-photo");
  if (photo && event.target.name === "keep") lay(photos.indexOf(photo));
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const pressed = event.target.closest("button, a, input");
  if (event.key === "f" || (event.key === " " && !pressed)) {
    event.preventDefault();
    if (stage.classList.contains("over")) lay(top + 1);
    else way("over");
  }
});
lay(0);
show();
