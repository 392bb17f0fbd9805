// The strip of months at the right edge: a bubble names the month under the pointer, a press goes there,
// a mark shows where the page is.

const strip = document.querySelector("[data-scrubber]");
if (strip) {
  const links = [...strip.querySelectorAll("a[data-month]")];
  const bubble = strip.querySelector(".scrubber-bubble");
  const here = strip.querySelector(".scrubber-here");

  const linkAt = (y) => links.find((link) => y < link.getBoundingClientRect().bottom) ?? links.at(-1);

  const showBubble = (event) => {
    bubble.textContent = linkAt(event.clientY).dataset.words;
    bubble.style.top = `${event.clientY - strip.getBoundingClientRect().top}px`;
    bubble.hidden = false;
  };

  const goTo = (link) => {
    const day = document.querySelector(`.day[data-month="${link.dataset.month}"]`);
    if (day) day.scrollIntoView();
    else location.assign(link.href);
  };

  const showHere = () => {
    const top = document.querySelector(".top").getBoundingClientRect().bottom;
    const day = [...document.querySelectorAll(".day")].find((one) => one.getBoundingClientRect().bottom > top + 60);
    const link = day && links.find((one) => one.dataset.month === day.dataset.month);
    here.hidden = !link;
    if (link) here.style.top = `${link.getBoundingClientRect().top - strip.getBoundingClientRect().top}px`;
  };

  // Years that would run into each other: the newest stay.
  const spreadYears = () => {
    let bottom = -Infinity;
    for (const year of strip.querySelectorAll(".scrubber-year")) {
      year.hidden = false;
      const box = year.getBoundingClientRect();
      year.hidden = box.top < bottom + 4;
      if (!year.hidden) bottom = box.bottom;
    }
  };

  let scheduled = false;
  const soon = (work) => () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      work();
    });
  };

  strip.addEventListener("pointerdown", (event) => {
    strip.setPointerCapture(event.pointerId);
    showBubble(event);
  });
  strip.addEventListener("pointermove", showBubble);
  strip.addEventListener("pointerleave", () => (bubble.hidden = true));
  strip.addEventListener("pointerup", (event) => {
    bubble.hidden = event.pointerType !== "mouse";
    goTo(linkAt(event.clientY));
  });
  strip.addEventListener("click", (event) => event.preventDefault());
  addEventListener("scroll", soon(showHere), { passive: true });
  addEventListener("resize", soon(() => (spreadYears(), showHere())));
  spreadYears();
  showHere();
}
