// Draws the placeholder of a picture from its ThumbHash (some 25 bytes, see evanw.github.io/thumbhash).
//
// A hash holds a few cosine waves for luminance (l), yellow against blue (p) and red against green (q), and
// for transparency where there is some. First the averages and the scales, then four bits for each wave.

export function draw(base64, canvas) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const hash = read(bytes);
  canvas.width = hash.landscape ? 32 : Math.max(1, Math.round((32 * hash.lx) / hash.ly));
  canvas.height = hash.landscape ? Math.max(1, Math.round((32 * hash.ly) / hash.lx)) : 32;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  paint(hash, canvas.width, canvas.height, image.data);
  context.putImageData(image, 0, 0);
}

function read(bytes) {
  const first = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
  const second = bytes[3] | (bytes[4] << 8);
  const alpha = Boolean(first >> 23);
  const landscape = Boolean(second >> 15);
  const long = alpha ? 5 : 7;
  const short = second & 7;
  const nibbles = nibblesOf(bytes, alpha ? 6 : 5);
  // Every channel has at least three waves each way, whatever the picture's shape.
  const [nx, ny] = (landscape ? [long, short] : [short, long]).map((count) => Math.max(3, count));
  return {
    landscape,
    lx: landscape ? long : short,
    ly: landscape ? short : long,
    l: channel((first & 63) / 63, ((first >> 18) & 31) / 31, nx, ny, nibbles),
    // Colours were quantised towards grey; a quarter more saturation makes up for it.
    p: channel(((first >> 6) & 63) / 31.5 - 1, (((second >> 3) & 63) / 63) * 1.25, 3, 3, nibbles),
    q: channel(((first >> 12) & 63) / 31.5 - 1, (((second >> 9) & 63) / 63) * 1.25, 3, 3, nibbles),
    a: alpha ? channel((bytes[5] & 15) / 15, (bytes[5] >> 4) / 15, 5, 5, nibbles) : null,
  };
}

function* nibblesOf(bytes, start) {
  for (let at = start; at < bytes.length; at++) {
    yield bytes[at] & 15;
    yield bytes[at] >> 4;
  }
}

// The waves of one channel: those of the triangle of low frequencies, without the constant one.
function channel(average, scale, nx, ny, nibbles) {
  const waves = [];
  for (let y = 0; y < ny; y++) {
    for (let x = y ? 0 : 1; x * ny < nx * (ny - y); x++) {
      waves.push({ x, y, height: ((nibbles.next().value ?? 7.5) / 7.5 - 1) * scale });
    }
  }
  return { average, waves };
}

function paint(hash, width, height, data) {
  const cosines = (count, size) =>
    Array.from({ length: size }, (_, at) =>
      Array.from({ length: count }, (_, n) => Math.cos((Math.PI / size) * (at + 0.5) * n)));
  const across = cosines(8, width);
  const down = cosines(8, height);
  const level = ({ average, waves }, x, y) =>
    waves.reduce((sum, wave) => sum + wave.height * across[x][wave.x] * down[y][wave.y] * 2, average);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const [l, p, q] = [level(hash.l, x, y), level(hash.p, x, y), level(hash.q, x, y)];
      const blue = l - (2 / 3) * p;
      const red = (3 * l - blue + q) / 2;
      data[at] = 255 * red; // the array is clamped: values beyond 0 and 255 need no care
      data[at + 1] = 255 * (red - q);
      data[at + 2] = 255 * blue;
      data[at + 3] = hash.a ? 255 * level(hash.a, x, y) : 255;
    }
  }
}
