// New photos while the page is open. Waiting tiles get their picture in the place and shape that they have.
// At the top of the timeline, while the pointer is elsewhere, new photos join by themselves; otherwise a
// button says how many there are, and nothing moves.

const timeline = document.getElementById("timeline");
let busy = false;
let again = false;

// Told while it is still fetching: what it fetches may be older than what it was told of, so it looks once more.
document.addEventListener("htmx:afterSettle", async (event) => {
  if (event.target.id !== "arrivals") return;
  again = true;
  if (busy) return;
  busy = true;
  try {
    while (again) {
      again = false;
      if (mayJoin() && Number(document.getElementById("arrivals").dataset.arrived)) await join();
      else await fillWaiting();
    }
  } finally {
    busy = false;
  }
});

document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-show-arrivals]") || !("newest" in timeline.dataset)) return;
  event.preventDefault();
  await join();
  scrollTo({ top: 0 });
});

function mayJoin() {
  return "newest" in timeline.dataset && scrollY < 40 && !timeline.matches(":hover, :focus-within");
}

// The newest stretch as it is now; tiles that are here already stay the same elements, so nothing flickers.
async function join() {
  const fresh = document.createElement("template");
  const page = await fetched("/");
  if (page === null) return;
  fresh.innerHTML = page;
  for (const tile of fresh.content.querySelectorAll(".tile:not(.tile-waiting)")) {
    const old = document.getElementById(tile.id);
    if (!old || old.classList.contains("tile-waiting")) continue;
    old.style.setProperty("--r", tile.style.getPropertyValue("--r"));
    tile.replaceWith(old);
  }
  timeline.replaceChildren(fresh.content);
  htmx.process(timeline);
  timeline.dispatchEvent(new Event("tiles:changed", { bubbles: true }));
  resetCount();
}

async function fillWaiting() {
  const waiting = [...timeline.querySelectorAll(".tile-waiting")].filter(isNear).slice(0, 60);
  if (!waiting.length) return;
  const tiles = await fetched(`/tiles/?ids=${waiting.map((tile) => tile.id.slice(2)).join(",")}`);
  const fresh = document.createElement("template");
  fresh.innerHTML = tiles ?? "";
  for (const tile of [...fresh.content.querySelectorAll(".tile")]) {
    const old = document.getElementById(tile.id);
    if (!old) continue;
    tile.style.setProperty("--r", old.style.getPropertyValue("--r"));
    old.replaceWith(tile);
  }
  timeline.dispatchEvent(new Event("tiles:changed", { bubbles: true }));
}

function isNear(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > -innerHeight && top < 2 * innerHeight;
}

// From here on the button counts from what the page shows now.
function resetCount() {
  const element = document.getElementById("arrivals");
  const address = new URL(element.getAttribute("hx-get"), location);
  const known = Number(address.searchParams.get("shown")) + Number(element.dataset.arrived);
  element.setAttribute("hx-get", `${address.pathname}?shown=${known}`);
  element.dataset.arrived = "0";
  element.replaceChildren();
}

// HTML, or null when the server is away: the next signal tries again.
async function fetched(address) {
  try {
    const response = await fetch(address, { headers: { "HX-Request": "true" } });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}
