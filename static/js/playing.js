// Videos, live photos and animated pictures in the viewer: what plays, what the browser cannot play, and stillness
// for those who ask for it.

const still = matchMedia("(prefers-reduced-motion: reduce)");
const film = () => document.querySelector("#viewer video");

function prepare() {
  const video = film();
  if (video?.matches("[data-types]") && !plays(video)) refuse(video);
  const moving = document.querySelector("#viewer img[data-moving]");
  // Once for each picture: when the panel beside it is fetched anew, what was stopped stays stopped.
  if (moving && !still.matches && moving.dataset.still === undefined) animate(moving, true);
}

function plays(video) {
  return video.dataset.types.split("|").some((type) => video.canPlayType(type));
}

// Said in words, with the download beside it; the poster stays.
function refuse(video) {
  const words = document.querySelector("#viewer .refusal");
  if (words) words.hidden = false;
  if (words) return video.replaceWith(poster(video));
  const button = document.querySelector("#viewer .live-button");
  if (button) button.replaceChildren("Live: this browser cannot play it");
  button?.setAttribute("disabled", "");
  video.remove();
}

function poster(video) {
  const image = new Image();
  image.src = video.poster;
  image.alt = video.getAttribute("aria-label") ?? "";
  return image;
}

// An error does not bubble, but it can be caught on its way down.
document.addEventListener("error", (event) => {
  if (event.target.matches?.("#viewer video")) refuse(event.target);
}, true);

function toggle() {
  const video = film();
  const moving = document.querySelector("#viewer img[data-moving]");
  if (video?.matches(".live-film")) pressed(video);
  else if (video) video.paused ? video.play() : video.pause();
  else if (moving) animate(moving, !moving.matches(".moves"));
}

document.addEventListener("keydown", (event) => {
  if (event.key !== " " || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, button, summary, [role=button]")) return;
  if (!document.querySelector("#viewer video, #viewer img[data-moving]")) return;
  event.preventDefault();
  toggle();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("#viewer [data-play]")) toggle();
});

// --- live photos: the film lies over the still while it plays, once ---

function live(video) {
  video.currentTime = 0;
  video.play().then(() => video.classList.add("shown"), () => rest(video));
  mark(true);
}

function pressed(video) {
  const silent = !video.paused && video.muted;
  video.muted = false;
  if (silent) return;
  video.paused ? live(video) : rest(video);
}

function rest(video) {
  video.pause();
  video.classList.remove("shown");
  mark(false);
}

document.addEventListener("ended", (event) => {
  if (event.target.matches?.(".live-film")) rest(event.target);
}, true);

// A pointer that rests on the button shows the film without its sound; a press gives it the sound, and the next
// one ends it.
for (const [name, shows] of [["pointerover", true], ["pointerout", false]]) {
  document.addEventListener(name, (event) => {
    const button = event.target.closest?.("#viewer .live-button");
    const video = film();
    if (!button || !video || event.pointerType !== "mouse" || button.contains(event.relatedTarget)) return;
    if (shows && video.paused && !still.matches) {
      video.muted = true;
      live(video);
    } else if (!shows && video.muted) rest(video);
  });
}

// --- animated pictures: the original in the place of its first picture ---

function animate(image, moving) {
  image.dataset.still ??= image.getAttribute("src");
  image.src = moving ? image.dataset.moving : image.dataset.still;
  image.classList.toggle("moves", moving);
  mark(moving);
}

function mark(playing) {
  const button = document.querySelector("#viewer [data-play]");
  if (!button) return;
  button.setAttribute("aria-pressed", String(playing));
}

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "viewer" || document.getElementById("viewer")?.contains(event.target)) prepare();
});
still.addEventListener("change", () => {
  const moving = document.querySelector("#viewer img[data-moving]");
  if (moving && still.matches) animate(moving, false);
});
prepare();
