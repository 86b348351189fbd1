// The controls around the film, and what the reader chose in them before.

const HABITS = "cxr-heat"; // heat and lungs on or off, style, opacity: stored from visit to visit

/** @typedef {{on: boolean, outline: boolean | undefined, opacity: number, lungs: boolean}} HeatHabits */

/** @param {Element} button @param {unknown} on */
const setPressed = (button, on) => button.setAttribute("aria-pressed", String(Boolean(on)));

/** Write a number with three digits, or whole if it is large.
 * @param {number} value */
const short = (value) =>
  Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));

/** Fill the list of keys on the help card.
 * @param {Element} list
 * @param {[string, string][]} keys */
function listKeys(list, keys) {
  list.replaceChildren(
    ...keys.flatMap(([key, effect]) => {
      const [term, text] = [document.createElement("dt"), document.createElement("dd")];
      [term.textContent, text.textContent] = [key, effect];
      return [term, text];
    }),
  );
}

/** @param {HTMLSelectElement} select @param {GreyWindow[]} windows */
function offerWindows(select, windows) {
  const options = windows.map(({ name }, index) => {
    const text = index < 5 ? `${index + 1}  ${name}` : name;
    return new Option(text, String(index)); // text, never markup: names come from files
  });
  const own = new Option("By hand", "own");
  own.hidden = true;
  select.replaceChildren(...options, own);
}

/** @returns {Partial<HeatHabits>} */
function readHabits() {
  try {
    const { on, outline, opacity, lungs } = JSON.parse(localStorage.getItem(HABITS) ?? "");
    const bounded = Math.min(Math.max(Number(opacity) || 0.4, 0.1), 1);
    const shown = { on: on !== false, outline: outline !== false, lungs: lungs === true };
    return { ...shown, opacity: bounded };
  } catch {
    return {}; // nothing stored yet, or the browser stores nothing
  }
}

/** @param {HeatHabits} habits */
function writeHabits(habits) {
  try {
    localStorage.setItem(HABITS, JSON.stringify(habits));
  } catch {
    // The browser stores nothing; the next film opens as the first did.
  }
}

/** Give the viewer the whole screen, or take it away.
 * @param {HTMLElement} root */
function swapFullScreen(root) {
  if (document.fullscreenElement) document.exitFullscreen();
  else root.requestFullscreen?.().catch(() => {}); // where a frame or a policy forbids it
}

/** What a click on each control does.
 * @type {Record<string, (viewer: any) => void>} */
const BUTTONS = {
  heat: (viewer) => viewer.setHeat({ on: !viewer.heat.on }),
  outline: (viewer) => viewer.setHeat({ outline: !viewer.heat.outline }),
  lungs: (viewer) => viewer.setHeat({ lungs: !viewer.heat.lungs }),
  invert: (viewer) => viewer.invert(),
  hand: (viewer) => viewer.swapHand(),
  in: (viewer) => viewer.zoom(1.25),
  out: (viewer) => viewer.zoom(0.8),
  actual: (viewer) => viewer.zoomTo(1),
  fit: (viewer) => viewer.fit(),
  reset: (viewer) => viewer.reset(),
  length: (viewer) => viewer.marking.choose("length"),
  angle: (viewer) => viewer.marking.choose("angle"),
  ratio: (viewer) => viewer.marking.choose("ratio"),
  key_image: (viewer) => viewer.marking.keepView(),
  full: (viewer) => swapFullScreen(viewer.root),
  left: (viewer) => viewer.setTurn(turnedBy(viewer.turn, -1)),
  right: (viewer) => viewer.setTurn(turnedBy(viewer.turn, 1)),
  flip: (viewer) => viewer.setTurn({ ...viewer.turn, mirrored: !viewer.turn.mirrored }),
  magnify: (viewer) => viewer.magnifier.set(!viewer.magnifier.on),
  help: (viewer) => viewer.help(),
};

/** Show in the controls, and for tests in data attributes, how the film is shown.
 * @param {any} viewer */
function showState(viewer) {
  const { film, window, viewport, heat } = viewer;
  const data = viewer.root.dataset;
  for (const control of viewer.root.querySelectorAll(".bar :is(button, select, input)")) {
    /** @type {HTMLButtonElement} */ (control).disabled = !film;
  }
  viewer.part("help").disabled = false;
  data.hand = viewer.windowing ? "window" : "pan";
  setPressed(viewer.part("hand"), viewer.windowing);
  showHeat(viewer);
  if (!film || !window) {
    for (const output of viewer.root.querySelectorAll("output")) output.value = "";
    viewer.part("actual").textContent = "";
    viewer.part("preset").replaceChildren();
    return;
  }
  data.inverted = String(viewer.inverted);
  setPressed(viewer.part("invert"), viewer.inverted);
  data.zoom = viewport.zoom.toFixed(3);
  data.turn = `${viewer.turn.quarters}${viewer.turn.mirrored ? "m" : ""}`;
  setPressed(viewer.part("flip"), viewer.turn.mirrored);
  const share = (viewport.scale * film.header.columns) / film.header.film_columns;
  const percent = `${Math.round(100 * share)} %`;
  viewer.part("actual").textContent = percent;
  viewer.part("actual").setAttribute("aria-label", `${percent}: click for one to one`);
  data.windowCenter = String(window.center);
  data.windowWidth = String(window.width);
  for (const name of /** @type {const} */ (["center", "width"])) {
    viewer.part(name, "input").value = window[name];
    viewer.part(name, "output").value = short(window[name]);
  }
  const { center, width } = film.header.windows[viewer.preset];
  const isPreset = window.center === center && window.width === width;
  viewer.part("preset").value = isPreset ? viewer.preset : "own";
  data.heatStyle = heat.outline ? "outline" : "colour";
}

/** @param {any} viewer */
function showHeat(viewer) {
  const { heat, heatmap } = viewer;
  const some = Boolean(heatmap && !heatmap.empty);
  viewer.root.dataset.heat = !heatmap ? "none" : heatmap.empty ? "empty" : heat.on ? "on" : "off";
  setPressed(viewer.part("heat"), heat.on && some);
  setPressed(viewer.part("outline"), heat.outline);
  const lungs = Boolean(heatmap?.lungs.length);
  viewer.root.dataset.lungs = !lungs ? "none" : heat.lungs ? "on" : "off";
  setPressed(viewer.part("lungs"), heat.lungs && lungs);
  viewer.part("lungs").disabled = viewer.part("lungs").hidden = !lungs;
  for (const name of ["heat", "outline", "opacity"]) viewer.part(name).disabled = !some;
  const isKnown = viewer.heatAddress || viewer.note;
  for (const name of ["heat", "outline", "opacity"]) viewer.part(name).hidden = !isKnown;
  viewer.part("opacity").value = heat.opacity;
  viewer.find(".legend").hidden = !some || !heat.on || heat.outline;
  viewer.find(".note").textContent = heatmap ? heatNote(heatmap, heat) : viewer.note;
}

/** @param {Heatmap} heatmap @param {HeatHabits} heat */
function heatNote(heatmap, heat) {
  if (heatmap.empty) return "No area stands out";
  const isUnseen = heat.on && heat.outline && !heatmap.outline.length;
  return isUnseen ? "Too faint to outline" : "";
}

/** Act on the controls, keys and hands until the viewer ends.
 * @param {any} viewer */
function listen(viewer) {
  const { signal } = viewer.stopping;
  /** @param {string} name @param {string} event @param {(control: any) => void} handle
   * @param {string} [tag] */
  const on = (name, event, handle, tag) =>
    viewer.part(name, tag).addEventListener(event, (/** @type {Event} */ e) => handle(e.target), {
      signal,
    });
  for (const [name, action] of Object.entries(BUTTONS)) on(name, "click", () => action(viewer));
  on("preset", "change", (control) => {
    viewer.usePreset(Number(control.value));
    control.blur(); // so that the next key is a key again
  });
  on("opacity", "input", (control) => viewer.setHeat({ opacity: Number(control.value) }));
  for (const name of ["center", "width"]) {
    const change = (/** @type {any} */ control) => {
      if (viewer.window) viewer.setWindow({ ...viewer.window, [name]: Number(control.value) });
    };
    on(name, "input", change, "input");
  }
  const onKey = (/** @type {KeyboardEvent} */ event) => viewer.onKey(event);
  document.addEventListener("keydown", onKey, { signal, capture: true });
  const onClick = (/** @type {MouseEvent} */ event) => sendClick(viewer, event);
  document.addEventListener("click", onClick, { signal, capture: true });
  document.addEventListener("change", releaseKeys, { signal });
  viewer.canvas.addEventListener(
    "keydown",
    (/** @type {KeyboardEvent} */ event) => viewer._onArrow(event),
    { signal },
  );
  const stop = followHand(viewer.canvas, {
    pan: (across, down) => viewer.pan(across, down),
    windowing: (across, down) => viewer.dragWindow(across, down),
    zoom: (factor, x, y) => viewer.zoom(factor, x, y),
    reset: () => viewer.fit(),
    windowsByLeftDrag: () => viewer.windowing,
  });
  signal.addEventListener("abort", stop);
  watchSize(viewer);
}
