// Brings films and heatmaps from the server, and keeps the last few decoded ones in this page's
// memory (never on disk: they are somebody's films).

const KEPT = 5;
const kept = new Map(); // address -> promise of {header, values}

/** The server's own sentence about why there is nothing to show. */
class Refusal extends Error {}

async function bring(address) {
  const response = await fetch(address, { cache: "no-store", credentials: "same-origin" });
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  return unpack(await response.arrayBuffer());
}

/** Little-endian: length of the header (4 bytes), the header as JSON, then the values. */
function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  if (header.message) throw new Refusal(header.message);
  const count = header.rows * header.columns;
  const Values = header.bits === 16 ? Uint16Array : Uint8Array;
  return { header, values: new Values(buffer, 4 + length, count) };
}

/** The film or heatmap at this address, from memory where it is already here. */
function load(address) {
  const known = kept.get(address);
  kept.delete(address);
  const coming = known ?? bring(address);
  kept.set(address, coming); // the latest used stands last
  for (const oldest of kept.keys()) {
    if (kept.size <= 2 * KEPT) break; // a film and its heatmap are two
    kept.delete(oldest);
  }
  if (!known) coming.catch(() => kept.delete(address));
  return coming;
}
