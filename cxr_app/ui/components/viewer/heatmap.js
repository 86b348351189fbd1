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

/** Heat of one film: a small coloured picture drawn over the film, and its outline. */
class Heatmap {
  /** @param {HeatData} data */
  constructor({ header, values }) {
    this.empty = header.empty;
    this.outline = header.outline; // fractions of the film's width and height
    this.canvas = newCanvas(header.columns, header.rows);
    const image = new ImageData(header.columns, header.rows);
    const table = Uint32Array.from({ length: 256 }, (_, value) => {
      const [red, green, blue] = heatColour(value / 255);
      return ((value << 24) | (blue << 16) | (green << 8) | red) >>> 0; // as opaque as it is hot
    });
    const pixels = new Uint32Array(image.data.buffer);
    for (let at = 0; at < values.length; at++) pixels[at] = table[values[at]];
    drawingOn(this.canvas).putImageData(image, 0, 0);
  }

  /** @param {CanvasRenderingContext2D} context
   * @param {Place} place
   * @param {number} opacity */
  drawColour(context, { x, y, width, height }, opacity) {
    context.save();
    context.globalAlpha = opacity;
    context.imageSmoothingEnabled = true;
    context.drawImage(this.canvas, x, y, width, height);
    context.restore();
  }

  /** @param {CanvasRenderingContext2D} context
   * @param {Place} place
   * @param {number} opacity
   * @param {number} thickness in device pixels of a CSS pixel */
  drawOutline(context, { x, y, width, height }, opacity, thickness) {
    context.save();
    context.globalAlpha = Math.max(opacity, 0.15);
    context.lineJoin = "round";
    context.beginPath();
    for (const line of this.outline) {
      line.forEach(([across, down], i) => {
        if (i) context.lineTo(x + across * width, y + down * height);
        else context.moveTo(x + across * width, y + down * height);
      });
    }
    context.lineWidth = 3 * thickness;
    context.strokeStyle = "rgb(0 0 0 / 0.55)"; // so that the line shows on bright bone as well
    context.stroke();
    context.lineWidth = 1.5 * thickness;
    context.strokeStyle = OUTLINE_COLOUR;
    context.stroke();
    context.restore();
  }
}
