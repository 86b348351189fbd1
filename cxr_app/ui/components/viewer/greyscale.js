// From grey values to brightness: DICOM's window functions through a lookup table, on a copy of
// the film that is just fine enough for the screen.

const BLACK = 0xff000000;

/** @typedef {(x: number, window: GreyWindow) => number} Shade */

/** Brightness in [0, 1] of modality value `x`. DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.
 * @type {Record<string, Shade>} */
const BRIGHTNESS = {
  LINEAR: (x, { center, width }) => (x - (center - 0.5)) / Math.max(width - 1, 1e-9) + 0.5,
  LINEAR_EXACT: (x, { center, width }) => (x - center) / width + 0.5,
  SIGMOID: (x, { center, width }) => 1 / (1 + Math.exp((-4 * (x - center)) / width)),
};

/** Interpolate a VOI LUT that is spread over the window.
 * @type {Shade} */
function throughLut(x, { center, width, lut }) {
  const place = ((x - center) / width + 0.5) * (lut.length - 1);
  if (!(place > 0)) return lut[0];
  if (place >= lut.length - 1) return lut[lut.length - 1];
  const below = Math.floor(place);
  return lut[below] + (lut[below + 1] - lut[below]) * (place - below);
}

/** Return what every grey value looks like, as little-endian RGBA.
 * @param {FilmHeader} header
 * @param {GreyWindow} window
 * @param {boolean} inverted */
function lookupTable(header, window, inverted) {
  const shade = window.lut.length ? throughLut : BRIGHTNESS[window.function];
  const dark = header.inverted !== inverted; // a MONOCHROME1 film is inverted once
  const table = new Uint32Array(header.bits === 16 ? 65536 : 256);
  for (let value = 0; value <= header.largest; value++) {
    const bright = Math.min(1, Math.max(0, shade(header.origin + header.step * value, window)));
    const grey = Math.round(255 * (dark ? 1 - bright : bright));
    table[value] = BLACK | (grey * 0x010101);
  }
  return table;
}

/** Halve the size in both directions; each value is the mean of four.
 * @param {Level} level
 * @returns {Level} */
function halve({ values, rows, columns }) {
  const height = rows >> 1;
  const width = columns >> 1;
  const half = new (values instanceof Uint16Array ? Uint16Array : Uint8Array)(width * height);
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

/** A film's grey values at full, half, quarter ... size; only what is in view is painted. */
class Film {
  /** @param {FilmData} data */
  constructor({ header, values }) {
    this.header = header;
    this.table = new Uint32Array();
    /** @type {Level[]} */
    this.levels = [{ values, rows: header.rows, columns: header.columns }];
  }

  /** Return the smallest level with at least one pixel for each pixel of the screen.
   * @param {number} scale */
  level(scale) {
    let index = 0;
    for (let size = scale; size <= 0.5 && this._canHalve(index); size *= 2) index++;
    return this.levels[index];
  }

  /** @param {number} index */
  _canHalve(index) {
    const { rows, columns } = this.levels[index];
    if (Math.min(rows, columns) < 64) return false;
    this.levels[index + 1] ??= halve(this.levels[index]);
    return true;
  }

  /** @param {Uint32Array<ArrayBuffer>} table */
  setTable(table) {
    this.table = table;
    for (const level of this.levels) level.painted = null;
  }

  /** Draw the film with its top left corner at (x, y), each film pixel `scale` wide.
   * @param {CanvasRenderingContext2D} context
   * @param {Place} place
   * @param {Frame} within the part of the canvas that is seen */
  draw(context, { scale, x, y }, within) {
    const level = this.level(scale);
    const across = (this.header.columns * scale) / level.columns;
    const down = (this.header.rows * scale) / level.rows;
    const seen = {
      left: Math.max(0, Math.floor((within.left - x) / across) - 1),
      top: Math.max(0, Math.floor((within.top - y) / down) - 1),
      right: Math.min(level.columns, Math.ceil((within.right - x) / across) + 1),
      bottom: Math.min(level.rows, Math.ceil((within.bottom - y) / down) + 1),
    };
    if (seen.right <= seen.left || seen.bottom <= seen.top) return;
    const canvas = paint(level, seen, this.table);
    const width = seen.right - seen.left;
    const height = seen.bottom - seen.top;
    context.imageSmoothingEnabled = across !== 1;
    context.imageSmoothingQuality = "medium";
    context.drawImage(
      canvas,
      seen.left,
      seen.top,
      width,
      height,
      x + seen.left * across,
      y + seen.top * down,
      width * across,
      height * down,
    );
  }

  /** Free the memory of what was painted; the grey values stay. */
  forgetPainting() {
    for (const level of this.levels) {
      level.canvas = null;
      level.painted = null;
    }
  }
}

/** Return whether one frame holds another.
 * @param {Frame} outer @param {Frame} inner */
const holds = (outer, inner) =>
  outer.left <= inner.left &&
  outer.top <= inner.top &&
  outer.right >= inner.right &&
  outer.bottom >= inner.bottom;

/** Paint the visible part of a level by the table, unless it is painted already.
 * @param {Level} level
 * @param {Frame} seen
 * @param {Uint32Array} table
 * @returns {HTMLCanvasElement} */
function paint(level, seen, table) {
  level.canvas ??= newCanvas(level.columns, level.rows);
  if (level.painted && holds(level.painted, seen)) return level.canvas;
  const width = seen.right - seen.left;
  const image = new ImageData(width, seen.bottom - seen.top);
  const pixels = new Uint32Array(image.data.buffer);
  for (let row = seen.top, at = 0; row < seen.bottom; row++) {
    const start = row * level.columns;
    for (let from = start + seen.left, to = start + seen.right; from < to; from++, at++) {
      pixels[at] = table[level.values[from]];
    }
  }
  drawingOn(level.canvas).putImageData(image, seen.left, seen.top);
  level.painted = seen;
  return level.canvas;
}

/** @param {number} width @param {number} height */
function newCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings] */
function drawingOn(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("this browser cannot draw on a canvas");
  return context;
}
