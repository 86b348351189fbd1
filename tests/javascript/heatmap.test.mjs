import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

const SQUARE = [
  [0.25, 0.5],
  [0.75, 0.5],
  [0.75, 1],
];
const PLACE = { x: 10, y: 20, width: 200, height: 100, scale: 1 };
const HIDDEN = { on: false, outline: false, opacity: 0.6, lungs: false };

/** A drawing context that only writes down what is drawn. */
function recorder() {
  const drawn = [];
  const context = { drawn, save() {}, restore() {}, beginPath() {} };
  context.moveTo = (x, y) => drawn.push(["move", x, y]);
  context.lineTo = (x, y) => drawn.push(["line", x, y]);
  context.stroke = () => drawn.push(["stroke", context.strokeStyle, context.lineWidth]);
  context.drawImage = () => drawn.push(["colour"]);
  return context;
}

function heatmap(change = {}) {
  class ImageData {
    constructor(columns, rows) {
      this.data = new Uint8Array(4 * columns * rows);
    }
  }
  const globals = {
    ImageData,
    newCanvas: () => ({}),
    drawingOn: () => ({ putImageData() {} }),
  };
  const { Heatmap } = run(["viewer/turning.js", "viewer/heatmap.js"], ["Heatmap"], globals);
  const header = { rows: 1, columns: 1, empty: false, outline: [], lungs: [SQUARE], ...change };
  return new Heatmap({ header, values: new Uint8Array(1) });
}

function drawn(map, habits) {
  const context = recorder();
  map.draw(context, PLACE, { ...HIDDEN, ...habits }, 2);
  return context.drawn;
}

test("lungs are drawn where they lie on the film, and thinly", () => {
  const lines = drawn(heatmap(), { lungs: true });
  assert.deepEqual(lines.slice(0, 3), [
    ["move", 60, 70],
    ["line", 160, 70],
    ["line", 160, 120],
  ]);
  assert.equal(lines.at(-1)[2], 2);
});

test("lungs show with and without heat, and on a film without any", () => {
  assert.ok(drawn(heatmap(), { lungs: true, on: true }).some(([what]) => what === "colour"));
  assert.equal(drawn(heatmap({ empty: true }), { lungs: true, on: true }).length, 5);
});

test("nothing is drawn that the reader has not chosen", () => {
  assert.deepEqual(drawn(heatmap(), {}), []);
  assert.deepEqual(drawn(heatmap(), { on: true }), [["colour"]]);
});

test("lungs have another colour than the outline of the heat", () => {
  const lungs = drawn(heatmap(), { lungs: true }).at(-1)[1];
  const heat = drawn(heatmap({ outline: [SQUARE] }), { on: true, outline: true }).at(-1)[1];
  assert.notEqual(lungs, heat);
});

test("the choice of lungs is remembered, and off at first", () => {
  const stored = new Map();
  const localStorage = {
    getItem: (name) => stored.get(name) ?? null,
    setItem: (name, text) => stored.set(name, text),
  };
  const names = ["readHabits", "writeHabits"];
  const { readHabits, writeHabits } = run(["viewer/controls.js"], names, { localStorage });
  assert.notEqual(readHabits().lungs, true);
  stored.set("cxr-heat", JSON.stringify({ on: true, outline: true, opacity: 0.5 }));
  assert.equal(readHabits().lungs, false); // stored before there were lungs
  writeHabits({ on: true, outline: false, opacity: 0.5, lungs: true });
  assert.equal(readHabits().lungs, true);
});

test("the choice between outline and colour is remembered, and the site's before it is made", () => {
  const stored = new Map();
  const localStorage = {
    getItem: (name) => stored.get(name) ?? null,
    setItem: (name, text) => stored.set(name, text),
  };
  const names = ["readHabits", "writeHabits"];
  const { readHabits, writeHabits } = run(["viewer/controls.js"], names, { localStorage });
  assert.equal(readHabits().outline, undefined);
  writeHabits({ on: true, outline: false, opacity: 0.5, lungs: false });
  assert.equal(readHabits().outline, false);
});
