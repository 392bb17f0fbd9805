// A live part keeps still while its reader has ticked lines, opened a traceback, selected text in it, changed a
// field, or pressed Pause. What was held back meanwhile is fetched as soon as nothing holds it any more.

const parts = document.querySelectorAll("[data-still]");
const button = document.querySelector("[data-pause]");
const state = document.getElementById("live-state");
let missed = false;

function reason(part) {
  if (button.getAttribute("aria-pressed") === "true") return "Updates are paused";
  if (part.querySelector("input[name=job]:checked")) return "Updates wait while lines are ticked";
  const selection = getSelection();
  const reads =
    part.querySelector("details[open]") !== null ||
    [...part.querySelectorAll("input, textarea, select")].some(isChanged) ||
    (!selection.isCollapsed && part.contains(selection.anchorNode)) ||
    part.matches(":has(:focus-visible:not(body))");
  return reads ? "Updates wait while you are here" : "";
}

// Whether a field holds something else than what the page came with: it must not be taken away unsaved.
function isChanged(field) {
  if (field.matches("select")) {
    const first = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(first, 0);
  }
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  return field.value !== field.defaultValue;
}

function look() {
  for (const part of parts) {
    const why = reason(part);
    const words = why && missed ? `${why}; something has changed` : why.startsWith("Updates wait while you") ? "" : why;
    if (state.textContent !== words) state.textContent = words;
    if (why || !missed) continue;
    missed = false;
    htmx.trigger(part, "refresh");
  }
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!event.target.matches("[data-still]") || !reason(event.target)) return;
  event.preventDefault();
  missed = true;
  look();
});

// An answer that was asked for before the reader ticked a line would take the tick away with the line.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.target.matches("[data-still]") || !reason(event.target)) return;
  event.detail.shouldSwap = false;
  missed = true;
  look();
});

if (button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const paused = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(paused));
    look();
  });
  for (const name of ["change", "toggle", "selectionchange", "focusout"]) {
    document.addEventListener(name, () => setTimeout(look), true);
  }
}
