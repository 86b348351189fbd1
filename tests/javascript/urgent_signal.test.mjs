import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

const { isNews, withCount } = run(["urgent_signal/title_count.js"], ["isNews", "withCount"]);

test("the title has the number of urgent films once, and none without them", () => {
  assert.equal(withCount("Worklist", 2), "(2 urgent) Worklist");
  assert.equal(withCount("(2 urgent) Worklist", 3), "(3 urgent) Worklist");
  assert.equal(withCount("(2 urgent) Film", 0), "Film");
});

test("news is what another reader has marked since the page looked first", () => {
  const now = { films: 2, newest: 500, by: "Ada" };
  assert.equal(isNews(now, -1, "Bea"), false, "not what was there already");
  assert.equal(isNews(now, 400, "Bea"), true);
  assert.equal(isNews(now, 500, "Bea"), false);
  assert.equal(isNews(now, 400, "Ada"), false, "not one's own");
});
