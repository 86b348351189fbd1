// Keys of the viewer and of the page around it.

/** Keys that click a control, by the control's name.
 * @type {Record<string, string>} */
const KEYS = {
  h: "heat",
  o: "outline",
  g: "lungs",
  i: "invert",
  l: "hand",
  "+": "in",
  "=": "in",
  "-": "out",
  0: "fit",
  r: "reset",
  d: "length",
  a: "angle",
  j: "ratio",
  f: "full",
  "?": "help",
  "*": "key_image",
  ",": "left",
  ".": "right",
  6: "flip",
  7: "magnify",
  8: "blend",
  9: "linked",
};
const OF_THE_PAGE = ["heat", "outline", "lungs", "length", "angle", "ratio", "key_image", "help"]; // one film's
const REPEATING = ["in", "out"]; // controls that a held key clicks again and again

/** Directions to pan in, across and down.
 * @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Return whether a key belongs to a field that the reader types in.
 * @param {Event} event */
function isTyping(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName)) return true;
  const clickable = ["range", "checkbox", "radio", "button"];
  return target instanceof HTMLInputElement && !clickable.includes(target.type);
}

/** Leave a checkbox of the frame once it was used: Streamlit's buttons ignore keys in a field.
 * @param {Event} event */
function releaseKeys({ target }) {
  if (target instanceof HTMLInputElement && target.type === "checkbox") target.blur();
}

/** @param {string} selector */
function focusOn(selector) {
  const field = document.querySelector(selector);
  if (field instanceof HTMLElement) field.focus();
}

/** Return what a key does in this viewer, if anything. Of two viewers, the one that has the focus
 * changes its view; all else is the current film's, but for the controls that only the other has.
 * @param {any} viewer @param {string} key @param {KeyboardEvent} event
 * @returns {(() => void) | undefined} */
function handlerOf(viewer, key, event) {
  const { ahead, comparison, entry, focusKeys, scriptKeys } = viewer;
  const name = KEYS[key];
  const preset = "12345".indexOf(key);
  const focus = event.composedPath().find((each) => isViewer(each));
  const isOther = comparison.side === "earlier";
  if (key.length === 1 && scriptKeys.includes(key)) {
    return () => event.repeat || ahead.send(key, entry);
  }
  if (focusKeys[key]) return () => focusOn(focusKeys[key]);
  if (name && viewer.part(name).closest(".compare")) return isOther ? press : undefined;
  const mine = OF_THE_PAGE.includes(name) || !focus ? !isOther : focus === viewer.root;
  if (!mine) return undefined;
  if (preset >= 0) return () => viewer.usePreset(preset);
  return name ? press : undefined;

  function press() {
    if (name === "blend") comparison.nextBlend();
    else if (!event.repeat || REPEATING.includes(name)) viewer.part(name).click();
  }
}

/** Send a click on a button that stands for a key.
 * @param {any} viewer @param {MouseEvent} event */
function sendClick(viewer, event) {
  const press = pressOf(event.target, viewer.clicks);
  if (!viewer.root.isConnected || !press) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // Streamlit would send it, too
  viewer.ahead.send(...press);
}

/** Return the key that a clicked button stands for, and the entry that is named on the button.
 * @param {EventTarget | null} target @param {Record<string, string>} clicks
 * @returns {[string, string] | undefined} */
function pressOf(target, clicks) {
  const button = target instanceof Element ? target.closest("button:not(:disabled)") : null;
  for (const name of button?.closest("[class*='st-key-']")?.classList ?? []) {
    const [, begin, entry] = name.match(/^st-key-(.+)_([^_]+)$/) ?? [];
    if (clicks[begin]) return [clicks[begin], entry];
  }
  return undefined;
}

/** @param {EventTarget} target */
const isViewer = (target) => target instanceof HTMLElement && target.classList.contains("viewer");
