// The film viewer: state, controls and keys. Nothing here asks the server for anything but the
// film and its heatmap; every change of the picture is made in the browser.

/** Where Streamlit mounts us -> its viewer.
 * @type {WeakMap<HTMLElement, Viewer>} */
const viewers = new WeakMap();

const lastViews = new LastViews(); // of the films last on screen

class Viewer {
  /** @type {FilmData | null} */ data = null; // as the server sends it
  /** @type {Film | null} */ film = null; // as it lies on the screen
  /** @type {Turn} */ turn = AS_SENT;
  /** @type {GreyWindow | null} */ window = null;
  /** @type {Heatmap | null} */ heatmap = null;
  /** @type {string | null | undefined} */ heatAddress = undefined;
  /** @type {boolean | undefined} */ heatKnown = undefined;
  /** @type {number | null} */ frame = null;
  /** @type {string[]} */ next = [];
  /** @type {Record<string, [string, string]>} */ leadsTo = {};
  /** @type {Record<string, string>} */ focusKeys = {};
  /** @type {(name: string, value: unknown) => void} */ send = () => {};
  entry = "";
  address = ""; // of the film, which names how it lies
  note = "";
  scriptKeys = "";
  /** @type {Record<string, string>} */ clicks = {};
  preset = 0;
  inverted = false;
  windowing = false;
  span = 1; // of the film's modality values
  mounted = {}; // the last call of Streamlit's that this viewer answered

  /** @param {HTMLElement & {host?: HTMLElement}} parent */
  constructor(parent) {
    this.parent = parent;
    this.root = /** @type {HTMLElement} */ (parent.querySelector(".viewer"));
    this.canvas = /** @type {HTMLCanvasElement} */ (this.root.querySelector("canvas"));
    this.context = drawingOn(this.canvas, { alpha: false });
    this.viewport = new Viewport();
    this.presses = new Sender(this.root, "presses");
    this.stopping = new AbortController();
    this.page = (parent.host ?? parent).closest("[data-testid='stMain']"); // what scrolls
    /** @type {HeatHabits} */
    this.heat = { on: true, outline: undefined, opacity: 0.4, lungs: false, ...readHabits() };
    this.find(".legend i").style.backgroundImage = heatGradient();
    this.marking = new Marking(this);
    this.comparison = new Comparison(this);
    this.magnifier = new Magnifier(this);
    this.ahead = new Ahead(this);
    listen(this);
  }

  /** @param {string} selector @returns {any} */
  find(selector) {
    return this.root.querySelector(selector);
  }

  /** Return a control by its name.
   * @param {string} name @param {string} [tag] */
  part(name, tag = "") {
    return this.find(`${tag}[name="${name}"]`);
  }

  /** @param {string} text */
  notify(text) {
    this.find(".notice").textContent = text;
  }

  // --- films -------------------------------------------------------------------------------

  /** Show what the page asks for; the same film stays as it is being looked at.
   * @param {ViewerData} data
   * @param {(name: string, value: unknown) => void} send */
  async update(data, send) {
    const { entry, film, heat, next, note, keys, focus, acts, acknowledged, heatOn, outline } =
      data;
    this.send = this.presses.send = send;
    if (acts) this.presses.acknowledge(acknowledged ?? 0);
    if (this.ahead.isOlder(acknowledged ?? 0)) return;
    this.note = note ?? "";
    this.next = next ?? [];
    this.leadsTo = data.leadsTo ?? {};
    this.focusKeys = focus ?? {};
    this.scriptKeys = acts ?? "";
    this.clicks = data.clicks ?? {};
    this.heatKnown ??= heatOn;
    this.heat.outline ??= outline; // unless the reader has chosen
    this.part("help").hidden = !keys?.length;
    listKeys(this.find("dialog dl"), keys ?? []);
    if (entry !== this.entry || film !== this.address) this.open(entry, film);
    else if (this.data) loadAhead(this.next); // the film was shown before the page answered
    this.marking.update(data, send);
    this.comparison.update(data.side ?? "");
    if (heat !== this.heatAddress) this._openHeat(heat);
    this._sendHeat();
    this._refresh();
    this.ahead.goOn();
  }

  /** Show a film without its heatmap.
   * @param {string} entry @param {string} address */
  async open(entry, address) {
    this._remember();
    this.film = this.data = this.window = this.heatmap = null; // never one patient's film under another's name
    this.heatAddress = undefined;
    this.marking.clear();
    Object.assign(this, { entry, address, turn: AS_SENT });
    this.find(".turned").textContent = "";
    for (const fact of ["inverted", "zoom", "turn", "windowCenter", "windowWidth"]) {
      delete this.root.dataset[fact];
    }
    Object.assign(this.root.dataset, { entry, ready: "false" });
    this.find(".remark").textContent = "";
    this.notify("");
    this._refresh();
    const waiting = setTimeout(
      () => this.address === address && this.notify("Loading the film …"),
      300,
    );
    const loaded = await settled(load(address));
    clearTimeout(waiting);
    if (this.address !== address) return;
    this.notify("");
    if (loaded instanceof Error) this._refuse(loaded);
    else this._show(loaded);
  }

  /** @param {Error} error */
  _refuse(error) {
    const known = error instanceof Refusal;
    this.notify(
      known ? error.message : "The film could not be loaded. Reload the page to try again.",
    );
    this.root.dataset.ready = "error";
  }

  /** @param {FilmData} data */
  _show(data) {
    this.data = data;
    const { columns, rows, film_columns, film_rows, windows } = data.header;
    const last = lastViews.of(this.comparison.side, this.entry);
    this._lay(last?.turn ?? AS_SENT);
    this.viewport.reset();
    this.inverted = false;
    offerWindows(this.part("preset"), windows);
    this._bound(data.header);
    this.usePreset(0);
    if (last) this._restore(last);
    fitBox(this.canvas, this.viewport);
    this.find(".remark").textContent =
      columns === film_columns
        ? ""
        : `Shown at ${columns} × ${rows} of ${film_columns} × ${film_rows} pixels`;
    this._changeTable();
    this._draw();
    this.root.dataset.ready = "true";
    this.comparison.join();
    performance.mark("film-visible", { detail: this.entry });
    loadAhead(this.next);
  }

  /** @param {string | null} address */
  async _openHeat(address) {
    this.heatAddress = address;
    this.heatmap = null;
    if (!address) return;
    const loaded = await settled(load(address));
    if (this.heatAddress !== address || loaded instanceof Error) return;
    this.heatmap = new Heatmap(loaded);
    this.heatmap.turn(this.turn);
    this._refresh();
  }

  /** Remember how this film was looked at, should it come back. */
  _remember() {
    if (!this.film || !this.window) return;
    const { entry, preset, window, inverted, turn } = this;
    const { zoom, middle } = this.viewport;
    const view = { entry, preset, window, inverted, turn, place: { zoom, middle } };
    lastViews.remember(this.comparison.side, view);
    this.film.forgetPainting();
  }

  /** @param {View} view */
  _restore({ preset, window, inverted, place }) {
    Object.assign(this, { preset, window, inverted });
    Object.assign(this.viewport, place);
  }

  /** @param {FilmHeader} header */
  _bound({ origin, step, largest }) {
    this.span = Math.max(step * largest, step);
    Object.assign(this.part("center", "input"), { min: origin, max: origin + this.span });
    Object.assign(this.part("width", "input"), { min: this.span / 500, max: 1.5 * this.span });
  }

  // --- how it is shown ---------------------------------------------------------------------

  /** @param {number} index */
  usePreset(index) {
    const window = this.film?.header.windows[index];
    if (!window) return;
    this.preset = index;
    this.setWindow({ ...window });
  }

  /** @param {GreyWindow} window */
  setWindow(window) {
    this.window = { ...window, width: Math.max(window.width, this.span / 500) };
    this._changeTable();
    this._moved();
  }

  _changeTable() {
    if (!this.film || !this.window) return;
    this.film.setTable(lookupTable(this.film.header, this.window, this.inverted));
  }

  /** @param {number} across @param {number} down */
  dragWindow(across, down) {
    if (!this.window) return;
    const pace = Math.max(this.window.width, this.span / 20) / 400;
    const { center, width } = this.window;
    this.setWindow({ ...this.window, center: center + down * pace, width: width + across * pace });
  }

  invert() {
    if (!this.film) return;
    this.inverted = !this.inverted;
    this._changeTable();
    this._moved();
  }

  /** @param {Partial<HeatHabits>} change */
  setHeat(change) {
    Object.assign(this.heat, change);
    writeHabits(this.heat);
    if (this.heat.on) this._sendHeat(); // "off" concerns the next film, and is sent with it
    this._refresh();
  }

  /** Turn the film on the screen; what is scored and measured stays as it was sent.
   * @param {Turn} turn */
  setTurn(turn) {
    if (!this.data) return;
    this._lay(turn);
    this.viewport.reset();
    this._changeTable();
    this._moved();
  }

  /** @param {Turn} turn */
  _lay(turn) {
    if (!this.data) return;
    this.turn = turn;
    this.film = new Film(turnFilm(this.data, turn));
    this.viewport.setFilm(this.film.header.columns, this.film.header.rows);
    this.heatmap?.turn(turn);
    this.find(".turned").textContent = turnWords(turn);
  }

  swapHand() {
    this.windowing = !this.windowing;
    this._refresh();
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] */
  zoom(factor, x = this.canvas.width / 2, y = this.canvas.height / 2) {
    this.viewport.zoomAt(factor, x, y);
    this._moved();
  }

  /** @param {number} scale */
  zoomTo(scale) {
    this.viewport.zoomTo(scale);
    this._moved();
  }

  /** @param {number} across @param {number} down */
  pan(across, down) {
    this.viewport.pan(across, down);
    this._moved();
  }

  fit() {
    this.viewport.reset();
    this._moved();
  }

  reset() {
    if (!this.film) return;
    this.inverted = false;
    if (!changesNothing(this.turn)) this._lay(AS_SENT);
    this.magnifier.set(false);
    this.viewport.reset();
    this.usePreset(0);
  }

  help() {
    const card = this.find("dialog");
    if (card.open) card.close();
    else card.showModal();
  }

  // --- drawing -----------------------------------------------------------------------------

  /** The reader changed what part is seen, or how: another film may go along. */
  _moved() {
    this._refresh();
    this.comparison.announce();
  }

  _refresh() {
    showState(this);
    this.frame ??= requestAnimationFrame(() => this._draw());
  }

  _draw() {
    cancelAnimationFrame(this.frame ?? 0);
    this.frame = null;
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.film) return;
    const { place } = this.viewport;
    const thickness = this.canvas.width / Math.max(this.canvas.clientWidth, 1);
    const paint = (/** @type {Place} */ at, /** @type {Frame} */ within) => {
      this.film?.draw(this.context, at, within);
      this.comparison.draw(this.context, at, within);
      this.heatmap?.draw(this.context, at, this.heat, thickness);
      this.marking.draw(this.context, at, thickness);
    };
    const { width, height } = this.canvas;
    paint(place, { left: 0, top: 0, right: width, bottom: height });
    this.magnifier.draw(this.context, place, paint, thickness);
  }

  /** Send whether heatmaps are shown, if the server assumes otherwise: a verdict may follow them. */
  _sendHeat() {
    if (!this.heatAddress || this.heatKnown === this.heat.on) return;
    this.heatKnown = this.heat.on;
    this.send("heat", { on: this.heat.on });
  }

  // --- hands and keys ----------------------------------------------------------------------

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const key = event.key.toLowerCase();
    const handle = this.ahead.handlerOf(key, handlerOf(this, key, event));
    if (!this.root.isConnected || !handle) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // ours alone: Streamlit would rerun the page on R
    handle();
  }

  /** @param {KeyboardEvent} event */
  _onArrow(event) {
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    const step = this.canvas.width / 10;
    this.pan(way[0] * step, way[1] * step);
  }

  end() {
    this._remember();
    this.stopping.abort();
    this.ahead.goOn();
    this.presses.stop();
    this.marking.marks.stop();
    cancelAnimationFrame(this.frame ?? 0);
    viewers.delete(this.parent);
  }
}

/** Streamlit calls this at first and whenever the page's data or theme changes.
 * @param {ComponentArguments<ViewerData>} component */
export default function mount({ data, parentElement, setStateValue }) {
  let old = viewers.get(parentElement);
  if (old && !old.root.isConnected) {
    old.end();
    old = undefined;
  }
  const viewer = old ?? new Viewer(parentElement);
  viewers.set(parentElement, viewer);
  const call = {};
  viewer.mounted = call;
  viewer.update(data, setStateValue);
  return () => viewer.mounted === call && viewer.end(); // an outdated call must not end it
}
