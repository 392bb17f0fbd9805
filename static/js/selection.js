// Many photos at once: a click with Ctrl or Command, a long press, the key x, or the button begins a selection; then a
// click, Enter or Space takes a photo in or out, Shift all up to it, Ctrl+A all that are on the page, Escape ends it.

const timeline = document.getElementById("timeline");
const bar = document.getElementById("selection");
const button = document.querySelector("[data-select]");
const chosen = new Set(); // ids, in the order in which they were chosen
const LONG_MS = 500;
let last = null;
let held = 0;
let swallow = false;

const idOf = (tile) => tile.id.slice(2);
const tiles = () => [...timeline.querySelectorAll(".tile")];
const isOn = () => timeline.classList.contains("selecting");
const tileOf = (event) => event.target.closest?.("#timeline .tile");

function begin() {
  timeline.classList.add("selecting");
  bar.hidden = false;
  draw();
}

function end() {
  chosen.clear();
  last = null;
  timeline.classList.remove("selecting");
  document.getElementById("selection-said").replaceChildren();
  const focused = bar.contains(document.activeElement);
  bar.hidden = true;
  draw();
  if (focused) button?.focus();
}

function toggle(tile, upTo = false) {
  if (!isOn()) begin();
  const all = tiles();
  const wanted = !chosen.has(idOf(tile));
  const from = upTo && last?.isConnected ? all.indexOf(last) : all.indexOf(tile);
  const to = all.indexOf(tile);
  const range = all.slice(Math.min(from, to), Math.max(from, to) + 1);
  for (const one of upTo ? range : [tile]) {
    if (upTo || wanted) chosen.add(idOf(one));
    else chosen.delete(idOf(one));
  }
  last = tile;
  draw();
}

function draw() {
  const on = isOn();
  button?.setAttribute("aria-pressed", String(on));
  for (const tile of tiles()) {
    // While it lasts a tile is a box to tick; otherwise it is a link.
    if (on) {
      tile.setAttribute("role", "checkbox");
      tile.setAttribute("aria-checked", String(chosen.has(idOf(tile))));
    } else {
      tile.removeAttribute("role");
      tile.removeAttribute("aria-checked");
    }
  }
  bar.querySelector("[data-selected-count]").textContent = `${chosen.size.toLocaleString("en")} selected`;
  for (const act of bar.querySelectorAll("[data-needs]")) {
    act.disabled = chosen.size < Number(act.dataset.needs) || chosen.size > Number(act.dataset.most ?? Infinity);
  }
  bar.querySelector("[data-selected-photos]").replaceChildren(
    ...[...chosen].map((id) => Object.assign(document.createElement("input"), { type: "hidden", name: "photo", value: id })),
  );
}

timeline.addEventListener("click", (event) => {
  const tile = tileOf(event);
  if (!tile) return;
  if (swallow) return (swallow = false), event.preventDefault();
  if (!isOn() && !event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  toggle(tile, event.shiftKey);
});

// A long press of a finger; what lets go afterwards is no click.
timeline.addEventListener("pointerdown", (event) => {
  swallow = false;
  const tile = tileOf(event);
  if (!tile || event.pointerType !== "touch") return;
  held = setTimeout(() => {
    swallow = true;
    toggle(tile);
  }, LONG_MS);
});
for (const name of ["pointerup", "pointercancel", "pointermove"]) {
  timeline.addEventListener(name, (event) => {
    if (name !== "pointermove" || Math.hypot(event.movementX, event.movementY) > 4) clearTimeout(held);
  });
}
timeline.addEventListener("contextmenu", (event) => {
  if (swallow || (isOn() && tileOf(event))) event.preventDefault();
});
timeline.addEventListener("dragstart", (event) => isOn() && event.preventDefault());

document.addEventListener("keydown", (event) => {
  const tile = tileOf(event);
  const writes = event.target.closest?.("input, textarea, select");
  if (event.key === "Escape" && isOn()) return event.preventDefault(), end();
  if (writes) return;
  if (isOn() && event.key === "a" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    for (const one of tiles()) chosen.add(idOf(one));
    return draw();
  }
  if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
  const ticks = event.key.toLowerCase() === "x" || (isOn() && (event.key === "Enter" || event.key === " "));
  if (!ticks) return;
  event.preventDefault();
  toggle(tile, event.shiftKey);
});

// Enter in a field presses the button beside it; the form's first button would stack.
for (const field of bar.querySelectorAll("[data-enter]")) {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    bar.querySelector(`[name=act][value=${field.dataset.enter}]`).click();
  });
}

if (button) {
  button.hidden = false;
  button.addEventListener("click", () => (isOn() ? end() : begin()));
}
bar.querySelector("[data-selection-end]").addEventListener("click", end);

// Tiles that join while the selection lasts are boxes too.
document.addEventListener("htmx:load", () => isOn() && draw());
timeline.addEventListener("tiles:changed", () => isOn() && draw());

document.addEventListener("htmx:afterSettle", async (event) => {
  if (event.target.id !== "selection-said") return;
  const said = event.target.querySelector("[data-gone]");
  const named = (name) => (said?.dataset[name] ?? "").split(" ").filter(Boolean);
  for (const id of named("gone")) {
    chosen.delete(id);
    document.getElementById(`p-${id}`)?.remove();
  }
  if (named("changed").length) await renew(named("changed"));
  draw();
});

async function renew(ids) {
  const answer = await fetch(`/tiles/?ids=${ids.join(",")}`);
  if (!answer.ok) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = await answer.text();
  for (const tile of fresh.content.querySelectorAll(".tile")) document.getElementById(tile.id)?.replaceWith(tile);
  timeline.dispatchEvent(new Event("tiles:changed", { bubbles: true }));
}
