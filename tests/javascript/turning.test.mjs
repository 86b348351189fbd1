import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

const { magnified, turnedBy, turnFilm, turnPoint, turnWords, unturnPoint } = run(
  ["viewer/turning.js", "viewer/magnifier.js"],
  ["magnified", "turnedBy", "turnFilm", "turnPoint", "turnWords", "unturnPoint"],
);

const TURNS = [0, 1, 2, 3].flatMap((quarters) =>
  [false, true].map((mirrored) => ({ quarters, mirrored })),
);
const SIZES = [
  [1, 1],
  [1, 7],
  [5, 1],
  [4, 6],
  [33, 10],
];

function film(rows, columns, Values = Uint16Array) {
  const values = Values.from({ length: rows * columns }, (_, index) => index);
  const millimetres = { across: 2 * columns, down: 3 * rows, basis: "calibrated" };
  const header = { rows, columns, film_rows: 2 * rows, film_columns: 2 * columns, millimetres };
  return { header, values };
}

for (const turn of TURNS) {
  const name = `${turn.quarters} quarters${turn.mirrored ? ", mirrored" : ""}`;

  test(`every value lies where its point does: ${name}`, () => {
    for (const [rows, columns] of SIZES) {
      const sent = film(rows, columns);
      const { header, values } = turnFilm(sent, turn);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const [x, y] = turnPoint([(column + 0.5) / columns, (row + 0.5) / rows], turn);
          const at = [Math.floor(y * header.rows), Math.floor(x * header.columns)];
          assert.equal(values[at[0] * header.columns + at[1]], sent.values[row * columns + column]);
        }
      }
    }
  });

  test(`sides and millimetres go along, and points come back: ${name}`, () => {
    const { header, values } = turnFilm(film(5, 6, Uint8Array), turn);
    const lies = turn.quarters % 2 === 1;
    assert.deepEqual([header.rows, header.columns], lies ? [6, 5] : [5, 6]);
    assert.deepEqual([header.film_rows, header.film_columns], lies ? [12, 10] : [10, 12]);
    const { across, down } = header.millimetres;
    assert.deepEqual([across, down], lies ? [15, 12] : [12, 15]);
    assert.ok(values instanceof Uint8Array);
    for (const point of [
      [0, 0],
      [0.3, 0.9],
      [1, 0.25],
    ]) {
      const [x, y] = unturnPoint(turnPoint(point, turn), turn);
      assert.ok(Math.hypot(x - point[0], y - point[1]) < 1e-12);
    }
  });

  test(`a turn to the right moves the top to the right on the screen: ${name}`, () => {
    const corner = unturnPoint([0, 0], turn); // whatever lies in the top left corner
    const [x, y] = turnPoint(corner, turnedBy(turn, 1));
    assert.ok(Math.hypot(x - 1, y) < 1e-12);
    const [left, low] = turnPoint(corner, turnedBy(turn, -1));
    assert.ok(Math.hypot(left, low - 1) < 1e-12);
  });
}

test("a film that is turned says so, and one that is not says nothing", () => {
  const words = TURNS.map(turnWords);
  assert.equal(words[0], "");
  assert.ok(words.slice(1).every((each) => each.endsWith("for view only")));
  assert.equal(new Set(words).size, TURNS.length);
  assert.equal(turnWords({ quarters: 0, mirrored: true }), "Mirrored: for view only");
});

test("the point under the lens stays where it is", () => {
  const place = { x: -40, y: 25, width: 600, height: 400, scale: 2 };
  const at = { x: 123, y: 77 };
  const large = magnified(place, at);
  const share = (where) => [(at.x - where.x) / where.width, (at.y - where.y) / where.height];
  assert.deepEqual(share(large), share(place));
  assert.equal(large.width / place.width, large.scale / place.scale);
});
