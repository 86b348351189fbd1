import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "./browser.mjs";

function packed(header, values) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(4 + text.length + (text.length % 2) + values.byteLength);
  const length = text.length + (text.length % 2);
  new DataView(padded.buffer).setUint32(0, length, true);
  padded.set(text, 4);
  if (text.length % 2) padded[4 + text.length] = 0x20; // a blank, as the server pads
  padded.set(new Uint8Array(values.buffer), 4 + length);
  return padded.buffer;
}

/** A page whose server counts what it is asked for. */
function page(answer) {
  const asked = [];
  const fetch = async (address) => {
    asked.push(address);
    return answer(address);
  };
  const { load, unpack, Refusal } = run(["viewer/transport.js"], ["load", "unpack", "Refusal"], {
    fetch,
    DataView,
  });
  return { asked, load, unpack, Refusal };
}

const film = (address) => ({
  ok: true,
  arrayBuffer: async () =>
    packed({ rows: 1, columns: 2, bits: 16, address }, Uint16Array.of(1, 65535)),
});

test("header and values arrive as they were sent", async () => {
  const { load } = page(film);
  const { header, values } = await load("/film/1");
  assert.equal(header.address, "/film/1");
  assert.deepEqual([...values], [1, 65535]);
});

test("a film is fetched once while it is held, and ten are held", async () => {
  const { asked, load } = page(film);
  for (let number = 0; number < 10; number++) await load(`/film/${number}`);
  for (let number = 0; number < 10; number++) await load(`/film/${number}`);
  assert.equal(asked.length, 10);
  await load("/film/10");
  await load("/film/0"); // the longest unused had to go
  assert.equal(asked.length, 12);
});

test("the server's own sentence is a refusal; a fault is another error and is not held", async () => {
  const refused = page(() => ({
    ok: true,
    arrayBuffer: async () => packed({ message: "The film was deleted." }, new Uint8Array()),
  }));
  await assert.rejects(refused.load("/film/1"), (error) => {
    assert.ok(error instanceof refused.Refusal);
    return error.message === "The film was deleted.";
  });
  let status = 500;
  const faulty = page((address) => (status === 200 ? film(address) : { ok: false, status }));
  await assert.rejects(faulty.load("/film/1"), /the server answers 500/);
  status = 200;
  assert.equal((await faulty.load("/film/1")).header.rows, 1);
});
