// A film turned and mirrored on the screen alone. Grey values and points stay those of the film as the
// server sends it, and what is shown of them is turned: by quarters clockwise first, then mirrored.

/** @typedef {{quarters: number, mirrored: boolean}} Turn */

/** @type {Turn} */
const AS_SENT = { quarters: 0, mirrored: false };

/** @param {Turn} turn */
const changesNothing = ({ quarters, mirrored }) => quarters === 0 && !mirrored;

/** @param {Turn} one @param {Turn} other */
const isSameTurn = (one, other) =>
  one.quarters === other.quarters && one.mirrored === other.mirrored;

/** Turn by a quarter, as seen on the screen: a mirrored film is turned the other way round.
 * @param {Turn} turn @param {1 | -1} step 1 clockwise @returns {Turn} */
const turnedBy = ({ quarters, mirrored }, step) => ({
  quarters: (quarters + (mirrored ? -step : step) + 4) % 4,
  mirrored,
});

/** Return where a point of the film lies when it is turned; in fractions of width and height.
 * @param {[number, number]} point @param {Turn} turn @returns {[number, number]} */
function turnPoint([x, y], { quarters, mirrored }) {
  for (let quarter = 0; quarter < quarters; quarter++) [x, y] = [1 - y, x];
  return [mirrored ? 1 - x : x, y];
}

/** Return the point of the film that lies at a point of the turned one.
 * @param {[number, number]} point @param {Turn} turn @returns {[number, number]} */
function unturnPoint([x, y], { quarters, mirrored }) {
  if (mirrored) x = 1 - x;
  for (let quarter = 0; quarter < quarters; quarter++) [x, y] = [y, 1 - x];
  return [x, y];
}

/** Return a film turned: its values, and a header with its sides exchanged if need be.
 * @param {FilmData} data @param {Turn} turn @returns {FilmData} */
function turnFilm({ header, values }, turn) {
  if (changesNothing(turn)) return { header, values };
  const { rows, columns, film_rows, film_columns, millimetres } = header;
  const turned = new (values instanceof Uint16Array ? Uint16Array : Uint8Array)(values.length);
  const lies = turn.quarters % 2 === 1;
  const width = lies ? rows : columns;
  // Where the first value goes, and how far from it the next of its row and of its column do.
  const place = (/** @type {number} */ column, /** @type {number} */ row) => {
    const centre = /** @type {[number, number]} */ ([(column + 0.5) / columns, (row + 0.5) / rows]);
    const [x, y] = turnPoint(centre, turn);
    return Math.floor(y * (lies ? columns : rows)) * width + Math.floor(x * width);
  };
  const start = place(0, 0);
  const across = columns > 1 ? place(1, 0) - start : 0;
  const down = rows > 1 ? place(0, 1) - start : 0;
  for (let row = 0, from = 0; row < rows; row++) {
    for (let to = start + row * down, end = from + columns; from < end; from++, to += across) {
      turned[to] = values[from];
    }
  }
  if (!lies) return { header, values: turned };
  const swapped = {
    rows: columns,
    columns: rows,
    film_rows: film_columns,
    film_columns: film_rows,
  };
  const size = millimetres && {
    ...millimetres,
    across: millimetres.down,
    down: millimetres.across,
  };
  return { header: { ...header, ...swapped, millimetres: size }, values: turned };
}

/** Return a picture turned.
 * @param {HTMLCanvasElement} picture @param {Turn} turn */
function turnPicture(picture, turn) {
  if (changesNothing(turn)) return picture;
  const { width, height } = picture;
  const lies = turn.quarters % 2 === 1;
  const turned = lies ? newCanvas(height, width) : newCanvas(width, height);
  const context = drawingOn(turned);
  context.translate(turned.width / 2, turned.height / 2);
  if (turn.mirrored) context.scale(-1, 1);
  context.rotate((turn.quarters * Math.PI) / 2);
  context.drawImage(picture, -width / 2, -height / 2);
  return turned;
}

/** Return how the film is turned, in words; empty if it is not.
 * @param {Turn} turn */
function turnWords(turn) {
  if (changesNothing(turn)) return "";
  const ways = ["", "Turned 90° clockwise", "Turned 180°", "Turned 90° anticlockwise"];
  const words = [ways[turn.quarters], turn.mirrored ? "mirrored" : ""].filter(Boolean).join(", ");
  return `${words[0].toUpperCase()}${words.slice(1)}: for view only`;
}
