// Counts the files that a reader chose or dropped, until the server has all of them.

/** Number of the upload whose files are counted, and their number so far. */
let turn = -1;
let chosen = 0;
let areFolders = false;

/** @type {HTMLElement | null} */
let line = null;

function show() {
  if (!line) return;
  const folders = areFolders ? "The files of a folder are" : "";
  const files = chosen === 1 ? "1 file is" : `${chosen.toLocaleString("en")} files are`;
  line.textContent = chosen || areFolders ? `${folders || files} on the way to the server …` : "";
}

/** @param {EventTarget | null} target */
const isUploader = (target) =>
  target instanceof Element && target.closest("[data-testid='stFileUploader']") !== null;

/** @param {Event} event */
function onChange(event) {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || input.type !== "file" || !isUploader(input)) return;
  chosen += input.files?.length ?? 0;
  show();
}

/** @param {DragEvent} event */
function onDrop(event) {
  if (!isUploader(event.target)) return;
  const items = [...(event.dataTransfer?.items ?? [])];
  areFolders ||= items.some((item) => item.webkitGetAsEntry?.()?.isDirectory);
  chosen += event.dataTransfer?.files.length ?? 0;
  show();
}

document.addEventListener("change", onChange, { capture: true });
document.addEventListener("drop", onDrop, { capture: true });

/** Streamlit calls this at first and whenever the upload's number changes.
 * @param {ComponentArguments<{turn: number}>} component */
export default function ({ data, parentElement }) {
  if (data.turn !== turn) {
    turn = data.turn;
    chosen = 0;
    areFolders = false;
  }
  line = parentElement.querySelector("p");
  if (!line) {
    line = document.createElement("p");
    line.setAttribute("role", "status");
    parentElement.appendChild(line);
  }
  show();
}
