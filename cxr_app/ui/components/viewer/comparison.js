// Two films beside each other, each in a viewer of its own: zoom, pan and window go along, and the
// earlier film can be laid over the current one. The viewers of a page meet on its document.

const MEETING = "cxr-films-compared";
const COMPARE_HABITS = "cxr-compare"; // linked, swapped: stored from visit to visit
const BLENDS = ["beside", "overlay", "difference"];

/** A window as a change from the film's own first one: films differ in their grey values.
 * @typedef {{shift: number, stretch: number, name: string}} WindowChange */
/** @typedef {{zoom: number, middle: {x: number, y: number}, inverted: boolean, change: WindowChange}} LinkedView */
/** @typedef {{address: string, window: GreyWindow, inverted: boolean, turn: Turn, blend: string, share: number}} Shown */

/** @param {GreyWindow} window @param {GreyWindow[]} presets @returns {WindowChange} */
function changeOf(window, presets) {
  const [first] = presets;
  const same = presets.find((each) => each.center === window.center && each.width === window.width);
  return {
    shift: (window.center - first.center) / first.width,
    stretch: window.width / first.width,
    name: same?.name ?? "",
  };
}

/** Return the preset of the same name if there is one, else the same change from the first preset.
 * @param {WindowChange} change @param {GreyWindow[]} presets */
function changedWindow({ shift, stretch, name }, presets) {
  const same = presets.findIndex((each) => name && each.name === name);
  if (same >= 0) return { preset: same, window: { ...presets[same] } };
  const [first] = presets;
  const center = first.center + shift * first.width;
  return { preset: 0, window: { ...first, center, width: stretch * first.width } };
}

/** Return the largest place in the middle of another that has a film's own proportions.
 * @param {Place} place @param {{columns: number, rows: number}} film @returns {Place} */
function placeWithin({ x, y, width, height }, { columns, rows }) {
  const scale = Math.min(width / columns, height / rows);
  const [across, down] = [scale * columns, scale * rows];
  return {
    x: x + (width - across) / 2,
    y: y + (height - down) / 2,
    width: across,
    height: down,
    scale,
  };
}

/** @returns {{linked: boolean, swapped: boolean}} */
function readCompareHabits() {
  try {
    const { linked, swapped } = JSON.parse(localStorage.getItem(COMPARE_HABITS) ?? "");
    return { linked: linked !== false, swapped: swapped === true };
  } catch {
    return { linked: true, swapped: false };
  }
}

/** What one viewer of two knows of the other. The earlier film's has the controls. */
class Comparison {
  side = "";
  blend = BLENDS[0];
  share = 0.5;
  habits = readCompareHabits();
  /** @type {Shown | null} */ other = null;
  /** @type {Film | null} */ film = null; // the other's, to lay over this one

  /** @param {any} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    const { signal } = viewer.stopping;
    const on = (/** @type {string} */ name, /** @type {string} */ event, /** @type {any} */ does) =>
      viewer.part(name).addEventListener(event, does, { signal });
    on("linked", "click", () => this._change({ linked: !this.habits.linked }));
    on("swap", "click", () => this._change({ swapped: !this.habits.swapped }));
    on("blend", "change", (/** @type {any} */ { target }) => {
      this._lay({ blend: target.value });
      target.blur(); // so that the next key is a key again
    });
    on("share", "input", (/** @type {any} */ { target }) =>
      this._lay({ share: Number(target.value) }),
    );
    document.addEventListener(
      MEETING,
      (event) => this._hear(/** @type {CustomEvent} */ (event).detail),
      { signal },
    );
    signal.addEventListener("abort", () => this._leave());
  }

  /** @param {string} side `current` or `earlier`; empty for a film alone */
  update(side) {
    if (side !== this.side) {
      this._leave();
      this.side = side;
    }
    this._show();
  }

  /** Take over how the other film is looked at, if there is one. */
  join() {
    if (this.side) this._say({ asks: true });
    this.announce();
  }

  /** Let the other viewer know how this film is looked at. */
  announce() {
    const { film, window, inverted, viewport, root } = this.viewer;
    if (!this.side || !film || !window || root.dataset.ready !== "true") return;
    const { zoom, middle } = viewport;
    const change = changeOf(window, film.header.windows);
    this._sayBlend(); // this film may have been turned
    this._say({
      view: { zoom, middle: { ...middle }, inverted, change },
      linked: this.side === "current" || this.habits.linked,
      shown: this._shown(),
    });
  }

  /** Go on from one way of laying the earlier film over the current one to the next. */
  nextBlend() {
    this._lay({ blend: BLENDS[(BLENDS.indexOf(this.blend) + 1) % BLENDS.length] });
  }

  /** @param {object} message */
  _say(message) {
    const detail = { from: this, side: this.side, ...message };
    document.dispatchEvent(new CustomEvent(MEETING, { detail }));
  }

  /** @param {any} message */
  _hear({ from, side, asks, view, linked, shown, leaves }) {
    if (from === this || !this.side || side === this.side) return;
    if (asks) this.announce();
    if (leaves) this._lose();
    if (shown && this.side === "current") this._layOver(shown);
    if (view && linked && (this.side === "current" || this.habits.linked)) this._follow(view);
  }

  /** @param {LinkedView} view */
  _follow({ zoom, middle, inverted, change }) {
    const { viewer } = this;
    if (!viewer.film) return;
    viewer.viewport.follow(zoom, middle);
    const { preset, window } = changedWindow(change, viewer.film.header.windows);
    Object.assign(viewer, { preset, window, inverted });
    viewer._changeTable();
    viewer._refresh();
    if (this.side === "earlier") this._sayShown();
  }

  /** @returns {Shown} */
  _shown() {
    const { window, inverted, address, turn } = this.viewer;
    return { address, window, inverted, turn, blend: this.blend, share: this.share };
  }

  /** Let the current film's viewer know what to lay over it, after this one followed it. */
  _sayShown() {
    this._say({ shown: this._shown() });
  }

  /** @param {Partial<{linked: boolean, swapped: boolean}>} change */
  _change(change) {
    Object.assign(this.habits, change);
    try {
      localStorage.setItem(COMPARE_HABITS, JSON.stringify(this.habits));
    } catch {
      // The browser stores nothing; the next comparison opens linked.
    }
    if (change.linked) this.join();
    this._show();
  }

  /** @param {Partial<{blend: string, share: number}>} change */
  _lay(change) {
    Object.assign(this, change);
    this._sayShown();
    this._show();
  }

  /** @param {Shown} shown */
  async _layOver(shown) {
    const { address, turn } = shown;
    const is = (/** @type {Shown | null} */ other) =>
      other?.address === address && other.turn === turn;
    const known = this.film && is(this.other);
    this.other = shown;
    if (shown.blend !== "beside" && !known) {
      this.film = null;
      const loaded = await settled(load(address));
      if (!is(this.other) || loaded instanceof Error) return;
      this.film ??= new Film(turnFilm(loaded, turn));
    }
    this._paint();
    this._show();
    this.viewer._refresh();
  }

  /** Give the film that lies over this one the brightness that the reader chose for it. */
  _paint() {
    if (!this.film || !this.other) return;
    const { window, inverted, blend } = this.other;
    const negative = blend === "difference"; // half of each: grey where both are alike
    this.film.setTable(lookupTable(this.film.header, window, inverted !== negative));
  }

  _lose() {
    this.other = this.film = null;
    this._show();
    this.viewer._refresh();
  }

  _leave() {
    if (this.side) this._say({ leaves: true });
    if (this.side === "earlier") delete document.documentElement.dataset.filmsSwapped;
    this.other = this.film = null;
    this.blend = BLENDS[0];
  }

  _show() {
    const { viewer, side, habits, other } = this;
    const controls = side === "earlier";
    viewer.find(".compare").hidden = !controls;
    if (side) viewer.root.dataset.side = side;
    else delete viewer.root.dataset.side;
    setPressed(viewer.part("linked"), habits.linked);
    setPressed(viewer.part("swap"), habits.swapped);
    viewer.part("blend").value = this.blend;
    viewer.part("share").hidden = this.blend !== "overlay";
    viewer.part("share").value = this.share;
    if (controls) {
      document.documentElement.dataset.filmsSwapped = String(habits.swapped);
      viewer.root.dataset.linked = String(habits.linked);
    }
    viewer.root.dataset.blend = (other ?? this).blend;
    this._sayBlend();
  }

  _sayBlend() {
    const { other, viewer } = this;
    const line = viewer.find(".blend");
    const words = other ? blendWords(other, viewer.turn) : "";
    if (line.textContent !== words) line.textContent = words; // else it is read out once more
  }

  /** Draw the earlier film over the current one.
   * @param {CanvasRenderingContext2D} context @param {Place} place of the current film
   * @param {Frame} seen */
  draw(context, place, seen) {
    if (!this.film || !this.other || this.other.blend === "beside") return;
    const differs = this.other.blend === "difference";
    const inner = placeWithin(place, this.film.header);
    context.save();
    context.globalAlpha = differs ? 0.5 : this.other.share;
    this.film.draw(context, inner, seen);
    context.restore();
    if (!differs) return;
    context.beginPath(); // what only one of the films shows is no difference
    context.rect(place.x, place.y, place.width, place.height);
    context.rect(inner.x, inner.y, inner.width, inner.height);
    context.fill("evenodd");
  }
}

/** @param {{blend: string, share: number, turn: Turn}} shown
 * @param {Turn} own of the film that lies below */
function blendWords({ blend, share, turn }, own) {
  const note = isSameTurn(turn, own)
    ? "not registered"
    : "not registered, and turned or mirrored differently";
  if (blend === "overlay")
    return `Earlier film over this one, ${Math.round(100 * share)} % (${note})`;
  if (blend === "difference") return `Difference: grey as before, lighter or darker now (${note})`;
  return "";
}
