// A worker that reads files for their SHA-256, so that what is there already need not be sent.
// Over plain HTTP browsers offer no hash of their own; where they do it takes only whole files, so large ones are
// read in a stream here as well.

import { sha256 } from "../vendor/noble-hashes/sha2.js";

const WHOLE = 64 * 2 ** 20;
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

addEventListener("message", async ({ data: { id, file } }) => {
  try {
    postMessage({ id, sha256: await hashOf(file, (read) => postMessage({ id, read })) });
  } catch (error) {
    postMessage({ id, error: error.name });
  }
});

async function hashOf(file, progress) {
  if (globalThis.crypto?.subtle && file.size <= WHOLE) {
    return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer())));
  }
  const hash = sha256.create();
  const reader = file.stream().getReader();
  let read = 0;
  let told = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    hash.update(part.value);
    read += part.value.length;
    if (read - told > WHOLE / 8) progress((told = read));
  }
  return hex(hash.digest());
}
