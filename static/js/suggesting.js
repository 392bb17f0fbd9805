// Completes the last word of a search: the browser's own list completes whole values only.

for (const field of document.querySelectorAll("input[data-suggest]")) {
  const options = [...field.list.options];
  const terms = options.map((option) => option.value);
  field.addEventListener("input", () => {
    const word = field.value.slice(field.value.lastIndexOf(" ") + 1);
    const before = field.value.slice(0, field.value.length - word.length) + (word.startsWith("-") ? "-" : "");
    options.forEach((option, n) => { option.value = before + terms[n]; });
  });
}
