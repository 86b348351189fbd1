// A round lens under the pointer that shows the film larger, with everything drawn on it.

const LENS_POWER = 2.5;
const LENS_RADIUS = 120; // CSS pixels

/** Return where the whole film lies for the lens: the point under it stays.
 * @param {Place} place @param {{x: number, y: number}} at in device pixels @returns {Place} */
function magnified({ x, y, width, height, scale }, at) {
  return {
    x: at.x - (at.x - x) * LENS_POWER,
    y: at.y - (at.y - y) * LENS_POWER,
    width: width * LENS_POWER,
    height: height * LENS_POWER,
    scale: scale * LENS_POWER,
  };
}

/** The lens of one viewer. */
class Magnifier {
  on = false;
  /** @type {{x: number, y: number} | null} */ at = null; // null: the middle

  /** @param {any} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    const { canvas, stopping } = viewer;
    const follow = (/** @type {PointerEvent} */ event) => {
      if (!this.on) return;
      const frame = canvas.getBoundingClientRect();
      const ratio = canvas.width / Math.max(canvas.clientWidth, 1);
      this.at = { x: (event.clientX - frame.left) * ratio, y: (event.clientY - frame.top) * ratio };
      viewer._refresh();
    };
    canvas.addEventListener("pointermove", follow, { signal: stopping.signal, capture: true });
  }

  /** @param {boolean} on */
  set(on) {
    this.on = on;
    setPressed(this.viewer.part("magnify"), on);
    this.viewer.root.dataset.lens = on ? "on" : "off";
    this.viewer._refresh();
  }

  /** Draw the lens over what is there.
   * @param {CanvasRenderingContext2D} context @param {Place} place
   * @param {(place: Place, within: Frame) => void} paint draws the film and all that lies on it
   * @param {number} thickness in device pixels of a CSS pixel */
  draw(context, place, paint, thickness) {
    if (!this.on) return;
    const { width, height } = context.canvas;
    const at = this.at ?? { x: width / 2, y: height / 2 };
    const radius = LENS_RADIUS * thickness;
    const within = {
      left: Math.max(0, at.x - radius),
      top: Math.max(0, at.y - radius),
      right: Math.min(width, at.x + radius),
      bottom: Math.min(height, at.y + radius),
    };
    const ring = () => {
      context.beginPath(); // anew: what is painted in the lens has paths of its own
      context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
    };
    context.save();
    ring();
    context.clip();
    context.fillStyle = "#000";
    context.fillRect(within.left, within.top, 2 * radius, 2 * radius);
    paint(magnified(place, at), within);
    context.restore();
    ring();
    context.lineWidth = 2 * thickness;
    context.strokeStyle = "#e6edf3";
    context.stroke();
  }
}
