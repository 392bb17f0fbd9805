// Menus made of <details data-menu> close as menus do: on Escape, and on a press or focus elsewhere.

const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

function closeUnlessInside(event) {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
}
document.addEventListener("pointerdown", closeUnlessInside);
document.addEventListener("focusin", closeUnlessInside);
