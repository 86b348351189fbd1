import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

function page(state) {
  const errors = [];
  const element = state === undefined ? null : { getAttribute: () => state };
  const { atRest } = run(["script_state.js"], ["atRest"], {
    document: { querySelector: () => element },
    console: { error: (text) => errors.push(text) },
  });
  return { atRest, errors };
}

test("a running script is not at rest", () => {
  assert.equal(page("running").atRest(), false);
  assert.equal(page("notRunning").atRest(), true);
  assert.deepEqual(page("running").errors, []);
});

test("a Streamlit that does not tell is reported once, on the console", () => {
  const { atRest, errors } = page(undefined);
  atRest();
  atRest();
  assert.equal(errors.length, 1);
  assert.match(errors[0], /data-test-script-state/);
});
