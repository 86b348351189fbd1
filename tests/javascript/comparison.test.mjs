import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

const { blendWords, changedWindow, changeOf, placeWithin, Viewport } = run(
  ["viewer/turning.js", "viewer/viewport.js", "viewer/comparison.js"],
  ["blendWords", "changedWindow", "changeOf", "placeWithin", "Viewport"],
  { localStorage: { getItem: () => "" } },
);

const PRESETS = [
  { name: "Full range", function: "LINEAR", center: 2048, width: 4096, lut: [] },
  { name: "Lung", function: "SIGMOID", center: 1000, width: 800, lut: [] },
];
const EIGHT_BITS = [{ name: "Whole", function: "LINEAR", center: 128, width: 256, lut: [] }];
const near = (found, wanted) => assert.ok(Math.abs(found - wanted) < 1e-9, `${found}, ${wanted}`);

test("a window by hand goes along as a change of the film's own first window, and back", () => {
  for (const [center, width] of [
    [2048, 4096],
    [100, 31],
    [-500, 9000],
  ]) {
    const there = changedWindow(
      changeOf({ ...PRESETS[0], center, width }, PRESETS),
      EIGHT_BITS,
    ).window;
    near(there.center, 128 + ((center - 2048) / 4096) * 256);
    near(there.width, (width / 4096) * 256);
    const back = changedWindow(changeOf(there, EIGHT_BITS), PRESETS).window;
    near(back.center, center);
    near(back.width, width);
  }
});

test("a preset goes along by its name, with the values of the film that has it", () => {
  const other = [EIGHT_BITS[0], { ...EIGHT_BITS[0], name: "Lung", center: 60, width: 90 }];
  const { preset, window } = changedWindow(changeOf(PRESETS[1], PRESETS), other);
  assert.deepEqual([preset, window.center, window.width], [1, 60, 90]);
  const without = changedWindow(changeOf(PRESETS[1], PRESETS), EIGHT_BITS);
  assert.equal(without.preset, 0);
  near(without.window.width, (800 / 4096) * 256);
});

test("a film over another keeps its proportions and stays within it", () => {
  const place = { x: 10, y: -20, width: 400, height: 300, scale: 0.5 };
  for (const [columns, rows] of [
    [800, 600],
    [100, 900],
    [3000, 10],
  ]) {
    const inner = placeWithin(place, { columns, rows });
    near(inner.width / inner.height, columns / rows);
    near(inner.scale, inner.width / columns);
    near(inner.x + inner.width / 2, 210);
    near(inner.y + inner.height / 2, 130);
    assert.ok(inner.width <= 400 + 1e-9 && inner.height <= 300 + 1e-9);
  }
});

test("a viewport that follows shows the same part, as far as its film reaches", () => {
  const view = new Viewport();
  view.setFilm(3000, 2500);
  view.setBox(900, 700);
  view.follow(2, { x: 0.4, y: 0.6 });
  assert.deepEqual([view.zoom, { ...view.middle }], [2, { x: 0.4, y: 0.6 }]);
  view.follow(1e9, { x: -3, y: 7 });
  assert.ok(view.scale <= 16);
  const { x, y, width, height } = view.place;
  assert.ok(x <= 1 && y <= 1 && x + width >= 899 && y + height >= 699);
});

test("a film over another is said not to be registered", () => {
  const turn = { quarters: 0, mirrored: false };
  assert.equal(blendWords({ blend: "beside", share: 0.5, turn }, turn), "");
  assert.match(
    blendWords({ blend: "overlay", share: 0.35, turn }, turn),
    /35 %.*\(not registered\)$/,
  );
  assert.match(blendWords({ blend: "difference", share: 0.5, turn }, turn), /\(not registered\)$/);
});

test("a film over one that is turned otherwise is said to be so", () => {
  const turns = [0, 1, 2, 3].flatMap((quarters) =>
    [false, true].map((mirrored) => ({ quarters, mirrored })),
  );
  for (const [index, turn] of turns.entries()) {
    for (const [place, own] of turns.entries()) {
      for (const blend of ["overlay", "difference"]) {
        const words = blendWords({ blend, share: 0.5, turn }, { ...own });
        assert.equal(words.includes("turned or mirrored differently"), index !== place);
        assert.match(words, /not registered/);
      }
      assert.equal(blendWords({ blend: "beside", share: 0.5, turn }, own), "");
    }
  }
});
