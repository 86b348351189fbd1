// Which columns of a table a reader sees, in which order and how wide: kept in this browser.

const COLUMNS_KEPT = "chest-film-triage-columns:"; // in the browser's storage, and the table's name
const NARROWEST = 2; // rem

/** @typedef {{order: string[], hidden: string[], widths: Record<string, number>}} ColumnHabits */

/** @param {string} table @returns {ColumnHabits} */
function readColumnHabits(table) {
  try {
    const kept = JSON.parse(localStorage.getItem(COLUMNS_KEPT + table) ?? "{}");
    return { order: kept.order ?? [], hidden: kept.hidden ?? [], widths: kept.widths ?? {} };
  } catch {
    return { order: [], hidden: [], widths: {} }; // a browser that stores nothing, or something else
  }
}

/** @param {string} table @param {ColumnHabits} habits */
function writeColumnHabits(table, habits) {
  try {
    localStorage.setItem(COLUMNS_KEPT + table, JSON.stringify(habits));
  } catch {
    // they last as long as this page
  }
}

/** Return all columns in the reader's order and widths; one that is new comes last.
 * @param {HeadColumn[]} columns @param {ColumnHabits} habits @returns {HeadColumn[]} */
function orderedColumns(columns, { order, widths }) {
  const place = (/** @type {HeadColumn} */ { id }) =>
    order.includes(id) ? order.indexOf(id) : order.length;
  return columns
    .map((column) => ({ ...column, width: Math.max(widths[column.id] ?? column.width, NARROWEST) }))
    .sort((one, other) => place(one) - place(other)); // stable
}

/** Return the columns to draw: without those hidden, and those without a value in any row.
 * @param {HeadColumn[]} columns @param {FilmRow[]} rows @param {ColumnHabits} habits
 * @param {string} sort the name sorted by, whose head ends the sorting */
function drawnColumns(columns, rows, habits, sort) {
  const hasValue = (/** @type {string} */ id) => rows.some((row) => row[id] || row[id] === 0);
  const shown = orderedColumns(columns, habits).filter(
    (column) =>
      (column.sort && column.sort === sort) ||
      (!habits.hidden.includes(column.id) && (hasValue(column.id) || !rows.length)),
  );
  return shown.length ? shown : columns;
}

let stampTaken = 0; // of the saved view whose columns this page has taken over last

/** Return the columns of a saved view if it was not taken over yet, else nothing.
 * @param {WantedColumns | null | undefined} wanted @returns {ColumnHabits | undefined} */
function newlyWanted(wanted) {
  if (!wanted || wanted.stamp <= stampTaken) return undefined;
  stampTaken = wanted.stamp;
  return { order: wanted.order ?? [], hidden: wanted.hidden ?? [], widths: wanted.widths ?? {} };
}

/** The card in which a reader chooses and orders the columns. */
class ColumnCard {
  /** @param {HTMLElement} root @param {() => void} onChange */
  constructor(root, onChange) {
    this.onChange = onChange;
    this.card = document.createElement("dialog");
    this.card.setAttribute("aria-label", "Columns");
    this.card.innerHTML =
      '<h2>Columns</h2><ol></ol><form method="dialog"><button type="button" name="default">' +
      "As at first</button><button>Close</button></form>";
    this.list = /** @type {HTMLOListElement} */ (this.card.querySelector("ol"));
    this.card.querySelector("[name=default]")?.addEventListener("click", () => {
      this.habits = { order: [], hidden: [], widths: {} };
      this._changed();
    });
    // The page around has keys of its own, and the table moves its rows by arrows.
    this.card.addEventListener("keydown", (event) => event.stopPropagation());
    root.appendChild(this.card);
    this.table = "";
    /** @type {HeadColumn[]} */
    this.columns = [];
    /** @type {ColumnHabits} */
    this.habits = { order: [], hidden: [], widths: {} };
  }

  /** @param {string} table @param {HeadColumn[]} columns @param {WantedColumns | null} [wanted] */
  about(table, columns, wanted) {
    if (table !== this.table) this.habits = readColumnHabits(table);
    Object.assign(this, { table, columns });
    const habits = newlyWanted(wanted);
    if (!habits) return;
    this.habits = habits;
    writeColumnHabits(table, habits);
  }

  open() {
    this._draw();
    this.card.showModal();
  }

  /** @param {string} id @param {number} width in rem; 0 for the width at first */
  widen(id, width) {
    if (width) this.habits.widths[id] = Math.max(width, NARROWEST);
    else delete this.habits.widths[id];
    this._changed();
  }

  _changed() {
    writeColumnHabits(this.table, this.habits);
    if (this.card.open) this._draw();
    this.onChange();
  }

  _draw() {
    this.list.replaceChildren(...orderedColumns(this.columns, this.habits).map(this._line, this));
  }

  /** @param {HeadColumn} column @param {number} at @param {HeadColumn[]} all */
  _line({ id, label }, at, all) {
    const line = document.createElement("li");
    const name = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = !this.habits.hidden.includes(id);
    box.addEventListener("change", () => {
      const others = this.habits.hidden.filter((each) => each !== id);
      this.habits.hidden = box.checked ? others : [...others, id];
      this._changed();
    });
    name.append(box, label);
    line.append(
      name,
      this._move("↑", label, at, at - 1, all),
      this._move("↓", label, at, at + 1, all),
    );
    return line;
  }

  /** @param {string} sign @param {string} label @param {number} from @param {number} to
   * @param {HeadColumn[]} all */
  _move(sign, label, from, to, all) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = sign;
    button.disabled = to < 0 || to >= all.length;
    button.setAttribute("aria-label", `${label} ${sign === "↑" ? "earlier" : "later"}`);
    button.addEventListener("click", () => {
      const ids = all.map((each) => each.id);
      ids.splice(to, 0, ...ids.splice(from, 1));
      this.habits.order = ids;
      this._changed();
      const lines = /** @type {NodeListOf<HTMLButtonElement>} */ (
        this.list.children[to].querySelectorAll("button")
      );
      const next = [...lines].find((each) => each.textContent === sign && !each.disabled);
      (next ?? lines[0]).focus();
    });
    return button;
  }
}

/** Return the grip at the end of a head by which its column is made wider or narrower.
 * @param {HTMLElement} cell @param {number} width of the column now, in rem
 * @param {(width: number) => void} onWidth */
function widthGrip(cell, width, onWidth) {
  const grip = document.createElement("i");
  grip.title = "Drag to change the width; double click for the width at first";
  grip.addEventListener("click", (event) => event.stopPropagation()); // does not sort
  grip.addEventListener("dblclick", () => onWidth(0));
  grip.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const [from, pixels] = [event.clientX, cell.getBoundingClientRect().width];
    grip.setPointerCapture(event.pointerId);
    const end = (/** @type {PointerEvent} */ { clientX }) => {
      if (Math.abs(clientX - from) > 3) onWidth((width * (pixels + clientX - from)) / pixels);
    };
    grip.addEventListener("pointerup", end, { once: true });
  });
  return grip;
}
