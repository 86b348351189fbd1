// Lengths, angles and ratios on a film. Points are fractions of the film's width and height; a size
// says how much the whole film is across and down, in mm or in pixels.

/** @typedef {[number, number]} Point */
/** @typedef {{across: number, down: number}} Size */
/** @typedef {"length" | "angle" | "ratio"} MeasuredKind */
/** @typedef {MeasuredKind | "key_image"} MarkKind */

/** How many points each kind of mark has: the ends of a line; an angle's arms around its corner; the
 * ends of the widest line of the heart, then those of the chest.
 * @type {Record<MeasuredKind, number>} */
const POINTS_OF = { length: 2, angle: 3, ratio: 4 };

/** @param {Point} from @param {Point} to @param {Size} size */
const lengthOf = (from, to, { across, down }) =>
  Math.hypot((to[0] - from[0]) * across, (to[1] - from[1]) * down);

/** Return the angle at the second of three points in degrees, 0 to 180; NaN where an arm has no length.
 * @param {Point[]} points @param {Size} size */
function angleOf([first, corner, last], { across, down }) {
  const arms = [first, last].map(([x, y]) => [(x - corner[0]) * across, (y - corner[1]) * down]);
  const [[ax, ay], [bx, by]] = arms;
  if (!(ax || ay) || !(bx || by)) return Number.NaN;
  return (Math.abs(Math.atan2(ax * by - ay * bx, ax * bx + ay * by)) * 180) / Math.PI;
}

/** Return the first line's length as a share of the second's; NaN where that has none.
 * @param {Point[]} points two of each line @param {Size} size */
function ratioOf([a, b, c, d], size) {
  const whole = lengthOf(c, d, size);
  return whole ? lengthOf(a, b, size) / whole : Number.NaN;
}

/** Return the film's size in mm if its file states it, else in its own pixels.
 * @param {FilmHeader} header @returns {Size & {unit: "mm" | "px", basis: string}} */
function sizeOf({ millimetres, film_columns, film_rows }) {
  return millimetres
    ? { ...millimetres, unit: "mm" }
    : { across: film_columns, down: film_rows, unit: "px", basis: "" };
}

/** Return a mark's value with its unit, and what a length was measured at. Never millimetres that the
 * file does not state.
 * @param {MeasuredKind} kind @param {Point[]} points @param {FilmHeader} header */
function measure(kind, points, header) {
  const { film_columns, film_rows } = header;
  const pixels = { across: film_columns, down: film_rows }; // square: proportions are the body's
  if (kind === "angle") return { value: angleOf(points, pixels), unit: "deg", basis: "" };
  if (kind === "ratio") return { value: ratioOf(points, pixels), unit: "", basis: "" };
  const size = sizeOf(header);
  return { value: lengthOf(points[0], points[1], size), unit: size.unit, basis: size.basis };
}

/** @param {{value: number, unit: string, basis: string}} measured */
function measureWords({ value, unit, basis }) {
  if (unit === "deg") return `${value.toFixed(1)}°`;
  if (unit === "") return `CTR ${value.toFixed(2)}`;
  if (unit === "px") return `${Math.round(value)} pixels`;
  const at = basis === "not stated" ? "not stated where" : basis;
  return `${value.toFixed(1)} mm (${at})`;
}
