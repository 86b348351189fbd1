// Where the film lies in its box: fit, zoom at a point, pan. Lengths are device pixels.

const LARGEST_SCALE = 16;
const ROOM_BELOW = 24; // pixels between the viewer and the window's lower edge

class Viewport {
  box = { width: 1, height: 1 };
  film = { columns: 1, rows: 1 };
  zoom = 1;
  middle = { x: 0.5, y: 0.5 };

  reset() {
    this.zoom = 1; // 1 = the whole film fits
    this.middle = { x: 0.5, y: 0.5 }; // the point of the film in the middle of the box
  }

  get fit() {
    return Math.min(this.box.width / this.film.columns, this.box.height / this.film.rows);
  }

  get scale() {
    return this.fit * this.zoom;
  }

  /** The film's rectangle in the box.
   * @returns {Place} */
  get place() {
    const width = this.film.columns * this.scale;
    const height = this.film.rows * this.scale;
    const x = Math.round(this.box.width / 2 - this.middle.x * width);
    const y = Math.round(this.box.height / 2 - this.middle.y * height);
    return { x, y, width, height, scale: this.scale };
  }

  /** The corners of the part that is seen, in fractions of the film.
   * @returns {[[number, number], [number, number]]} */
  get seen() {
    const { x, y, width, height } = this.place;
    const share = (/** @type {number} */ at, /** @type {number} */ side) =>
      Math.min(1, Math.max(0, at / side));
    return [
      [share(-x, width), share(-y, height)],
      [share(this.box.width - x, width), share(this.box.height - y, height)],
    ];
  }

  /** Zoom by a factor; the point of the film at (x, y) of the box stays there.
   * @param {number} factor @param {number} x @param {number} y */
  zoomAt(factor, x, y) {
    const zoom = this._allowed(this.zoom * factor);
    const shift = 1 / this.scale - 1 / (this.fit * zoom);
    this.middle.x += ((x - this.box.width / 2) * shift) / this.film.columns;
    this.middle.y += ((y - this.box.height / 2) * shift) / this.film.rows;
    this.zoom = zoom;
    this._stayInside();
  }

  /** @param {number} zoom */
  _allowed(zoom) {
    const smallest = Math.min(1, 1 / this.fit); // the whole film, or one to one if that is smaller
    const largest = Math.max(LARGEST_SCALE / this.fit, 1);
    return Math.min(Math.max(zoom, smallest), largest);
  }

  /** Show the same part as another film's viewport does, as far as this film reaches.
   * @param {number} zoom @param {{x: number, y: number}} middle in fractions of the film */
  follow(zoom, middle) {
    this.zoom = this._allowed(zoom);
    this.middle = { ...middle };
    this._stayInside();
  }

  /** @param {number} scale device pixels for a pixel of the film */
  zoomTo(scale) {
    this.zoomAt(scale / this.scale, this.box.width / 2, this.box.height / 2);
  }

  /** @param {number} across @param {number} down */
  pan(across, down) {
    this.middle.x -= across / (this.film.columns * this.scale);
    this.middle.y -= down / (this.film.rows * this.scale);
    this._stayInside();
  }

  /** Keep every edge of the film at or beyond its edge of the box, if the film is larger. */
  _stayInside() {
    const reachX = this.box.width / (this.film.columns * this.scale) / 2;
    const reachY = this.box.height / (this.film.rows * this.scale) / 2;
    this.middle.x = inside(this.middle.x, reachX);
    this.middle.y = inside(this.middle.y, reachY);
  }

  /** @param {number} width @param {number} height */
  setBox(width, height) {
    this.box = { width: Math.max(1, width), height: Math.max(1, height) };
    this._stayInside();
  }

  /** @param {number} columns @param {number} rows */
  setFilm(columns, rows) {
    this.film = { columns, rows };
  }
}

/** @param {number} value @param {number} reach half of the box, in fractions of the film */
const inside = (value, reach) => (reach >= 0.5 ? 0.5 : Math.min(Math.max(value, reach), 1 - reach));

/**
 * @typedef {object} Hand What pointers and the wheel do.
 * @property {(across: number, down: number) => void} pan
 * @property {(across: number, down: number) => void} windowing
 * @property {(factor: number, x: number, y: number) => void} zoom
 * @property {() => void} reset
 * @property {() => boolean} windowsByLeftDrag
 */

/** Turn pointers and the wheel into calls of `hand`; return how to stop.
 * @param {HTMLCanvasElement} canvas
 * @param {Hand} hand */
function followHand(canvas, { pan, windowing, zoom, reset, windowsByLeftDrag }) {
  /** @type {Map<number, {x: number, y: number, windows: boolean}>} */
  const pointers = new Map();
  const ratio = () => canvas.width / canvas.clientWidth;
  const at = (/** @type {MouseEvent} */ event) => {
    const frame = canvas.getBoundingClientRect();
    return { x: (event.clientX - frame.left) * ratio(), y: (event.clientY - frame.top) * ratio() };
  };
  const pinch = () => {
    const [a, b] = [...pointers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, span: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  const down = (/** @type {PointerEvent} */ event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const windows = event.button === 2 || (event.button === 0 && windowsByLeftDrag());
    pointers.set(event.pointerId, { ...at(event), windows });
  };
  const move = (/** @type {PointerEvent} */ event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const before = pointers.size === 2 ? pinch() : null;
    const now = at(event);
    pointers.set(event.pointerId, { ...now, windows: last.windows });
    if (before) {
      const after = pinch();
      zoom(after.span / Math.max(before.span, 1), after.x, after.y);
      pan(after.x - before.x, after.y - before.y);
    } else if (last.windows) windowing((now.x - last.x) / ratio(), (now.y - last.y) / ratio());
    else pan(now.x - last.x, now.y - last.y);
  };
  const up = (/** @type {PointerEvent} */ event) => pointers.delete(event.pointerId);
  const wheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 30 : 1;
    const { x, y } = at(event);
    zoom(Math.exp(-Math.max(-240, Math.min(240, event.deltaY * lines)) * 0.0015), x, y);
  };
  const stopping = new AbortController();
  const listen = (/** @type {string} */ name, /** @type {(event: any) => void} */ does) =>
    canvas.addEventListener(name, does, { signal: stopping.signal, passive: false });
  listen("pointerdown", down);
  listen("pointermove", move);
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) listen(name, up);
  listen("wheel", wheel);
  listen("dblclick", reset);
  listen("contextmenu", (/** @type {Event} */ event) => event.preventDefault());
  return () => stopping.abort();
}

/** Give the canvas as many pixels as the screen shows of it.
 * @param {HTMLCanvasElement} canvas @param {Viewport} viewport */
function fitBox(canvas, viewport) {
  const ratio = globalThis.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (!width || !height) return;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  viewport.setBox(width, height);
}

/** Make the viewer reach down to the window's lower edge, whatever lies above.
 * @param {HTMLElement} root @param {Element | null} page what scrolls */
function fillWindow(root, page) {
  const above = root.getBoundingClientRect().top + (page?.scrollTop ?? 0) + ROOM_BELOW;
  root.style.setProperty("--above", `${Math.ceil(above)}px`);
}

/** Keep canvas and viewer in the room that the page leaves them, until the viewer ends.
 * @param {any} viewer */
function watchSize(viewer) {
  const { canvas, viewport, root, page } = viewer;
  const { signal } = viewer.stopping;
  const watching = new ResizeObserver(() => {
    fitBox(canvas, viewport);
    showState(viewer);
    viewer._draw(); // in the same frame, so that a resized canvas is never seen blank
  });
  watching.observe(canvas);
  const placing = new ResizeObserver(() => fillWindow(root, page));
  placing.observe(page?.firstElementChild ?? document.body);
  globalThis.addEventListener("resize", () => fillWindow(root, page), { signal });
  fillWindow(root, page);
  signal.addEventListener("abort", () => {
    watching.disconnect();
    placing.disconnect();
  });
}
