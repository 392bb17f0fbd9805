// Keeps the eye's place in the timeline: while newer photos join above it, and on the way back from the viewer.

let kept = null;

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.target.matches(".more-newer")) return;
  const anchor = event.target.nextElementSibling;
  // The browser's own anchoring is off meanwhile: it would correct what is corrected here.
  document.documentElement.style.overflowAnchor = "none";
  kept = { anchor, top: anchor.getBoundingClientRect().top };
});

document.addEventListener("htmx:afterSwap", () => {
  if (!kept) return;
  scrollBy(0, kept.anchor.getBoundingClientRect().top - kept.top);
  kept = null;
  requestAnimationFrame(() => (document.documentElement.style.overflowAnchor = ""));
});

// Back from the viewer the page is as it was; if other photos were looked at there, show the last one.
addEventListener("pageshow", (event) => {
  const seen = sessionStorage.getItem("seen");
  sessionStorage.removeItem("seen");
  const tile = seen && document.getElementById(`p-${seen}`);
  if (!tile) return;
  if (event.persisted || location.hash === `#p-${seen}`) tile.scrollIntoView({ block: "nearest" });
  tile.focus({ preventScroll: true, focusVisible: false });
});
