// Marks on the film: lengths, angles, the cardiothoracic ratio and key images. A reader sets points by clicks, or
// by arrow keys and Enter; a whole mark goes to the page's script, which keeps it with the film.

const MARK_COLOUR = "#7ee787";
const MARK_STEP = 1 / 100; // of the film, by an arrow key; a fifth of it with Shift
const MARK_HINTS = {
  length: "Length: set its two ends",
  angle: "Angle: set the end of an arm, the corner, the other end",
  ratio: "Cardiothoracic ratio: set the ends of the heart's width, then of the chest's",
};

/** @typedef {{kind: MarkKind, points: Point[], words: string}} Mark */

/** Points that a mark's lines join; a key image is the frame around what was seen.
 * @param {MarkKind} kind @param {Point[]} points @returns {Point[][]} */
function linesOf(kind, points) {
  if (kind === "ratio") return [points.slice(0, 2), points.slice(2, 4)];
  if (kind !== "key_image") return [points];
  const [[left, top], [right, bottom]] = points;
  return [
    [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
      [left, top],
    ],
  ];
}

/** The marks of one viewer, and the one being made. */
class Marking {
  /** @type {MeasuredKind | null} */ kind = null;
  /** @type {Point[]} */ points = [];
  /** @type {Point} */ pointer = [0.5, 0.5]; // on the film as it lies on the screen
  /** @type {Mark[]} */ kept = []; // by the page's script
  /** @type {Mark[]} */ sent = []; // and not known to be kept yet

  /** @param {any} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.marks = new Sender(viewer.root, "marks");
    const { signal } = viewer.stopping;
    const listen = (/** @type {string} */ name, /** @type {(event: any) => void} */ does) =>
      viewer.canvas.addEventListener(name, does, { signal, capture: true });
    listen("pointerdown", (event) => this._onDown(event));
    listen("pointermove", (event) => this._onMove(event));
    listen("keydown", (event) => this._onKey(event));
  }

  /** @param {ViewerData} data @param {(name: string, value: unknown) => void} send */
  update({ marks, canMark, marksAcknowledged }, send) {
    this.marks.send = send;
    this.marks.acknowledge(marksAcknowledged ?? 0);
    this.kept = marks ?? [];
    const known = new Set(this.kept.map(({ points }) => JSON.stringify(points)));
    this.sent = this.sent.filter(({ points }) => !known.has(JSON.stringify(points)));
    for (const kind of [...Object.keys(POINTS_OF), "key_image"]) {
      this.viewer.part(kind).hidden = !canMark;
    }
  }

  /** Forget the marks of a film that is left. */
  clear() {
    this.kept = [];
    this.sent = [];
    this.choose(null);
  }

  /** Begin a mark, or stop if this kind was begun.
   * @param {MeasuredKind | null} kind */
  choose(kind) {
    this.kind = kind === this.kind ? null : kind;
    this.points = [];
    if (this.kind) this.viewer.canvas.focus({ preventScroll: true });
    this._show();
  }

  _show() {
    const { root } = this.viewer;
    for (const kind of Object.keys(POINTS_OF)) {
      setPressed(this.viewer.part(kind), kind === this.kind);
    }
    if (this.kind) root.dataset.tool = this.kind;
    else delete root.dataset.tool;
    const hint = this.kind ? `${MARK_HINTS[this.kind]} (arrows and Enter; Esc leaves)` : "";
    this.viewer.find(".hint").textContent = hint;
    this.viewer._refresh();
  }

  /** @param {PointerEvent} event @returns {Point} */
  _at(event) {
    const { canvas, viewport } = this.viewer;
    const frame = canvas.getBoundingClientRect();
    const ratio = canvas.width / Math.max(canvas.clientWidth, 1);
    const { x, y, width, height } = viewport.place;
    const across = ((event.clientX - frame.left) * ratio - x) / width;
    const down = ((event.clientY - frame.top) * ratio - y) / height;
    return [clampShare(across), clampShare(down)];
  }

  /** @param {PointerEvent} event */
  _onDown(event) {
    if (!this.kind || event.button !== 0) return; // the other button still windows
    event.preventDefault();
    event.stopImmediatePropagation();
    this.pointer = this._at(event);
    this._add();
  }

  /** @param {PointerEvent} event */
  _onMove(event) {
    if (!this.kind || event.buttons) return;
    this.pointer = this._at(event);
    this.viewer._refresh();
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    if (!this.kind) return;
    const way = ARROWS[event.key];
    if (way) this._step(way, event.shiftKey ? MARK_STEP / 5 : MARK_STEP);
    else if (event.key === "Enter" || event.key === " ") this._add();
    else if (event.key === "Escape") this.choose(null);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** @param {[number, number]} way as the film is panned, so against the pointer @param {number} step */
  _step([across, down], step) {
    const [x, y] = this.pointer;
    this.pointer = [clampShare(x - across * step), clampShare(y - down * step)];
    this.viewer._refresh();
  }

  /** The point of the film, as it was sent, under the pointer.
   * @returns {Point} */
  _pointed() {
    return this._onFilm(this.pointer);
  }

  /** @param {Point} point on the film as it lies on the screen @returns {Point} as it was sent */
  _onFilm(point) {
    const [x, y] = unturnPoint(point, this.viewer.turn);
    return [clampShare(x), clampShare(y)];
  }

  /** @param {Point[]} points @returns {Point[]} */
  _turned(points) {
    return points.map((point) => turnPoint(point, this.viewer.turn));
  }

  _add() {
    const { kind } = this;
    if (!kind || !this.viewer.film) return;
    this.points = [...this.points, this._pointed()];
    if (this.points.length === POINTS_OF[kind]) this._finish(kind, this.points);
    this.viewer._refresh();
  }

  /** @param {MeasuredKind} kind @param {Point[]} points */
  _finish(kind, points) {
    const measured = measure(kind, points, this.viewer.data.header);
    this.points = [];
    if (!Number.isFinite(measured.value)) return; // two points in one place
    this._keep({ kind, points, words: measureWords(measured) }, measured);
    this.choose(null);
  }

  /** Keep what is seen of the film as a key image, once. */
  keepView() {
    const { viewer } = this;
    if (!viewer.film || viewer.part("key_image").hidden) return;
    const corners = viewer.viewport.seen.map((/** @type {Point} */ at) => this._onFilm(at));
    const [xs, ys] = [0, 1].map((axis) => corners.map((/** @type {Point} */ at) => at[axis]));
    /** @type {Point[]} */
    const points = [
      [Math.min(...xs), Math.min(...ys)],
      [Math.max(...xs), Math.max(...ys)],
    ];
    const text = JSON.stringify(points);
    const isKept = [...this.kept, ...this.sent].some(
      (mark) => mark.kind === "key_image" && JSON.stringify(mark.points) === text,
    );
    const value = (points[1][0] - points[0][0]) * (points[1][1] - points[0][1]);
    if (!isKept) {
      const mark = /** @type {Mark} */ ({ kind: "key_image", points, words: "Key image" });
      this._keep(mark, { value, unit: "", basis: "" });
    }
    viewer._refresh();
  }

  /** Show a mark, and have the page's script keep it.
   * @param {Mark} mark @param {{value: number, unit: string, basis: string}} measured */
  _keep(mark, measured) {
    const { kind, points } = mark;
    this.sent.push(mark);
    this.marks.add({
      entry: this.viewer.entry,
      mark: JSON.stringify({ kind, points, ...measured }),
    });
  }

  /** @param {CanvasRenderingContext2D} context @param {Place} place @param {number} thickness */
  draw(context, place, thickness) {
    const isKey = [...this.kept, ...this.sent].some(({ kind }) => kind === "key_image");
    setPressed(this.viewer.part("key_image"), isKey);
    const show = (/** @type {Mark} */ mark) =>
      drawMark(context, place, { ...mark, points: this._turned(mark.points) }, thickness);
    for (const mark of [...this.kept, ...this.sent]) show(mark);
    if (!this.kind || !this.viewer.film) return;
    const points = [...this.points, this._pointed()];
    const whole = points.length === POINTS_OF[this.kind];
    const measured = whole ? measure(this.kind, points, this.viewer.data.header) : null;
    const words = measured && Number.isFinite(measured.value) ? measureWords(measured) : "";
    show({ kind: this.kind, points, words });
    drawCross(context, place, this.pointer, thickness);
  }
}

/** @param {number} share */
const clampShare = (share) => Math.round(Math.min(1, Math.max(0, share)) * 1e5) / 1e5;

/** @param {CanvasRenderingContext2D} context @param {Place} place @param {Mark} mark
 * @param {number} thickness */
function drawMark(context, place, { kind, points, words }, thickness) {
  const style = { colour: MARK_COLOUR, width: 1.5 * thickness, opacity: 1 };
  drawLines(context, linesOf(kind, points), place, style);
  const [across, down] = points[points.length - 1];
  context.save();
  context.font = `600 ${13 * thickness}px sans-serif`;
  context.lineWidth = 3 * thickness;
  context.strokeStyle = "rgb(0 0 0 / 0.8)";
  context.fillStyle = MARK_COLOUR;
  const [x, y] = [place.x + across * place.width, place.y + down * place.height];
  const { width, height } = context.canvas;
  const gap = 6 * thickness;
  const isSeen = x >= 0 && x <= width && y >= 0 && y <= height;
  const room = width - context.measureText(words).width - gap; // words of a mark at the edge stay whole
  const left = isSeen ? Math.max(gap, Math.min(x + gap, room)) : x + gap;
  const base = isSeen ? Math.max(y - gap, 3 * gap) : y - gap;
  context.strokeText(words, left, base);
  context.fillText(words, left, base);
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {Place} place @param {Point} point
 * @param {number} thickness */
function drawCross(context, place, [across, down], thickness) {
  const [x, y] = [across * place.width, down * place.height];
  const reach = 9 * thickness;
  /** @type {[number, number][][]} */
  const lines = [
    [
      [(x - reach) / place.width, down],
      [(x + reach) / place.width, down],
    ],
    [
      [across, (y - reach) / place.height],
      [across, (y + reach) / place.height],
    ],
  ];
  drawLines(context, lines, place, { colour: "#fff", width: thickness, opacity: 1 });
}
