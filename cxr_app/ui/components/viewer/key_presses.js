// Keys that the page's script acts on: each is sent with the film in view, until it is acknowledged.

const PRESSES_HELD = 40;
const RESEND = 1500; // milliseconds until a press that was not acknowledged is sent again

/** Keys not yet acted on by the page's script, each with the film it was pressed at.
 * @type {{number: number, key: string, entry: string}[]} */
let presses = [];
let lastNumber = Date.now(); // of a press: grows over reloads too

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

/** Sends presses to the page's script. All viewers share them: a viewer that Streamlit has put in the
 * place of another goes on sending what was not acknowledged. */
class PressSender {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {(name: string, value: unknown) => void} */
    this.send = () => {};
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** Send a key with the film in view: whatever the script is drawing meanwhile, a verdict goes to
   * that film. Earlier presses go along, in case one was lost.
   * @param {string} key @param {string} entry */
  add(key, entry) {
    lastNumber += 1;
    presses = [...presses, { number: lastNumber, key, entry }].slice(-PRESSES_HELD);
    this._sendAll();
  }

  /** Drop what the script has acted on: a restarted server must not get it again.
   * @param {number} number of the last press that was acted on */
  acknowledge(number) {
    presses = presses.filter((press) => press.number > number);
    if (presses.length) this._sendLater();
  }

  stop() {
    clearTimeout(this.timer);
  }

  _sendAll(again = false) {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.root.isConnected || !presses.length) return;
    if (!again || atRest()) {
      this.send("presses", { list: presses, told: performance.now() }); // the time makes it a new one
    }
    this._sendLater();
  }

  _sendLater() {
    this.timer ??= setTimeout(() => this._sendAll(true), RESEND);
  }
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
