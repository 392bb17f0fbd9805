// Leaves the rows of a page that hold every word of a search field, while it is typed in.

for (const field of document.querySelectorAll("[data-filter]")) {
  const rows = [...document.querySelectorAll(field.dataset.filter)];
  const texts = rows.map((row) => `${row.closest("section").querySelector("h2").textContent} ${row.textContent}`.toLowerCase());
  const count = field.form.querySelector("[data-filter-count]");
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    for (const section of new Set(rows.map((row) => row.closest("section")))) {
      section.hidden = !section.querySelector(`${field.dataset.filter}:not([hidden])`);
    }
    count.textContent = `${shown} ${shown === 1 ? "tag" : "tags"}`;
  });
}
