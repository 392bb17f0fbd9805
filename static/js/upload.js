// Photos are added by dropping them anywhere, or choosing files or a folder; a panel shows how far they are.

import { filesIn } from "./dropped.js";
import { abandon, finished, interrupted, problem, Queue } from "./upload-queue.js";

const panel = document.getElementById("uploads");
const list = panel.querySelector("[data-upload-list]");
const row = document.getElementById("upload-row");
const part = (name) => panel.querySelector(`[data-upload-${name}]`);
const queue = new Queue(panel.dataset.endpoint, panel.dataset.known);
const rows = new Map();
const MOST_ROWS = 200;

// --- files come ------------------------------------------------------------------------------------------------

let inside = 0;
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
const drop = document.getElementById("drop");

addEventListener("dragenter", (event) => {
  if (carriesFiles(event) && ++inside === 1) drop.hidden = false;
});
addEventListener("dragleave", (event) => {
  if (carriesFiles(event) && --inside <= 0) endDrag();
});
addEventListener("dragover", (event) => {
  if (carriesFiles(event)) event.preventDefault();
});
addEventListener("drop", async (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  endDrag();
  queue.add(await filesIn(event.dataTransfer));
});

function endDrag() {
  inside = 0;
  drop.hidden = true;
}

for (const input of document.querySelectorAll("input[data-upload-input]")) {
  input.addEventListener("change", () => {
    queue.add([...input.files]);
    input.value = "";
  });
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-upload-choose]");
  if (!button) return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
  document.querySelector(`input[data-upload-input="${button.dataset.uploadChoose}"]`).click();
});

addEventListener("beforeunload", (event) => {
  if (queue.items.some((item) => !finished(item) && item.state !== "failed")) event.preventDefault();
});

// --- what is shown ---------------------------------------------------------------------------------------------

const WORDS = {
  waiting: "Waiting",
  reading: "Reading",
  asking: "Waiting",
  ready: "Waiting",
  sending: "Uploading",
  stopped: "Paused",
  held: "Paused",
  done: "Uploaded",
  there: "There already",
  failed: "Failed",
  refused: "Not taken",
  left: "Not sent",
};
let drawing = null;
const changed = new Set();

queue.addEventListener("change", ({ detail }) => {
  if (detail) changed.add(detail);
  drawing ??= setTimeout(draw, 100);
});

function draw() {
  drawing = null;
  for (const item of changed) drawRow(item);
  changed.clear();
  drawWhole();
}

function drawRow(item) {
  if (item.state === "cancelled" || !queue.items.includes(item)) {
    rows.get(item)?.remove();
    rows.delete(item);
    return;
  }
  const element = rows.get(item) ?? newRow(item);
  if (!element) return;
  const share = item.state === "reading" ? item.read / item.file.size : item.sent / Math.max(1, item.file.size);
  element.dataset.state = item.state;
  element.querySelector("[data-row-state]").textContent = item.held && !finished(item) ? "Paused" : WORDS[item.state];
  element.querySelector("[data-row-said]").textContent = item.said;
  element.querySelector("progress").value = share;
  element.querySelector("progress").hidden = !["sending", "stopped", "held", "reading"].includes(item.state);
  const link = element.querySelector("a");
  link.hidden = !item.address;
  if (item.address) link.href = item.address;
  show(element, "pause", ["sending", "ready", "waiting"].includes(item.state) && !item.held);
  show(element, "again", problem(item) || item.state === "held" || (item.held && !finished(item)), againWord(item));
  show(element, "cancel", !finished(item));
}

function againWord(item) {
  if (item.state === "left") return "Send anyway";
  return problem(item) ? "Try again" : "Resume";
}

// A row for each file would be too much for thousands: those that wait get theirs once there is room.
function newRow(item) {
  if (rows.size >= MOST_ROWS) {
    const old = [...rows.keys()].find((one) => finished(one) && !problem(one));
    if (old) {
      rows.get(old).remove();
      rows.delete(old);
    } else if (["waiting", "left", "asking", "ready"].includes(item.state)) return null;
  }
  const element = row.content.firstElementChild.cloneNode(true);
  element.querySelector("[data-row-name]").textContent = item.file.name;
  element.querySelector("[data-row-size]").textContent = sized(item.file.size);
  element.querySelector("progress").setAttribute("aria-label", item.file.name);
  for (const [name, act] of Object.entries({ pause: "pauseOne", again: "again", cancel: "cancel" })) {
    const button = element.querySelector(`[data-row-${name}]`);
    button.setAttribute("aria-label", `${button.textContent}: ${item.file.name}`);
    button.addEventListener("click", () => queue[act](item));
  }
  rows.set(item, element);
  list.append(element);
  return element;
}

function show(element, name, wanted, words) {
  const button = element.querySelector(`[data-row-${name}]`);
  button.hidden = !wanted;
  if (!words || button.textContent === words) return;
  button.textContent = words;
  button.setAttribute("aria-label", `${words}: ${element.querySelector("[data-row-name]").textContent}`);
}

let pace = [];

function drawWhole() {
  const items = queue.items;
  const sent = items.filter((item) => !["left", "refused"].includes(item.state));
  const bytes = sent.reduce((sum, item) => sum + item.file.size, 0);
  const came = sent.reduce((sum, item) => sum + (item.state === "there" ? item.file.size : item.sent), 0);
  const really = sent.reduce((sum, item) => sum + (item.state === "there" ? 0 : item.sent), 0);
  const open = items.filter((item) => !finished(item) && item.state !== "failed");
  panel.hidden = !items.length && part("interrupted").hidden;
  part("title").textContent = title(items, open);
  part("overall").hidden = !open.length;
  part("overall").value = bytes ? came / bytes : 0;
  part("figures").textContent = open.length ? figures(came, bytes, really) : "";
  part("trouble").textContent = queue.trouble;
  part("trouble").hidden = !queue.trouble;
  part("pause").hidden = !open.length || queue.paused;
  part("resume").hidden = !queue.paused;
  part("cancel").hidden = !open.length;
  part("close").hidden = Boolean(open.length);
}

function title(items, open) {
  const count = (state) => items.filter((item) => item.state === state).length;
  if (open.length) {
    const number = items.filter((item) => !["left", "refused"].includes(item.state)).length;
    return `${queue.paused ? "Paused" : "Uploading"}: ${(number - open.length).toLocaleString("en")} of ${counted(number, "file")}`;
  }
  const parts = [
    [count("done"), "uploaded"],
    [count("there"), "there already"],
    [count("refused") + count("left"), "not taken"],
    [count("failed"), "failed"],
  ];
  const told = parts.filter(([number]) => number).map(([number, word]) => `${number.toLocaleString("en")} ${word}`);
  return told.join(", ") || "Uploads";
}

function figures(came, bytes, really) {
  const now = performance.now();
  pace = [...pace.filter(([time, before]) => now - time < 10_000 && before <= really), [now, really]];
  const [[first, before]] = pace;
  const rate = now - first > 1000 ? ((really - before) * 1000) / (now - first) : 0;
  const told = [`${sized(came)} of ${sized(bytes)}`];
  if (rate > 0 && !queue.paused) told.push(`${sized(rate)}/s`, `${lasting((bytes - came) / rate)} left`);
  return told.join(" · ");
}

const counted = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

function sized(count) {
  if (count < 1000) return counted(Math.round(count), "byte");
  const units = ["KB", "MB", "GB", "TB"];
  let amount = count / 1000;
  while (amount >= 999.5 && units.length > 1) (amount /= 1000), units.shift();
  return `${amount < 9.95 ? amount.toFixed(1) : Math.round(amount)} ${units[0]}`;
}

function lasting(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

part("pause").addEventListener("click", () => queue.pause());
part("resume").addEventListener("click", () => queue.resume());
part("cancel").addEventListener("click", () => queue.clear());
part("close").addEventListener("click", () => {
  part("interrupted").hidden = true;
  queue.clear();
  rows.clear();
  list.replaceChildren();
});

// --- what an earlier visit left half-done ------------------------------------------------------------------------

function showInterrupted() {
  const left = interrupted();
  part("interrupted").hidden = !left.length;
  part("interrupted-words").textContent =
    `${counted(left.length, "upload")} stopped in the middle: ${left.map((one) => one.name).slice(0, 5).join(", ")}` +
    `${left.length > 5 ? ", …" : ""}. Choose the same files again, and they go on where they stopped.`;
  drawWhole();
}
part("forget").addEventListener("click", async () => {
  await Promise.all(interrupted().map(abandon));
  showInterrupted();
});
queue.addEventListener("change", ({ detail }) => {
  if (detail?.state === "sending") part("interrupted").hidden = true;
});
showInterrupted();
