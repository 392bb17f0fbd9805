// Says to screen readers what changed: the words of `data-announce` on a fragment, once per change of words.

const announcer = document.getElementById("announcer");
const said = new Map();
for (const element of document.querySelectorAll("[data-announce]")) said.set(element.id, element.dataset.announce);

document.addEventListener("htmx:load", (event) => {
  const element = event.target.closest?.("[data-announce]");
  if (!element || said.get(element.id) === element.dataset.announce) return;
  said.set(element.id, element.dataset.announce);
  announcer.textContent = element.dataset.announce;
});
