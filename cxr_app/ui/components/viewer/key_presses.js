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
};
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
