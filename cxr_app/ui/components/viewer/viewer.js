// The film viewer: state, controls and keys. Nothing here asks the server for anything but the
// film and its heatmap; every change of the picture is made in the browser.

const ROOM_BELOW = 24; // pixels between the viewer and the window's lower edge
const HABITS = "cxr-heat"; // heat on or off, its style and opacity: kept from film to film
const viewers = new WeakMap(); // where Streamlit mounts us -> Viewer
const PRESSES_KEPT = 40;
let presses = []; // keys not yet acted on by the page's script, each with the film it was pressed at
const AGAIN = 1500; // milliseconds until a press that was not heard is told again
let pressed = Date.now(); // number of the last press: grows over reloads too
let lastView = {}; // how the film last on screen was looked at, should Streamlit mount us anew

const ready = (promise) => promise.catch((error) => error);
const short = (value) => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

class Viewer {
  constructor(parent) {
    this.parent = parent;
    this.root = parent.querySelector(".viewer");
    this.canvas = this.root.querySelector("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.viewport = new Viewport();
    this.stopping = new AbortController();
    this.page = (parent.host ?? parent).closest("[data-testid='stMain']"); // what scrolls
    this.heat = { on: true, outline: false, opacity: 0.6, ...readHabits() };
    this.root.querySelector(".legend i").style.backgroundImage = heatGradient();
    this._listen();
  }

  part(name, tag = "") {
    return this.root.querySelector(`${tag}[name="${name}"]`);
  }

  say(text) {
    this.root.querySelector(".notice").textContent = text;
  }

  // --- films -------------------------------------------------------------------------------

  /** Show what the page asks for; the same film stays as it is being looked at. */
  async update({ entry, film, heat, next, note, keys, focus, acts, heard, heatOn }, tell) {
    this.note = note ?? "";
    this.next = next ?? [];
    this.focus = focus ?? {};
    this.acts = acts ?? "";
    this.tell = tell;
    if (acts) this._hear(heard ?? 0);
    this.toldHeat ??= heatOn;
    this.part("help").hidden = !keys?.length;
    listKeys(this.root.querySelector("dialog dl"), keys ?? []);
    if (entry !== this.entry) this._open(entry, film);
    if (heat !== this.heatAddress) this._openHeat(heat);
    this._tellHeat();
    this._refresh();
  }

  async _open(entry, address) {
    this._remember();
    this.film = this.window = this.heatmap = null; // never one patient's film by another's name
    this.heatAddress = undefined;
    this.entry = entry;
    for (const fact of ["inverted", "zoom", "windowCenter", "windowWidth"]) delete this.root.dataset[fact];
    Object.assign(this.root.dataset, { entry, ready: "false" });
    this.root.querySelector(".remark").textContent = "";
    this.say("");
    this._refresh();
    const waiting = setTimeout(() => this.entry === entry && this.say("Loading the film …"), 300);
    const loaded = await ready(load(address));
    clearTimeout(waiting);
    if (this.entry !== entry) return;
    this.say("");
    if (loaded instanceof Error) this._refuse(loaded);
    else this._show(new Film(loaded));
  }

  _refuse(error) {
    const known = error instanceof Refusal;
    this.say(known ? error.message : "The film could not be brought here. Reload the page to try again.");
    this.root.dataset.ready = "error";
  }

  _show(film) {
    this.film = film;
    const { columns, rows, film_columns, film_rows, windows } = film.header;
    this.viewport.setFilm(columns, rows);
    this.viewport.reset();
    this.inverted = false;
    offerWindows(this.part("preset"), windows);
    this._bound(film.header);
    this.usePreset(0);
    if (lastView.entry === this.entry) this._lookAgain(lastView);
    this._fitBox();
    this.root.querySelector(".remark").textContent =
      columns === film_columns ? "" : `Shown at ${columns} × ${rows} of ${film_columns} × ${film_rows} pixels`;
    this._changeTable();
    this._draw();
    this.root.dataset.ready = "true";
    performance.mark("film-visible", { detail: this.entry });
    for (const address of this.next) load(address).catch(() => {}); // prepared ahead; may fail quietly
  }

  async _openHeat(address) {
    this.heatAddress = address;
    this.heatmap = null;
    if (!address) return;
    const loaded = await ready(load(address));
    if (this.heatAddress !== address || loaded instanceof Error) return;
    this.heatmap = new Heatmap(loaded);
    this._refresh();
  }

  /** Keep how this film was looked at, should it come back. */
  _remember() {
    if (!this.film) return;
    const { entry, preset, window, inverted } = this;
    const { zoom, middle } = this.viewport;
    lastView = { entry, preset, window, inverted, place: { zoom, middle } };
    this.film.forgetPainting();
  }

  _lookAgain({ preset, window, inverted, place }) {
    Object.assign(this, { preset, window, inverted });
    Object.assign(this.viewport, place);
  }

  _bound({ origin, step, largest }) {
    this.span = Math.max(step * largest, step);
    Object.assign(this.part("center", "input"), { min: origin, max: origin + this.span });
    Object.assign(this.part("width", "input"), { min: this.span / 500, max: 1.5 * this.span });
  }

  // --- how it is shown ---------------------------------------------------------------------

  usePreset(index) {
    const window = this.film?.header.windows[index];
    if (!window) return;
    this.preset = index;
    this.setWindow({ ...window });
  }

  setWindow(window) {
    this.window = { ...window, width: Math.max(window.width, this.span / 500) };
    this._changeTable();
    this._refresh();
  }

  _changeTable() {
    this.film.setTable(lookupTable(this.film.header, this.window, this.inverted));
  }

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
    this._refresh();
  }

  setHeat(change) {
    Object.assign(this.heat, change);
    writeHabits(this.heat);
    if (this.heat.on) this._tellHeat(); // that it is off concerns the next film, and is told with it
    this._refresh();
  }

  swapHand() {
    this.windowing = !this.windowing;
    this._refresh();
  }

  zoom(factor, x = this.canvas.width / 2, y = this.canvas.height / 2) {
    this.viewport.zoomAt(factor, x, y);
    this._refresh();
  }

  zoomTo(scale) {
    this.viewport.zoomTo(scale);
    this._refresh();
  }

  pan(across, down) {
    this.viewport.pan(across, down);
    this._refresh();
  }

  fit() {
    this.viewport.reset();
    this._refresh();
  }

  reset() {
    if (!this.film) return;
    this.inverted = false;
    this.viewport.reset();
    this.usePreset(0);
  }

  help() {
    const card = this.root.querySelector("dialog");
    if (card.open) card.close();
    else card.showModal();
  }

  // --- drawing -----------------------------------------------------------------------------

  _refresh() {
    this._showState();
    this.frame ??= requestAnimationFrame(() => this._draw());
  }

  _draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.film) return;
    const { place } = this.viewport;
    this.film.draw(this.context, place);
    if (!this.heatmap || !this.heat.on || this.heatmap.empty) return;
    const thickness = this.canvas.width / Math.max(this.canvas.clientWidth, 1);
    if (this.heat.outline) this.heatmap.drawOutline(this.context, place, this.heat.opacity, thickness);
    else this.heatmap.drawColour(this.context, place, this.heat.opacity);
  }

  /** Say whether heatmaps are shown, where the server takes it otherwise: a verdict may follow them. */
  _tellHeat() {
    if (!this.heatAddress || this.toldHeat === this.heat.on) return;
    this.toldHeat = this.heat.on;
    this.tell("heat", { on: this.heat.on });
  }

  _fitBox() {
    const ratio = globalThis.devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.viewport.setBox(width, height);
  }

  /** Say in the controls, and to tests in data attributes, how the film is shown. */
  _showState() {
    const { film, window, viewport, heat } = this;
    const data = this.root.dataset;
    for (const control of this.root.querySelectorAll(".bar :is(button, select, input)")) control.disabled = !film;
    this.part("help").disabled = false;
    data.hand = this.windowing ? "window" : "pan";
    press(this.part("hand"), this.windowing);
    this._showHeat();
    if (!film || !window) {
      for (const output of this.root.querySelectorAll("output")) output.value = "";
      this.part("actual").textContent = "";
      this.part("preset").replaceChildren();
      return;
    }
    data.inverted = Boolean(this.inverted);
    press(this.part("invert"), this.inverted);
    data.zoom = viewport.zoom.toFixed(3);
    const share = (viewport.scale * film.header.columns) / film.header.film_columns;
    this.part("actual").textContent = `${Math.round(100 * share)} %`;
    data.windowCenter = window.center;
    data.windowWidth = window.width;
    for (const name of ["center", "width"]) {
      this.part(name, "input").value = window[name];
      this.part(name, "output").value = short(window[name]);
    }
    const { center, width } = film.header.windows[this.preset];
    this.part("preset").value = window.center === center && window.width === width ? this.preset : "own";
    data.heatStyle = heat.outline ? "outline" : "colour";
  }

  _showHeat() {
    const { heat, heatmap } = this;
    const some = Boolean(heatmap && !heatmap.empty);
    this.root.dataset.heat = !heatmap ? "none" : heatmap.empty ? "empty" : heat.on ? "on" : "off";
    press(this.part("heat"), heat.on && some);
    press(this.part("outline"), heat.outline);
    for (const name of ["heat", "outline", "opacity"]) this.part(name).disabled = !some;
    for (const name of ["outline", "opacity"]) this.part(name).hidden = !some;
    this.part("heat").hidden = !this.heatAddress && !this.note;
    this.part("opacity").value = heat.opacity;
    this.root.querySelector(".legend").hidden = !some || heat.outline;
    this.root.querySelector(".note").textContent = heatmap?.empty ? "No area stands out" : heatmap ? "" : this.note;
  }

  /** Reach down to the window's lower edge, whatever stands above. */
  _fillWindow() {
    const above = this.root.getBoundingClientRect().top + (this.page?.scrollTop ?? 0) + ROOM_BELOW;
    this.root.style.setProperty("--above", `${Math.ceil(above)}px`);
  }

  // --- hands and keys ----------------------------------------------------------------------

  _listen() {
    const { signal } = this.stopping;
    const on = (name, event, does, tag) =>
      this.part(name, tag).addEventListener(event, (e) => does(e.target), { signal });
    for (const [name, action] of Object.entries(BUTTONS)) on(name, "click", () => action(this));
    on("preset", "change", (control) => {
      this.usePreset(Number(control.value));
      control.blur(); // so that the next key is a key again
    });
    on("opacity", "input", (control) => this.setHeat({ opacity: Number(control.value) }));
    for (const name of ["center", "width"]) {
      on(name, "input", (control) => this.setWindow({ ...this.window, [name]: Number(control.value) }), "input");
    }
    document.addEventListener("keydown", (event) => this._key(event), { signal, capture: true });
    // A switch of the frame lets go of the keys once it was used: Streamlit's buttons heed none in a field.
    document.addEventListener("change", ({ target }) => target.type === "checkbox" && target.blur(), { signal });
    this.canvas.addEventListener("keydown", (event) => this._arrow(event), { signal });
    const stop = followHand(this.canvas, {
      pan: (across, down) => this.pan(across, down),
      windowing: (across, down) => this.dragWindow(across, down),
      zoom: (factor, x, y) => this.zoom(factor, x, y),
      reset: () => this.fit(),
      windowsByLeftDrag: () => this.windowing,
    });
    signal.addEventListener("abort", stop);
    const watching = new ResizeObserver(() => {
      this._fitBox();
      this._showState();
      this._draw(); // in the same frame, so that a resized canvas is never seen blank
    });
    watching.observe(this.canvas);
    const placing = new ResizeObserver(() => this._fillWindow());
    placing.observe(this.page?.firstElementChild ?? document.body);
    globalThis.addEventListener("resize", () => this._fillWindow(), { signal });
    this._fillWindow();
    signal.addEventListener("abort", () => {
      watching.disconnect();
      placing.disconnect();
    });
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const key = event.key.toLowerCase();
    const name = KEYS[key];
    const preset = "12345".indexOf(event.key);
    const acts = key.length === 1 && this.acts.includes(key);
    if (!this.root.isConnected || (!name && preset < 0 && !this.focus[key] && !acts)) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // ours alone: Streamlit would rerun the page on R
    if (acts) this._press(key, event.repeat);
    else if (this.focus[key]) document.querySelector(this.focus[key])?.focus();
    else if (preset >= 0) this.usePreset(preset);
    else if (!event.repeat || name === "in" || name === "out") this.part(name).click();
  }

  /** Tell the page's script of a key, with the film that the reader has in sight: whatever the script
   * is drawing meanwhile, a verdict goes to that film. Earlier presses are told along, lest one is lost. */
  _press(key, repeated) {
    if (repeated) return;
    presses = [...presses, { number: ++pressed, key, entry: this.entry }].slice(-PRESSES_KEPT);
    this._tellPresses();
  }

  /** Forget what the script has acted on: a server that was started anew must not be told it again.
   * What it has not, a viewer that Streamlit has put in the place of another goes on telling. */
  _hear(heard) {
    presses = presses.filter(({ number }) => number > heard);
    if (presses.length) this._tellPressesLater();
  }

  _tellPresses(again = false) {
    clearTimeout(this.telling);
    this.telling = undefined;
    if (!this.root.isConnected || !presses.length) return;
    if (again && !atRest()) return this._tellPressesLater();
    this.tell("presses", { list: presses, told: performance.now() }); // the time makes it a new one
    this._tellPressesLater();
  }

  _tellPressesLater() {
    this.telling ??= setTimeout(() => this._tellPresses(true), AGAIN);
  }

  _arrow(event) {
    const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    this.pan(...way.map((step) => (step * this.canvas.width) / 10));
  }

  end() {
    this._remember();
    this.stopping.abort();
    clearTimeout(this.telling);
    cancelAnimationFrame(this.frame);
    viewers.delete(this.parent);
  }
}

const BUTTONS = {
  heat: (viewer) => viewer.setHeat({ on: !viewer.heat.on }),
  outline: (viewer) => viewer.setHeat({ outline: !viewer.heat.outline }),
  invert: (viewer) => viewer.invert(),
  hand: (viewer) => viewer.swapHand(),
  in: (viewer) => viewer.zoom(1.25),
  out: (viewer) => viewer.zoom(0.8),
  actual: (viewer) => viewer.zoomTo(1),
  fit: (viewer) => viewer.fit(),
  reset: (viewer) => viewer.reset(),
  help: (viewer) => viewer.help(),
};
const KEYS = { h: "heat", o: "outline", i: "invert", l: "hand", "+": "in", "=": "in", "-": "out", 0: "fit", r: "reset", "?": "help" };

function listKeys(list, keys) {
  list.replaceChildren(
    ...keys.flatMap(([key, does]) => {
      const [term, text] = [document.createElement("dt"), document.createElement("dd")];
      [term.textContent, text.textContent] = [key, does];
      return [term, text];
    }),
  );
}

function offerWindows(select, windows) {
  const options = windows.map(({ name }, index) => {
    const text = index < 5 ? `${index + 1}  ${name}` : name;
    return new Option(text, index); // text, never markup: names come from files
  });
  const own = new Option("By hand", "own");
  own.hidden = true;
  select.replaceChildren(...options, own);
}

function isTyping(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName)) return true;
  return target.tagName === "INPUT" && !["range", "checkbox", "radio", "button"].includes(target.type);
}

const press = (button, on) => button.setAttribute("aria-pressed", String(Boolean(on)));

function readHabits() {
  try {
    const { on, outline, opacity } = JSON.parse(sessionStorage.getItem(HABITS));
    return { on: on !== false, outline: outline === true, opacity: Math.min(Math.max(Number(opacity) || 0.6, 0.1), 1) };
  } catch {
    return {}; // nothing kept yet, or the browser keeps nothing
  }
}

function writeHabits(habits) {
  try {
    sessionStorage.setItem(HABITS, JSON.stringify(habits));
  } catch {
    // The browser keeps nothing; the next film then opens as the first did.
  }
}

/** Streamlit calls this at first and whenever the page's data or theme changes. */
export default function mount({ data, parentElement, setStateValue }) {
  let viewer = viewers.get(parentElement);
  if (viewer && !viewer.root.isConnected) {
    viewer.end();
    viewer = null;
  }
  viewer ??= new Viewer(parentElement);
  viewers.set(parentElement, viewer);
  const turn = (viewer.turn = {});
  viewer.update(data, setStateValue);
  return () => viewer.turn === turn && viewer.end(); // a stale call must not end the living viewer
}
