import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

const { Viewport } = run(["viewer/viewport.js"], ["Viewport"]);

const FILMS = [
  [200, 300],
  [3000, 2500],
  [64, 64],
];

function viewport(columns, rows, width = 900, height = 700) {
  const view = new Viewport();
  view.setFilm(columns, rows);
  view.setBox(width, height);
  return view;
}

/** The point of the film, in its pixels, at (x, y) of the box. */
function filmPoint(view, x, y) {
  const { zoom, fit, middle, film, box } = view;
  return {
    x: middle.x * film.columns + (x - box.width / 2) / (fit * zoom),
    y: middle.y * film.rows + (y - box.height / 2) / (fit * zoom),
  };
}

for (const [columns, rows] of FILMS) {
  test(`a film of ${columns} x ${rows} opens whole and in the middle`, () => {
    const { place } = viewport(columns, rows);
    assert.ok(place.width <= 900.001 && place.height <= 700.001);
    assert.ok(Math.abs(place.x - (900 - place.width) / 2) <= 1);
    assert.ok(Math.abs(place.y - (700 - place.height) / 2) <= 1);
  });

  test(`a film of ${columns} x ${rows} never leaves an edge of the box it could reach`, () => {
    const view = viewport(columns, rows);
    for (const [factor, across, down] of [
      [3, 900, 0],
      [1, -4000, 200],
      [2, 10, -9000],
      [0.3, 500, 500],
    ]) {
      view.zoomAt(factor, 100, 600);
      view.pan(across, down);
      const { x, y, width, height } = view.place;
      if (width >= 900) assert.ok(x <= 1 && x + width >= 899);
      else assert.ok(Math.abs(x - (900 - width) / 2) <= 1);
      if (height >= 700) assert.ok(y <= 1 && y + height >= 699);
      else assert.ok(Math.abs(y - (700 - height) / 2) <= 1);
    }
  });
}

test("zooming keeps the film's point under the pointer", () => {
  const view = viewport(3000, 2500);
  view.zoomAt(6, 450, 350);
  const before = filmPoint(view, 400, 300);
  view.zoomAt(1.25, 400, 300);
  const after = filmPoint(view, 400, 300);
  assert.ok(Math.hypot(before.x - after.x, before.y - after.y) < 1e-6);
});

test("zoom stops at the whole film and at sixteen pixels of the screen for one of the film", () => {
  const view = viewport(3000, 2500);
  view.zoomAt(1e-9, 0, 0);
  assert.equal(view.zoom, 1);
  view.zoomAt(1e9, 0, 0);
  assert.ok(Math.abs(view.scale - 16) < 1e-9);
});

test("one to one is one pixel of the screen for one of the film", () => {
  const view = viewport(3000, 2500);
  view.zoomTo(1);
  assert.ok(Math.abs(view.scale - 1) < 1e-12);
});

test("what is seen of a film lies on the film, and is all of it when the film fits", () => {
  for (const [columns, rows] of FILMS) {
    const view = viewport(columns, rows);
    const near = (found, wanted) => assert.ok(Math.abs(found - wanted) < 0.01, `${found}`);
    for (const [at, wanted] of [
      [0, 0],
      [1, 1],
    ]) {
      near(view.seen[at][0], wanted);
      near(view.seen[at][1], wanted);
    }
    view.zoomAt(4, 0, 0);
    const [[left, top], [right, bottom]] = view.seen;
    assert.ok(0 <= left && left < right && right <= 1 && 0 <= top && top < bottom && bottom <= 1);
    const { width, height } = view.place;
    near((right - left) * (width / 900), Math.min(1, width / 900));
    near((bottom - top) * (height / 700), Math.min(1, height / 700));
  }
});
