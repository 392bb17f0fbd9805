// The viewer's keys and gestures, its panel, and controls that fade while nothing is touched.

const viewer = () => document.getElementById("viewer");
const phone = matchMedia("(max-width: 47.99rem)");

const keys = {
  ArrowLeft: () => follow("prev"),
  k: () => follow("prev"),
  ArrowRight: () => follow("next"),
  j: () => follow("next"),
  i: togglePanel,
  Escape: leave,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Keys can be quicker than the server: steps that are pressed while one is under way follow it, up to three.
let moving = false;
let waiting = [];

function follow(rel) {
  if (moving) waiting = [...waiting, rel].slice(0, 3);
  else document.querySelector(`#viewer a[rel="${rel}"]`)?.click();
}

function stopped() {
  moving = false;
  const rel = waiting.shift();
  if (rel) follow(rel);
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches(".step")) moving = true;
});
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (!event.target.matches(".step")) return;
    moving = false;
    waiting = [];
    location.assign(event.target.href);
  });
}

// Back to where the viewer was opened from, or to the photo's place in the timeline.
function leave() {
  if (viewer().classList.contains("sheet")) return togglePanel();
  const up = document.querySelector('#viewer a[rel="up"]');
  sessionStorage.setItem("seen", JSON.stringify({ photo: up.dataset.photo, place: up.href }));
  if (cameFrom(up)) history.back();
  else location.assign(up.href);
}

function cameFrom(up) {
  const from = document.referrer && new URL(document.referrer);
  return from && from.origin === location.origin && from.pathname === up.pathname && history.length > 1;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-toggle-panel]")) {
    event.preventDefault();
    togglePanel();
  } else if (event.target.closest('a[rel="up"]') && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    leave();
  }
});

function togglePanel() {
  const element = viewer();
  if (phone.matches) {
    if (element.classList.toggle("sheet")) document.getElementById("details").focus();
    else showExpanded();
  } else {
    const open = isOpen();
    element.classList.remove("settled");
    setTimeout(settle, 300);
    element.dataset.panel = open ? "closed" : "open";
    document.cookie = `panel=${element.dataset.panel}; Path=/; Max-Age=31536000; SameSite=Lax`;
  }
  showExpanded();
}

function isOpen() {
  return getComputedStyle(document.getElementById("details")).display !== "none"
    && getComputedStyle(document.getElementById("details")).visibility !== "hidden";
}

function showExpanded() {
  const open = phone.matches ? viewer().classList.contains("sheet") : isOpen();
  document.querySelector(".stage-bar [data-toggle-panel]")?.setAttribute("aria-expanded", String(open));
}

// A swipe to the side goes on; one finger, more across than down.
let touch = null;
document.addEventListener("pointerdown", (event) => {
  touch = event.pointerType === "touch" && event.isPrimary && event.target.closest(".stage")
    ? { x: event.clientX, y: event.clientY } : null;
});
document.addEventListener("pointerup", (event) => {
  if (!touch || visualViewport.scale > 1.01) return;
  const across = event.clientX - touch.x;
  const down = event.clientY - touch.y;
  touch = null;
  if (Math.abs(across) > 50 && Math.abs(across) > 2 * Math.abs(down)) follow(across < 0 ? "next" : "prev");
});

let resting;
function stir() {
  viewer().classList.remove("resting");
  clearTimeout(resting);
  resting = setTimeout(() => viewer().classList.add("resting"), 2500);
}
for (const name of ["pointermove", "pointerdown", "keydown"]) document.addEventListener(name, stir, { passive: true });

// After each step: the neighbours' pictures are fetched ahead, and the focus goes where it was.
// A panel that comes anew is where its reader had scrolled to.
let focused = null;
let scrolled = 0;
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.id === "details") scrolled = event.target.scrollTop;
  if (event.target.id === "viewer") focused = document.activeElement?.getAttribute("rel");
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "details") {
    document.getElementById("details").scrollTop = scrolled;
    return showExpanded();
  }
  if (event.target.id !== "viewer") return;
  viewer().classList.add("settled");
  if (focused) document.querySelector(`#viewer a[rel="${focused}"]`)?.focus({ focusVisible: false });
  focused = null;
  ready();
});
// Not before it has settled: until then the old address is still being replaced.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "viewer") stopped();
});

// The panel slides in when it is opened, not each time that its words are fetched again.
function settle() {
  viewer().classList.add("settled");
}

function ready() {
  for (const link of document.querySelectorAll("#viewer [data-large]")) new Image().src = link.dataset.large;
  showExpanded();
  stir();
}
ready();
setTimeout(settle, 300);
