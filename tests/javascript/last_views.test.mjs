import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

const { LastViews } = run(["viewer/last_views.js"], ["LastViews"]);
const SIDES = ["", "current", "earlier"];

test("a film drawn again on its side keeps its view", () => {
  for (const side of SIDES) {
    const views = new LastViews();
    const view = { entry: "2025" };
    views.remember(side, view);
    assert.equal(views.of(side, "2025"), view);
    assert.equal(views.of(side, "2024"), null);
  }
});

test("a film keeps its view where a comparison begins or ends", () => {
  const views = new LastViews();
  views.remember("current", { entry: "2026" });
  assert.equal(views.of("", "2026").entry, "2026");
  views.remember("", { entry: "2025" });
  assert.equal(views.of("current", "2025").entry, "2025");
});

test("a film that changes sides has no view", () => {
  for (const side of ["", "current"]) {
    const views = new LastViews();
    views.remember("earlier", { entry: "2025" });
    assert.equal(views.of(side, "2025"), null);
    views.remember(side, { entry: "2026" });
    assert.equal(views.of("earlier", "2026"), null);
  }
});

test("two films that are compared keep a view each, whichever was on screen last", () => {
  for (const order of [
    ["current", "earlier"],
    ["earlier", "current"],
  ]) {
    const views = new LastViews();
    views.remember("", { entry: "current" });
    for (const side of order) views.remember(side, { entry: side });
    assert.equal(views.of("", "current").entry, "current");
    assert.equal(views.of("earlier", "earlier").entry, "earlier");
  }
});

test("the film beside another one is forgotten with it", () => {
  const views = new LastViews();
  views.remember("current", { entry: "2026" });
  views.remember("earlier", { entry: "2025" });
  views.remember("", { entry: "2026" });
  assert.equal(views.of("earlier", "2025").entry, "2025");
  views.remember("", { entry: "2027" });
  assert.equal(views.of("earlier", "2025"), null);
});
