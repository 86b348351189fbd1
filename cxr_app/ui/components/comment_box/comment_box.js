// The comment on a film. A draft belongs to its film: it is stored by Enter alone, is still there
// when the reader comes back to the film, and is never seen at another one.

/** Drafts by film, as long as this page is open.
 * @type {Map<string, string>} */
const drafts = new Map();

// The browser asks before it closes or reloads the page, which would lose them.
addEventListener("beforeunload", (event) => {
  if ([...drafts.values()].some((draft) => draft.trim())) event.preventDefault();
});

/** Where Streamlit mounts us -> its box.
 * @type {WeakMap<HTMLElement, CommentBox>} */
const boxes = new WeakMap();

class CommentBox {
  entry = "";

  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.field = document.createElement("textarea");
    this.field.className = "film-comment";
    this.field.rows = 1;
    this.field.setAttribute("aria-label", "Comment");
    parent.appendChild(this.field);
    this.comments = new Sender(this.field, "comments");
    this.field.addEventListener("input", () => this._keepDraft());
    this.field.addEventListener("keydown", (event) => this._onKey(event));
  }

  /** @param {CommentData} data @param {(name: string, value: unknown) => void} send */
  update({ entry, acknowledged, longest, hint }, send) {
    this.comments.send = send;
    this.comments.acknowledge(acknowledged);
    Object.assign(this.field, { maxLength: longest, placeholder: hint });
    if (entry === this.entry) return;
    this.entry = entry;
    this.field.dataset.entry = entry;
    this.field.value = drafts.get(entry) ?? "";
    if (document.activeElement === this.field) this.field.blur(); // typing belonged to the other film
    this._fit();
  }

  _keepDraft() {
    drafts.set(this.entry, this.field.value);
    this._fit();
  }

  /** Grow with the text, up to the height that the style allows. */
  _fit() {
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight + 2}px`;
  }

  /** Enter stores and gives the keys back; Esc gives them back and keeps the draft.
   * @param {KeyboardEvent} event */
  _onKey(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this._store();
    } else if (event.key !== "Escape") return;
    this.field.blur();
  }

  _store() {
    const text = this.field.value.trim();
    if (text) this.comments.add({ entry: this.entry, text });
    this.field.value = "";
    this._keepDraft();
  }
}

/** Streamlit calls this at first and whenever the film changes or a comment was acknowledged.
 * @param {ComponentArguments<CommentData>} component */
export default function ({ data, parentElement, setStateValue }) {
  const old = boxes.get(parentElement);
  const box = old?.field.isConnected ? old : new CommentBox(parentElement);
  boxes.set(parentElement, box);
  box.update(data, setStateValue);
  return () => box.comments.stop();
}
