import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

const { lookupTable, halve, Film, heatColour } = run(
  ["viewer/greyscale.js", "viewer/heatmap.js"],
  ["lookupTable", "halve", "Film", "heatColour"],
);

const HEADER = {
  rows: 2,
  columns: 2,
  bits: 8,
  largest: 255,
  origin: 0,
  step: 1,
  inverted: false,
  windows: [],
  film_rows: 2,
  film_columns: 2,
};
const WINDOW = { function: "LINEAR", center: 128, width: 256, lut: [] };
const grey = (table, value) => table[value] & 0xff;

test("a linear window follows DICOM PS3.3 C.11.2.1.2.1 at every value", () => {
  for (const [center, width] of [
    [128, 256],
    [40, 80],
    [200, 2],
    [10, 1],
  ]) {
    const table = lookupTable(HEADER, { ...WINDOW, center, width }, false);
    for (let x = 0; x < 256; x++) {
      let y = ((x - (center - 0.5)) / (width - 1) + 0.5) * 255;
      if (x <= center - 0.5 - (width - 1) / 2) y = 0;
      else if (x > center - 0.5 + (width - 1) / 2) y = 255;
      assert.ok(Math.abs(grey(table, x) - y) <= 0.5 + 1e-9, `value ${x} of ${center}/${width}`);
    }
  }
});

test("every window function is rising and ends in [0, 255]", () => {
  for (const name of ["LINEAR", "LINEAR_EXACT", "SIGMOID"]) {
    const table = lookupTable(HEADER, { ...WINDOW, function: name, width: 90 }, false);
    for (let x = 1; x < 256; x++) assert.ok(grey(table, x) >= grey(table, x - 1));
  }
});

test("inverting twice changes nothing, and MONOCHROME1 is one inversion", () => {
  const plain = lookupTable(HEADER, WINDOW, false);
  const negative = { ...HEADER, inverted: true };
  assert.deepEqual(lookupTable(negative, WINDOW, true), plain);
  assert.deepEqual(lookupTable(negative, WINDOW, false), lookupTable(HEADER, WINDOW, true));
});

test("a VOI LUT is interpolated between its entries and held at its ends", () => {
  const window = { ...WINDOW, center: 100, width: 100, lut: [0, 0.25, 1] };
  const table = lookupTable(HEADER, window, false);
  assert.equal(grey(table, 0), 0);
  assert.equal(grey(table, 100), Math.round(255 * 0.25));
  assert.equal(grey(table, 125), Math.round(255 * 0.625));
  assert.equal(grey(table, 255), 255);
});

test("each value of half the size is the rounded mean of four", () => {
  const values = Uint16Array.from({ length: 6 * 4 }, (_, at) => (at * 2657) % 65536);
  const half = halve({ values, rows: 4, columns: 6 });
  assert.deepEqual([half.rows, half.columns], [2, 3]);
  for (let row = 0; row < 2; row++) {
    for (let column = 0; column < 3; column++) {
      const at = 2 * row * 6 + 2 * column;
      const mean = (values[at] + values[at + 1] + values[at + 6] + values[at + 7]) / 4;
      assert.equal(half.values[row * 3 + column], Math.floor(mean + 0.5));
    }
  }
});

test("the level painted has a pixel for each of the screen's, and no more than twice", () => {
  const header = { ...HEADER, rows: 1024, columns: 1024 };
  const film = new Film({ header, values: new Uint8Array(1024 * 1024) });
  for (const scale of [2, 1, 0.8, 0.5, 0.3, 0.25, 0.13]) {
    const across = (1024 * scale) / film.level(scale).columns;
    assert.ok(across <= 1 || scale > 1);
    assert.ok(across > 0.5 || film.level(scale).columns <= 64);
  }
});

test("hotter is always lighter", () => {
  const brightness = (heat) => {
    const [red, green, blue] = heatColour(heat);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (let step = 1; step <= 100; step++) {
    assert.ok(brightness(step / 100) >= brightness((step - 1) / 100));
  }
});
