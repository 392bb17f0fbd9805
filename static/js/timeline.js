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

// Back from the viewer the page is as it was, and shows the photo that was looked at last. Where the browser
// has forgotten the stretches that had joined the page, that photo's own place is opened.
addEventListener("pageshow", (event) => {
  const seen = JSON.parse(sessionStorage.getItem("seen"));
  sessionStorage.removeItem("seen");
  if (!seen) return;
  const tile = document.getElementById(`p-${seen.photo}`);
  if (!tile) return location.replace(seen.place);
  if (event.persisted) tile.scrollIntoView({ block: "nearest" });
  tile.focus({ preventScroll: true, focusVisible: false });
});
