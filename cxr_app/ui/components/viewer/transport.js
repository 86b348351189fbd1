// Fetches films and heatmaps from the server, and holds the last few decoded ones in this page's
// memory (never on disk: they are patients' films).

const FILMS_HELD = 5;

/** @typedef {{header: FilmHeader, values: GreyValues}} FilmData */
/** @typedef {{header: HeatHeader, values: GreyValues}} HeatData */

/** Address -> promise of its data, the latest used last.
 * @type {Map<string, Promise<any>>} */
const held = new Map();

/** The server's own sentence about why there is nothing to show. */
class Refusal extends Error {}

/** @param {string} address */
async function fetchData(address) {
  const response = await fetch(address, { cache: "no-store", credentials: "same-origin" });
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  return unpack(await response.arrayBuffer());
}

/** Read the wire format, little-endian: length of the header (4 bytes), the header as JSON, values.
 * @param {ArrayBuffer} buffer */
function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  if (header.message) throw new Refusal(header.message);
  const count = header.rows * header.columns;
  const Values = header.bits === 16 ? Uint16Array : Uint8Array;
  return { header, values: new Values(buffer, 4 + length, count) };
}

/** Return the film or heatmap at this address, from memory if it is there.
 * @param {string} address
 * @returns {Promise<any>} */
function load(address) {
  const known = held.get(address);
  held.delete(address);
  const coming = known ?? fetchData(address);
  held.set(address, coming);
  for (const oldest of held.keys()) {
    if (held.size <= 2 * FILMS_HELD) break; // a film and its heatmap are two
    held.delete(oldest);
  }
  if (!known) coming.catch(() => held.delete(address));
  return coming;
}

/** Have films and heatmaps in memory before they are asked for; one that fails will fail then.
 * @param {string[]} addresses */
function loadAhead(addresses) {
  for (const address of addresses) load(address).catch(() => {});
}

/** Return the result, or the error in its place.
 * @template T @param {Promise<T>} promise @returns {Promise<T | Error>} */
const settled = (promise) => promise.catch((error) => error);
