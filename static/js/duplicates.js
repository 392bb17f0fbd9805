// Reviewing by keyboard: from group to group, which one to keep, all, undo; and where the focus goes afterwards.

const groups = () => [...document.querySelectorAll("[data-group]")];
const here = () => document.activeElement?.closest?.("[data-group]") ?? nearest();

// Without a focus in a group it is the first one that is in sight.
function nearest() {
  const top = document.querySelector(".top")?.offsetHeight ?? 0;
  return groups().find((group) => group.getBoundingClientRect().bottom > top + 80) ?? groups().at(-1);
}

function step(by) {
  const focused = document.activeElement?.closest?.("[data-group]");
  const all = groups();
  const next = focused ? all[all.indexOf(focused) + by] : nearest();
  if (next) go(next);
}

function go(group) {
  group.focus({ preventScroll: true, focusVisible: true });
  group.scrollIntoView({ block: "nearest" });
}

function choose(number) {
  const choice = here()?.querySelectorAll('input[name="keep"]')[number - 1];
  if (!choice) return;
  choice.checked = true;
  choice.focus();
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  b: () => here()?.querySelector("[data-keep]")?.click(),
  a: () => here()?.querySelector("[data-keep-all]")?.click(),
  c: () => here()?.querySelector("[data-compare]")?.click(),
  u: () => [...document.querySelectorAll("[data-undo]")].find((button) => button.closest(".alike") === last)?.click(),
  Escape: () => document.querySelector('a[rel="up"]')?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("select, textarea, input:not([type=radio])")) return;
  const act = /^[1-9]$/.test(event.key) ? () => choose(Number(event.key)) : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// The strip of the latest decision, which is what U takes back.
let last = document.querySelector(".alike-done");

document.addEventListener("htmx:load", (event) => {
  const part = event.target;
  if (part.matches?.("[data-done]")) {
    last = part;
    const following = groups().find((group) => part.compareDocumentPosition(group) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (following ?? groups().at(-1)) go(following ?? groups().at(-1));
    else part.querySelector("button").focus();
  } else if (part.matches?.("[data-back]")) {
    go(part);
    last = [...document.querySelectorAll(".alike-done")].at(-1) ?? null;
  }
});
