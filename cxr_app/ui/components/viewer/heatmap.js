// The heatmap's colours and outline. The scale is fixed: the server sends heat in [0, 255] that
// means the same on every film, and nothing here ever stretches it.

/** From weak to strong, each step lighter than the one before (the bright part of Inferno). */
const HEAT_COLOURS = [
  [120, 28, 109],
  [177, 50, 90],
  [221, 81, 58],
  [245, 125, 21],
  [251, 180, 26],
  [252, 255, 164],
];
const OUTLINE_COLOUR = "#ffb020";
const LUNG_COLOUR = "#8fc7d9";

/** Draw lines over the film.
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number][][]} lines in fractions of the film's width and height
 * @param {Place} place
 * @param {{colour: string, width: number, opacity: number}} style width in device pixels */
function drawLines(context, lines, { x, y, width, height }, style) {
  context.save();
  context.globalAlpha = style.opacity;
  context.lineJoin = "round";
  context.beginPath();
  for (const line of lines) {
    line.forEach(([across, down], i) => {
      if (i) context.lineTo(x + across * width, y + down * height);
      else context.moveTo(x + across * width, y + down * height);
    });
  }
  context.lineWidth = 2 * style.width;
  context.strokeStyle = "rgb(0 0 0 / 0.55)"; // so that the line shows on bright bone as well
  context.stroke();
  context.lineWidth = style.width;
  context.strokeStyle = style.colour;
  context.stroke();
  context.restore();
}

/** Return red, green and blue in [0, 255] of heat in [0, 1].
 * @param {number} heat */
function heatColour(heat) {
  const place = heat * (HEAT_COLOURS.length - 1);
  const below = Math.min(Math.floor(place), HEAT_COLOURS.length - 2);
  const [from, to] = [HEAT_COLOURS[below], HEAT_COLOURS[below + 1]];
  return from.map((part, i) => Math.round(part + (to[i] - part) * (place - below)));
}

const heatGradient = () =>
  `linear-gradient(to right, ${HEAT_COLOURS.map(
    (c, i) => `rgb(${c.join(" ")} / ${i / (HEAT_COLOURS.length - 1)})`,
  ).join(", ")})`;

/** Heat of one film: a small coloured picture drawn over the film, its outline and the lungs'. */
class Heatmap {
  /** @param {HeatData} data */
  constructor({ header, values }) {
    this.empty = header.empty;
    this.outline = header.outline; // fractions of the film's width and height
    this.lungs = header.lungs;
    this.canvas = newCanvas(header.columns, header.rows);
    const image = new ImageData(header.columns, header.rows);
    const table = Uint32Array.from({ length: 256 }, (_, value) => {
      const [red, green, blue] = heatColour(value / 255);
      return ((value << 24) | (blue << 16) | (green << 8) | red) >>> 0; // as opaque as it is hot
    });
    const pixels = new Uint32Array(image.data.buffer);
    for (let at = 0; at < values.length; at++) pixels[at] = table[values[at]];
    drawingOn(this.canvas).putImageData(image, 0, 0);
    this.shown = this._turned(AS_SENT);
  }

  /** Show it as the film lies on the screen.
   * @param {Turn} turn */
  turn(turn) {
    this.shown = this._turned(turn);
  }

  /** @param {Turn} turn */
  _turned(turn) {
    const lines = (/** @type {[number, number][][]} */ sent) =>
      sent.map((line) => line.map((point) => turnPoint(point, turn)));
    const { outline, lungs, canvas } = this;
    const picture = turnPicture(canvas, turn);
    return { outline: lines(outline), lungs: lines(lungs), picture };
  }

  /** Draw what the reader has chosen to see.
   * @param {CanvasRenderingContext2D} context
   * @param {Place} place
   * @param {HeatHabits} habits
   * @param {number} thickness in device pixels of a CSS pixel */
  draw(context, place, { on, outline, opacity, lungs }, thickness) {
    if (lungs) {
      const style = { colour: LUNG_COLOUR, width: thickness, opacity: 0.7 };
      drawLines(context, this.shown.lungs, place, style);
    }
    if (!on || this.empty) return;
    if (outline) {
      const style = { colour: OUTLINE_COLOUR, width: 1.5 * thickness };
      drawLines(context, this.shown.outline, place, { ...style, opacity: Math.max(opacity, 0.15) });
    } else this._drawColour(context, place, opacity);
  }

  /** @param {CanvasRenderingContext2D} context
   * @param {Place} place
   * @param {number} opacity */
  _drawColour(context, { x, y, width, height }, opacity) {
    context.save();
    context.globalAlpha = opacity;
    context.imageSmoothingEnabled = true;
    context.drawImage(this.shown.picture, x, y, width, height);
    context.restore();
  }
}
