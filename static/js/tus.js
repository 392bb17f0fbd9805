// Sends one file by the tus protocol (https://tus.io/protocols/resumable-upload, 1.0.0): from where the server has it,
// in pieces, again after a lost connection.

const LARGEST_PIECE = 16 * 2 ** 20;
const SMALLEST_PIECE = 2 ** 19;
const PAUSES = [1, 2, 4, 8, 15, 30]; // seconds; the last one again and again

export class Refused extends Error {
  constructor(status, code, detail) {
    super(detail);
    Object.assign(this, { status, code });
  }
}

// Resolves with the answer's headers once the file is kept. `url` is an upload that was begun earlier, or null;
// `said` hears { url }, { sent } and { waiting } (seconds until the next try, or 0).
export async function send(file, { endpoint, metadata, url, said, signal }) {
  let piece = LARGEST_PIECE;
  let tries = 0;
  let at = null;
  for (;;) {
    try {
      if (url && at === null) {
        const there = await ask("HEAD", url, { signal });
        if (there.status === 404) url = null;
        else if (done(demand(there))) return there;
        else at = Number(there.header("Upload-Offset"));
      }
      if (!url) {
        const headers = { "Upload-Length": file.size, "Upload-Metadata": encoded(metadata) };
        const made = demand(await ask("POST", endpoint, { headers, signal }));
        url = made.header("Location");
        at = 0;
        said({ url });
      }
      said({ sent: at, waiting: 0 });
      const answer = await sendPiece(file, url, at, piece, said, signal);
      if (answer.status === 413 && !answer.code && piece > SMALLEST_PIECE) {
        piece /= 2; // a proxy takes no more at once
        continue;
      }
      at = Number(demand(answer).header("Upload-Offset"));
      tries = 0;
      if (done(answer)) return answer;
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
      at = null;
      const seconds = PAUSES[Math.min(tries++, PAUSES.length - 1)];
      said({ waiting: seconds });
      await pause(seconds, signal);
    }
  }
}

export async function throwAway(url) {
  await ask("DELETE", url, {}).catch(() => null);
}

// Asks a JSON question.
export async function post(url, question) {
  const headers = { "Content-Type": "application/json" };
  return JSON.parse(demand(await ask("POST", url, { headers, body: JSON.stringify(question) })).text);
}

function sendPiece(file, url, at, piece, said, signal) {
  const headers = { "Upload-Offset": at, "Content-Type": "application/offset+octet-stream" };
  const body = file.slice(at, at + piece);
  return ask("PATCH", url, { headers, body, signal, progress: (sent) => said({ sent: at + sent }) });
}

const done = (answer) => answer.header("Filmroll-Outcome") !== null;

// What another try may cure: no connection, another request at the same upload, a server that restarts.
function mayPass(error) {
  if (!(error instanceof Refused)) return error.name === "NetworkError";
  return [408, 409, 423, 429, 500, 502, 503, 504].includes(error.status);
}

function demand(answer) {
  if (new URL(answer.url, location).pathname.startsWith("/signin/")) {
    throw new Refused(401, "signed-out", "You are signed out. Sign in again in another tab, then press Resume.");
  }
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw new Refused(answer.status, answer.code, answer.detail || `The server answered ${answer.status}.`);
}

// XMLHttpRequest, since fetch tells no progress of what is sent.
function ask(method, url, { headers = {}, body = null, signal, progress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const aborted = () => reject(new DOMException("It was stopped.", "AbortError"));
    if (signal?.aborted) return aborted();
    const stop = () => request.abort();
    signal?.addEventListener("abort", stop);
    request.onloadend = () => signal?.removeEventListener("abort", stop);
    request.open(method, url);
    const all = { "Tus-Resumable": "1.0.0", ...JSON.parse(document.body.getAttribute("hx-headers")), ...headers };
    for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
    if (progress) request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => resolve(answered(request));
    request.onerror = () => reject(new DOMException("The server cannot be reached.", "NetworkError"));
    request.onabort = aborted;
    request.send(body);
  });
}

function answered(request) {
  const type = request.getResponseHeader("Content-Type") ?? "";
  const said = type.startsWith("application/json") && request.status >= 400 ? JSON.parse(request.responseText) : {};
  return {
    status: request.status,
    url: request.responseURL,
    text: request.responseText,
    header: (name) => request.getResponseHeader(name),
    code: said.code,
    detail: said.detail,
  };
}

function encoded(metadata) {
  const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  return Object.entries(metadata).map(([key, value]) => `${key} ${base64(String(value))}`).join(",");
}

// Sooner when the browser says that the network is back.
function pause(seconds, signal) {
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      removeEventListener("online", go);
      signal.removeEventListener("abort", go);
      resolve();
    };
    const timer = setTimeout(go, seconds * 1000);
    addEventListener("online", go);
    signal.addEventListener("abort", go);
  });
}
