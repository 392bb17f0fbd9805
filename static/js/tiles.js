// Placeholders behind pictures that are still coming, and pictures that fade in over them.

import { draw } from "./thumbhash.js";

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      placeholder(target);
    }
  },
  { rootMargin: "50% 0px" },
);

function placeholder(holder) {
  const image = holder.querySelector("img");
  if (!image || (image.complete && image.naturalWidth)) return;
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  draw(holder.dataset.hash, canvas);
  holder.prepend(canvas);
}

function prepare(root) {
  for (const holder of root.querySelectorAll("[data-hash]")) {
    const image = holder.querySelector("img");
    if (!image || image.complete || holder.querySelector("canvas")) continue;
    image.classList.add("coming");
    near.observe(holder);
  }
}

function arrived({ target }) {
  if (!target.matches?.("[data-hash] > img")) return;
  target.classList.remove("coming");
  // The canvas stays until the picture is opaque; where nothing moves there is no transition to wait for.
  setTimeout(() => target.parentElement?.querySelector("canvas")?.remove(), 400);
}

// These events do not bubble, but they can be caught on their way down.
document.addEventListener("load", arrived, true);
document.addEventListener("error", arrived, true);
document.addEventListener("htmx:load", (event) => prepare(event.target.parentElement ?? document));
document.addEventListener("tiles:changed", (event) => prepare(event.target));
prepare(document);
