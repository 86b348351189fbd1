import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

const { angleOf, lengthOf, measure, measureWords, ratioOf } = run(
  ["viewer/geometry.js"],
  ["angleOf", "lengthOf", "measure", "measureWords", "ratioOf"],
);

const PIXELS = { film_columns: 1000, film_rows: 2000 };
const inMm = (basis) => ({ ...PIXELS, millimetres: { across: 200, down: 400, basis } });
const near = (found, wanted) => assert.ok(Math.abs(found - wanted) < 1e-9, `${found}, ${wanted}`);
const LINE = [
  [0, 0],
  [0.3, 0.2],
];

test("a length is in the film's own proportions", () => {
  near(lengthOf([0, 0], [0.3, 0.2], { across: 1000, down: 2000 }), 500);
  near(lengthOf([0.5, 0.5], [0.5, 0.5], { across: 3, down: 4 }), 0);
});

test("an angle is at the corner, whichever way it opens, and as wide on a tall film", () => {
  const size = { across: 100, down: 200 };
  near(
    angleOf(
      [
        [0, 0],
        [0.5, 0.5],
        [0, 0.5],
      ],
      { across: 1, down: 1 },
    ),
    45,
  );
  near(
    angleOf(
      [
        [0.5, 0.25],
        [0.5, 0.5],
        [1, 0.5],
      ],
      size,
    ),
    90,
  );
  near(
    angleOf(
      [
        [1, 0.5],
        [0.5, 0.5],
        [0.5, 0.25],
      ],
      size,
    ),
    90,
  );
  near(
    angleOf(
      [
        [0, 0.5],
        [0.5, 0.5],
        [1, 0.5],
      ],
      size,
    ),
    180,
  );
  assert.ok(
    Number.isNaN(
      angleOf(
        [
          [0.5, 0.5],
          [0.5, 0.5],
          [1, 1],
        ],
        size,
      ),
    ),
  );
});

test("the ratio is the heart's width to the chest's", () => {
  near(
    ratioOf(
      [
        [0.4, 0],
        [0.6, 0],
        [0.1, 1],
        [0.5, 1],
      ],
      { across: 10, down: 10 },
    ),
    0.5,
  );
  assert.ok(
    Number.isNaN(
      ratioOf(
        [
          [0, 0],
          [1, 0],
          [0.5, 0.5],
          [0.5, 0.5],
        ],
        { across: 1, down: 1 },
      ),
    ),
  );
});

test("millimetres are those of the file, with what they were measured at", () => {
  const calibrated = measure("length", LINE, inMm("calibrated"));
  near(calibrated.value, 100);
  assert.equal(measureWords(calibrated), "100.0 mm (calibrated)");
  const detector = measure("length", LINE, inMm("at the detector"));
  assert.equal(measureWords(detector), "100.0 mm (at the detector)");
  const unsaid = measure("length", LINE, inMm("not stated"));
  assert.equal(measureWords(unsaid), "100.0 mm (not stated where)");
});

test("without a spacing a length is in pixels, and never in millimetres", () => {
  const found = measure("length", LINE, { ...PIXELS, millimetres: null });
  assert.equal(measureWords(found), "500 pixels");
});

test("angles and ratios need no spacing", () => {
  const corner = [
    [0, 0.5],
    [0.5, 0.5],
    [0.5, 0],
  ];
  assert.equal(measureWords(measure("angle", corner, PIXELS)), "90.0°");
  const widths = [
    [0.4, 0.5],
    [0.6, 0.5],
    [0.1, 0.6],
    [0.5, 0.6],
  ];
  assert.equal(measureWords(measure("ratio", widths, PIXELS)), "CTR 0.50");
});
