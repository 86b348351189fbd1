import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

const { Sender } = run(["sender.js"], ["Sender"], {
  atRest: () => true,
  setTimeout: () => 1,
  clearTimeout: () => {},
});

/** A sender and what it has sent last. */
function sender(name) {
  const made = new Sender({ isConnected: true }, name);
  const sent = { numbers: [] };
  made.send = (_, { list }) => {
    sent.numbers = Array.from(list, ({ number }) => number);
  };
  return [made, sent];
}

test("what one sender has acknowledged says nothing of another's messages", () => {
  const [presses, pressed] = sender("presses");
  const [marks, marked] = sender("marks");
  presses.add({ entry: "a", key: "y" });
  marks.add({ entry: "a", mark: "{}" });
  assert.equal(pressed.numbers.length, 1);
  assert.equal(marked.numbers.length, 1, "and each sends its own alone");
  marks.acknowledge(marked.numbers[0]);
  presses.add({ entry: "a", key: "n" });
  assert.equal(pressed.numbers.length, 2, "the verdict is still on its way");
});

test("another sender of the same name goes on with what was not acknowledged", () => {
  const [first] = sender("comments");
  first.add({ entry: "a", text: "seen" });
  const [second, sent] = sender("comments");
  second.add({ entry: "b", text: "too" });
  assert.equal(sent.numbers.length, 2);
  second.acknowledge(sent.numbers[0]);
  second.add({ entry: "b", text: "more" });
  assert.equal(sent.numbers.length, 2);
});
