// A table of films. A row is its film's id: clicking or Enter opens that very film, whatever the
// order was or has become since. Text goes in as text, never as markup.

const INTERVAL = 50; // milliseconds between two checks whether the page's script is idle
const RESEND = 6000; // until an unanswered gesture is sent again
const TRIES = 4;
const NO_COLUMNS = JSON.stringify({ order: [], hidden: [], widths: {} });

/** Where Streamlit mounts us -> its table.
 * @type {WeakMap<HTMLElement, FilmTable>} */
const tables = new WeakMap();

/** @typedef {HTMLTableRowElement & {drawn?: string}} DrawnRow */

class FilmTable {
  /** @type {{name: string, timer: ReturnType<typeof setInterval>} | null} */ asked = null;
  /** @type {string | null} */ current = null; // id of the row that the arrow keys are at
  /** @type {(name: string, value: unknown) => void} */ setTrigger = () => {};
  /** @type {(name: string, value: unknown) => void} */ setState = () => {};
  /** @type {ReturnType<typeof setInterval> | undefined} */ telling = undefined;
  told = NO_COLUMNS; // the columns that the page's script knows
  drawnHead = "";
  greeted = false;
  sort = "";
  descending = false;
  /** @type {TableData | null} */ data = null;
  /** @type {Set<string>} */ previewed = new Set(); // ids of the rows that are opened

  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "films";
    this.root.innerHTML = "<table><thead><tr></tr></thead><tbody></tbody></table>";
    this.table = /** @type {HTMLTableElement} */ (this.root.querySelector("table"));
    this.head = /** @type {HTMLTableRowElement} */ (this.root.querySelector("thead tr"));
    this.body = /** @type {HTMLTableSectionElement} */ (this.root.querySelector("tbody"));
    parent.appendChild(this.root);
    this.card = new ColumnCard(parent, () => {
      if (this.data) this._draw(this.data);
      this._reportColumns();
    });
    this.body.addEventListener("click", (event) => this._onClick(event));
    this.body.addEventListener("focusin", (event) => this._moveTo(closest(event, "tr")));
    this.root.addEventListener("keydown", (event) => this._onKey(event));
    this.head.addEventListener("click", (event) => this._sort(closest(event, "th")));
  }

  /** @param {TableData} data @param {(name: string, value: unknown) => void} setTrigger
   * @param {(name: string, value: unknown) => void} setState */
  update(data, setTrigger, setState) {
    this.setTrigger = setTrigger;
    this.setState = setState;
    if (this.asked?.name === "sorted") this._settle();
    Object.assign(this, { data, sort: data.sort, descending: data.descending });
    this.table.setAttribute("aria-label", data.label);
    this.root.style.setProperty("--films-height", data.height || "none");
    this.card.about(data.label, data.columns, data.wanted);
    this._draw(data);
    if (!this.greeted && data.rows.length) this._greet();
    if (data.previews) this._reportColumns();
  }

  /** Let the page's script know the reader's columns, which a saved view keeps, once it is idle. */
  _reportColumns() {
    const { order, hidden, widths } = this.card.habits;
    const told = JSON.stringify({ order, hidden, widths });
    if (told === this.told) return;
    clearInterval(this.telling);
    this.telling = setInterval(() => {
      if (!this.root.isConnected) return clearInterval(this.telling);
      if (!atRest() || !untouched(INTERVAL)) return;
      clearInterval(this.telling);
      this.told = told;
      this.setState("columns", JSON.parse(told));
    }, INTERVAL);
  }

  /** @param {TableData} data */
  _draw({ columns, rows, sort, previews }) {
    const drawn = previews ? drawnColumns(columns, rows, this.card.habits, sort) : columns;
    this._drawHead(drawn, Boolean(previews));
    this._drawRows(drawn, rows);
  }

  // --- drawing: only what changed, so that nothing blinks and the pointer keeps its row --------

  /** @param {HeadColumn[]} columns @param {boolean} canChoose whether the reader chooses columns */
  _drawHead(columns, canChoose) {
    const drawn = JSON.stringify(columns);
    if (drawn !== this.drawnHead) {
      const whole = columns.reduce((sum, { width }) => sum + width, 0);
      this.table.style.minWidth = `${whole}rem`;
      const cells = columns.map((column) => headCell(column, column.width / whole));
      if (canChoose) {
        cells.forEach((cell, index) => {
          const { id, width } = columns[index];
          cell.appendChild(widthGrip(cell, width, (wanted) => this.card.widen(id, wanted)));
        });
        cells.unshift(chooserCell(() => this.card.open()));
      }
      this.head.replaceChildren(...cells);
    }
    this.drawnHead = drawn;
    for (const cell of this.head.cells) {
      const direction = this.descending ? "descending" : "ascending";
      if (cell.dataset.sort && cell.dataset.sort === this.sort)
        cell.setAttribute("aria-sort", direction);
      else cell.removeAttribute("aria-sort");
    }
  }

  /** @param {HeadColumn[]} columns @param {FilmRow[]} rows */
  _drawRows(columns, rows) {
    const old = new Map(this._rows().map((row) => [row.dataset.film, row]));
    const place = this._rows().findIndex((row) => row.dataset.film === this.current);
    const root = /** @type {Document | ShadowRoot} */ (this.root.getRootNode());
    const focused = root.activeElement instanceof HTMLTableRowElement;
    const previews = this.data?.previews;
    const drawn = rows.map((row) => {
      const open = previews ? this.previewed.has(row.id) : undefined;
      return drawRow(old.get(row.id), row, columns, open);
    });
    const lines = drawn.flatMap((row, index) =>
      previews && this.previewed.has(rows[index].id)
        ? [row, this._previewOf(row, rows[index], columns.length + 1, previews)]
        : [row],
    );
    lines.forEach((row, index) => {
      if (this.body.rows[index] !== row) this.body.insertBefore(row, this.body.rows[index] ?? null);
    });
    while (this.body.rows.length > lines.length) this.body.deleteRow(-1);
    const next = this._row(this.current) ?? drawn[Math.min(Math.max(place, 0), drawn.length - 1)];
    this._moveTo(next ?? null);
    if (focused) next?.focus({ preventScroll: true }); // moving a row takes its focus away
  }

  /** The rows of films, without those of previews. */
  _rows() {
    return [...this.body.rows].filter((row) => row.dataset.film);
  }

  /** @param {string | null} id */
  _row(id) {
    return this._rows().find((row) => row.dataset.film === id);
  }

  /** Return the preview below a row, drawn anew only if the row was.
   * @param {DrawnRow} row @param {FilmRow} film @param {number} span @param {string} pictures */
  _previewOf(row, film, span, pictures) {
    const below = /** @type {DrawnRow | null} */ (row.nextElementSibling);
    const drawn = `${row.drawn}${span}`;
    if (below?.className === "preview" && below.drawn === drawn) return below;
    const line = /** @type {DrawnRow} */ (
      previewRow(film, this.data?.columns ?? [], span, pictures)
    );
    line.drawn = drawn;
    return line;
  }

  /** Open or close the preview of a row.
   * @param {HTMLElement} row @param {boolean} [open] */
  _preview(row, open = !this.previewed.has(row.dataset.film ?? "")) {
    const id = row.dataset.film;
    if (!id || !this.data?.previews) return;
    if (open) this.previewed.add(id);
    else this.previewed.delete(id);
    this._draw(this.data);
  }

  /** Make a row the one that the arrow keys are at.
   * @param {HTMLElement | null} row */
  _moveTo(row) {
    if (row && !row.dataset.film) return;
    for (const other of this._rows()) other.tabIndex = other === row ? 0 : -1;
    this.current = row?.dataset.film ?? null;
  }

  /** The first rows: the arrow keys work at once, unless the reader is typing elsewhere. */
  _greet() {
    this.greeted = true;
    const painted = () => performance.mark("films-visible"); // the frame after has begun
    requestAnimationFrame(() => requestAnimationFrame(painted));
    const typing = document.activeElement?.closest("input, textarea, select");
    if (!typing) this._row(this.current)?.focus({ preventScroll: true });
  }

  // --- the reader's hand ---------------------------------------------------------------------

  /** Send a gesture when the page's script is idle, until it is answered: by another page, or another
   * order.
   * @param {string} name @param {unknown} value */
  send(name, value) {
    this._settle();
    let [due, tries] = [performance.now(), 0];
    const attempt = () => {
      if (!this.root.isConnected || tries === TRIES) return this._settle();
      if (!atRest() || performance.now() < due) return;
      due = performance.now() + RESEND;
      tries += 1;
      this.setTrigger(name, value);
    };
    this.asked = { name, timer: setInterval(attempt, INTERVAL) };
    attempt();
  }

  /** Stop sending. */
  _settle() {
    clearInterval(this.asked?.timer);
    this.asked = null;
  }

  /** @param {MouseEvent} event */
  _onClick(event) {
    const row = closest(event, "tr[data-film]");
    if (row && closest(event, ".toggle")) this._preview(row);
    else this._open(row);
  }

  /** @param {HTMLElement | null} row */
  _open(row) {
    if (row && !getSelection()?.toString()) this.send("opened", row.dataset.film);
  }

  /** The first click sorts, the second reverses, the third ends it.
   * @param {HTMLElement | null} cell */
  _sort(cell) {
    if (!cell?.dataset.sort) return;
    const { sort } = cell.dataset;
    const first = cell.dataset.first === "descending";
    const again = this.sort === sort;
    if (again && this.descending !== first) this.send("sorted", { sort: "", descending: false });
    else this.send("sorted", { sort, descending: again ? !this.descending : first });
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    const row = closest(event, "tbody tr[data-film]");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = this._rows();
    const at = rows.indexOf(/** @type {HTMLTableRowElement} */ (row));
    /** @type {Record<string, number>} */
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: at + 10,
      PageUp: at - 10,
    };
    if (event.key === "Enter" || event.key === " ") this._open(row);
    else if (event.key === "ArrowRight") this._preview(row, true);
    else if (event.key === "ArrowLeft") this._preview(row, false);
    else if (event.key in to) {
      const next = rows[Math.min(Math.max(to[event.key], 0), rows.length - 1)];
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
    } else return;
    event.preventDefault();
  }
}

/** @param {Event} event @param {string} selector @returns {HTMLElement | null} */
const closest = ({ target }, selector) =>
  target instanceof Element ? target.closest(selector) : null;

/** @param {HeadColumn} column @param {number} part of the table's width */
function headCell({ id, label, sort, first, kind, help }, part) {
  const cell = document.createElement("th");
  cell.scope = "col";
  cell.title = help;
  cell.style.width = `${part * 100}%`;
  Object.assign(cell.dataset, { column: id, sort, first, kind });
  const inner = document.createElement(sort ? "button" : "span");
  inner.textContent = label;
  cell.appendChild(inner);
  return cell;
}

/** The head of the first column, by which the others are chosen.
 * @param {() => void} onClick */
function chooserCell(onClick) {
  const cell = document.createElement("th");
  cell.className = "chooser";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "☰";
  button.title = "Choose, order and widen the columns";
  button.setAttribute("aria-label", "Choose columns");
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    onClick();
  });
  cell.appendChild(button);
  return cell;
}

/** @param {DrawnRow | undefined} old @param {FilmRow} row @param {HeadColumn[]} columns
 * @param {boolean} [open] whether its preview is; undefined if it has none
 * @returns {DrawnRow} */
function drawRow(old, row, columns, open) {
  const drawn = JSON.stringify([row, columns, open]);
  /** @type {DrawnRow} */
  const element = old ?? document.createElement("tr");
  if (element.drawn === drawn) return element;
  element.drawn = drawn;
  element.dataset.film = row.id;
  element.className = row.tone ?? "";
  const cells = columns.map((column) => bodyCell(column, row));
  if (open !== undefined) {
    const first = document.createElement("td");
    first.appendChild(previewButton(open));
    cells.unshift(first);
  }
  element.replaceChildren(...cells);
  return element;
}

/** @param {HeadColumn} column @param {FilmRow} row */
function bodyCell({ id, kind }, row) {
  const cell = document.createElement("td");
  Object.assign(cell.dataset, { column: id, kind });
  const value = row[id] ?? "";
  if (kind !== "share") cell.textContent = cell.title = value;
  else if (value) cell.appendChild(share(value));
  return cell;
}

/** Draw a bar of 0 to 1 with its operating point marked, and the number as text.
 * @param {{value: number, words: string, mark?: number | null}} share */
function share({ value, words, mark }) {
  const bar = document.createElement("div");
  bar.className = "share";
  bar.innerHTML = '<div class="track"><div class="fill"></div></div><div class="number"></div>';
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (bar.querySelector(name));
  part(".fill").style.width = `${value * 100}%`;
  part(".number").textContent = words;
  if (mark) {
    const line = document.createElement("div");
    line.className = "mark";
    line.style.left = `${mark * 100}%`;
    part(".track").appendChild(line);
  }
  return bar;
}

/** Streamlit calls this at first and whenever the page's data change.
 * @param {ComponentArguments<TableData>} component */
export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  const table = tables.get(parentElement) ?? new FilmTable(parentElement);
  tables.set(parentElement, table);
  table.update(data, setTriggerValue, setStateValue);
}
