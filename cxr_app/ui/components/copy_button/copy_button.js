// Copies a text into the clipboard, by its button or by a key.

const SAID = 2500; // milliseconds for which it says that the text was copied

/** @typedef {{label: string, text: string, shortcut: string}} CopyData */

/** Where Streamlit mounts us -> what to copy now.
 * @type {WeakMap<HTMLElement, {button: HTMLButtonElement, data: CopyData}>} */
const copiers = new WeakMap();

/** Without HTTPS a browser has no clipboard for scripts, but still the old command.
 * @param {string} text */
function copyByCommand(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  document.body.appendChild(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

/** @param {string} text @returns {Promise<boolean>} */
const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByCommand(text);
  }
};

/** @param {HTMLElement} place */
async function onCopy(place) {
  const copier = copiers.get(place);
  if (!copier) return;
  const done = await copy(copier.data.text);
  copier.button.textContent = done ? "Copied" : "Not copied: select the text instead";
  setTimeout(() => {
    copier.button.textContent = copier.data.label;
  }, SAID);
}

/** @param {KeyboardEvent} event */
const isTyped = ({ target }) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox])"));

/** @param {HTMLElement} place */
function start(place) {
  const button = document.createElement("button");
  button.type = "button";
  button.addEventListener("click", () => onCopy(place));
  place.appendChild(button);
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    if (!button.isConnected) return document.removeEventListener("keydown", onKey);
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyped(event)) return;
    if (event.key.toLowerCase() === copiers.get(place)?.data.shortcut) onCopy(place);
  };
  document.addEventListener("keydown", onKey);
  return button;
}

/** Streamlit calls this at first and whenever the text changes.
 * @param {ComponentArguments<CopyData>} component */
export default function ({ data, parentElement }) {
  const button = copiers.get(parentElement)?.button ?? start(parentElement);
  copiers.set(parentElement, { button, data });
  button.textContent = data.label;
  button.setAttribute("aria-keyshortcuts", data.shortcut.toUpperCase());
}
