// A live part keeps still while its reader has ticked lines, opened a traceback, or selected text in it.

function busy(part) {
  const selection = getSelection();
  return (
    part.querySelector("input[type=checkbox]:checked, details[open]") !== null ||
    (!selection.isCollapsed && part.contains(selection.anchorNode)) ||
    part.matches(":has(:focus-visible:not(body))")
  );
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches("[data-still]") && busy(event.target)) event.preventDefault();
});
