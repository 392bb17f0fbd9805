// A person's own words: keys for stars and heart, forms that open with their field focused and close on Escape.

const busy = () => document.querySelector("#details .edit[open]");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest?.(".edit[open]")) {
    event.stopImmediatePropagation();
    close(event.target.closest(".edit"));
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (/^[0-5]$/.test(event.key)) press(`#details .stars [value="${event.key}"]`);
  else if (event.key === "f") press("#details .heart button");
}, true);

function press(selector) {
  document.querySelector(selector)?.click();
}

document.addEventListener("toggle", (event) => {
  if (!event.target.matches?.(".edit")) return;
  if (!event.target.open) return catchUp();
  for (const other of document.querySelectorAll("#details .edit[open]")) if (other !== event.target) other.open = false;
  event.target.querySelector("[name=value], [name=name]")?.focus();
}, true);

document.addEventListener("reset", (event) => {
  if (event.target.matches(".edit-form")) close(event.target.closest(".edit"));
});

function close(edit) {
  edit.open = false;
  edit.querySelector("summary").focus();
}

// The panel renews itself while work is going on; not under the hands of somebody who writes, but afterwards.
let missed = false;

function catchUp() {
  if (!missed || busy()) return;
  missed = false;
  htmx.trigger("#details", "sse:photos");
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id !== "details" || !busy()) return;
  event.preventDefault();
  missed = true;
});

// After a change the focus stays where it was, on the panel that took the old one's place.
let last = "";
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.id !== "details") return;
  // It was asked for before the form was opened: what is written there stays.
  if (event.detail.requestConfig?.verb === "get" && busy()) {
    event.detail.shouldSwap = false;
    missed = true;
    return;
  }
  const held = document.activeElement;
  const edit = held?.closest?.(".edit")?.dataset.edit;
  const form = held?.closest?.("#details form");
  last = edit ? `.edit[data-edit="${edit}"] summary` : form?.classList.length && held.value ? `.${form.classList[0]} [value="${held.value}"]` : "";
});
document.addEventListener("htmx:afterSettle", () => {
  if (last) document.querySelector(`#details ${last}`)?.focus({ preventScroll: true });
  last = "";
});
