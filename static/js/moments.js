// Shows moments in the reader's own time zone and language; the server writes UTC for browsers without script.

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function localise(root) {
  for (const element of root.querySelectorAll("time[data-moment]")) {
    element.title = element.textContent;
    element.textContent = format.format(new Date(element.dateTime));
    delete element.dataset.moment;
  }
}

document.addEventListener("htmx:load", (event) => localise(event.target.parentElement ?? document));
localise(document);
