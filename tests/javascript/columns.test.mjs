import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

const { drawnColumns, orderedColumns, readColumnHabits } = run(
  ["film_table/columns.js"],
  ["drawnColumns", "orderedColumns", "readColumnHabits"],
  { localStorage: { getItem: (name) => (name.endsWith(":Odd") ? "no JSON" : null) } },
);

const COLUMNS = ["tier", "name", "age", "remark"].map((id) => ({ id, width: 5, sort: id }));
const ROWS = [
  { id: "1", tier: "HIGH", name: "Ada", age: 0 },
  { id: "2", tier: "LOW", name: "", remark: "" },
];
const habits = (change = {}) => ({ order: [], hidden: [], widths: {}, ...change });
const ids = (columns) => Array.from(columns, ({ id }) => id);

test("columns without a value in any row are left out, unless the list is sorted by one", () => {
  assert.deepEqual(ids(drawnColumns(COLUMNS, ROWS, habits(), "")), ["tier", "name", "age"]);
  assert.deepEqual(ids(drawnColumns(COLUMNS, ROWS, habits(), "remark")), ids(COLUMNS));
});

test("hidden columns stay hidden, and a table is never without any", () => {
  const hidden = habits({ hidden: ["tier", "age"] });
  assert.deepEqual(ids(drawnColumns(COLUMNS, ROWS, hidden, "")), ["name"]);
  const all = habits({ hidden: ids(COLUMNS) });
  assert.deepEqual(ids(drawnColumns(COLUMNS, ROWS, all, "")), ids(COLUMNS));
});

test("the reader's order and widths count, and a column that is new comes last", () => {
  const chosen = habits({ order: ["age", "tier", "name"], widths: { tier: 9, age: 0.1 } });
  const found = orderedColumns(COLUMNS, chosen);
  assert.deepEqual(ids(found), ["age", "tier", "name", "remark"]);
  assert.deepEqual(
    Array.from(found, ({ width }) => width),
    [2, 9, 5, 5],
  );
});

test("a browser that keeps nothing, or something else, has the columns as at first", () => {
  for (const table of ["Films", "Odd"]) {
    const { order, hidden, widths } = readColumnHabits(table);
    assert.deepEqual([order.length, hidden.length, Object.keys(widths).length], [0, 0, 0]);
  }
});
