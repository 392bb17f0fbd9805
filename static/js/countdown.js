// Lets the time until something runs go down by the second: "in 4 min 10 s".

function words(seconds) {
  if (seconds <= 0) return "now";
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const told = [];
  for (const [unit, size] of parts) {
    if (seconds >= size && told.length < 2) {
      told.push(`${Math.floor(seconds / size)} ${unit}`);
      seconds %= size;
    }
  }
  return `in ${told.join(" ")}`;
}

function tick() {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("time[data-countdown]")) {
    element.textContent = words(Math.round((new Date(element.dateTime) - Date.now()) / 1000));
  }
}

setInterval(tick, 1000);
tick();
