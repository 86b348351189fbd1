// From grey values to brightness: DICOM's window functions through a lookup table, on a copy of
// the film that is just fine enough for the screen.

const BLACK = 0xff000000;

/** Brightness in [0, 1] of modality value `x`. DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3. */
const BRIGHTNESS = {
  LINEAR: (x, { center, width }) => (x - (center - 0.5)) / Math.max(width - 1, 1e-9) + 0.5,
  LINEAR_EXACT: (x, { center, width }) => (x - center) / width + 0.5,
  SIGMOID: (x, { center, width }) => 1 / (1 + Math.exp((-4 * (x - center)) / width)),
};

function throughLut(x, { center, width, lut }) {
  const place = ((x - center) / width + 0.5) * (lut.length - 1);
  if (!(place > 0)) return lut[0];
  if (place >= lut.length - 1) return lut[lut.length - 1];
  const below = Math.floor(place);
  return lut[below] + (lut[below + 1] - lut[below]) * (place - below);
}

/** What every grey value looks like, as little-endian RGBA. */
function lookupTable(header, window, inverted) {
  const shade = window.lut.length ? throughLut : BRIGHTNESS[window.function];
  const dark = header.inverted !== inverted; // a MONOCHROME1 film is turned round once
  const table = new Uint32Array(header.bits === 16 ? 65536 : 256);
  for (let value = 0; value <= header.largest; value++) {
    const bright = Math.min(1, Math.max(0, shade(header.origin + header.step * value, window)));
    const grey = Math.round(255 * (dark ? 1 - bright : bright));
    table[value] = BLACK | (grey * 0x010101);
  }
  return table;
}

/** Half the size in both directions; each value the mean of four. */
function halve({ values, rows, columns }) {
  const height = rows >> 1;
  const width = columns >> 1;
  const half = new values.constructor(width * height);
  for (let row = 0; row < height; row++) {
    let above = 2 * row * columns;
    let below = above + columns;
    const start = row * width;
    for (let column = 0; column < width; column++, above += 2, below += 2) {
      half[start + column] =
        (values[above] + values[above + 1] + values[below] + values[below + 1] + 2) >> 2;
    }
  }
  return { values: half, rows: height, columns: width };
}

/** A film's grey values at full, half, quarter ... size, painted where they are looked at. */
class Film {
  constructor({ header, values }) {
    this.header = header;
    this.levels = [{ values, rows: header.rows, columns: header.columns }];
  }

  /** The smallest level that has at least one pixel for each pixel of the screen. */
  level(scale) {
    let index = 0;
    for (let size = scale; size <= 0.5 && this._canHalve(index); size *= 2) index++;
    return this.levels[index];
  }

  _canHalve(index) {
    const { rows, columns } = this.levels[index];
    if (Math.min(rows, columns) < 64) return false;
    this.levels[index + 1] ??= halve(this.levels[index]);
    return true;
  }

  setTable(table) {
    this.table = table;
    for (const level of this.levels) level.painted = null;
  }

  /** Draw onto `context`, with the film's top left at (x, y), each film pixel `scale` wide. */
  draw(context, { scale, x, y }) {
    const level = this.level(scale);
    const across = (this.header.columns * scale) / level.columns;
    const down = (this.header.rows * scale) / level.rows;
    const seen = {
      left: Math.max(0, Math.floor(-x / across) - 1),
      top: Math.max(0, Math.floor(-y / down) - 1),
      right: Math.min(level.columns, Math.ceil((context.canvas.width - x) / across) + 1),
      bottom: Math.min(level.rows, Math.ceil((context.canvas.height - y) / down) + 1),
    };
    if (seen.right <= seen.left || seen.bottom <= seen.top) return;
    paint(level, seen, this.table);
    const width = seen.right - seen.left;
    const height = seen.bottom - seen.top;
    context.imageSmoothingEnabled = across !== 1;
    context.imageSmoothingQuality = "medium";
    context.drawImage(
      level.canvas, seen.left, seen.top, width, height,
      x + seen.left * across, y + seen.top * down, width * across, height * down,
    );
  }

  /** Give back the memory of what was painted; the grey values stay. */
  forgetPainting() {
    for (const level of this.levels) level.canvas = level.painted = null;
  }
}

/** Put the seen part of a level through the table, unless it is painted already. */
function paint(level, seen, table) {
  const done = level.painted;
  if (done && done.left <= seen.left && done.top <= seen.top
      && done.right >= seen.right && done.bottom >= seen.bottom) return;
  level.canvas ??= canvasOf(level.columns, level.rows);
  const width = seen.right - seen.left;
  const image = new ImageData(width, seen.bottom - seen.top);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = seen.top, at = 0; row < seen.bottom; row++) {
    const start = row * level.columns;
    for (let from = start + seen.left, to = start + seen.right; from < to; from++, at++) {
      pixels[at] = table[level.values[from]];
    }
  }
  level.canvas.getContext("2d").putImageData(image, seen.left, seen.top);
  level.painted = seen;
}

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
