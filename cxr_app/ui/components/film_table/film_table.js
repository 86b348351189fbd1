// A table of films. A row is its film's id: clicking or Enter opens that very film, whatever the
// order was or has become since. Text goes in as text, never as markup.

const LOOK = 50; // milliseconds from one look whether the page rests to the next
const AGAIN = 6000; // until an unanswered gesture is told again
const TRIES = 4;
const tables = new WeakMap(); // where Streamlit mounts us -> FilmTable

class FilmTable {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "films";
    this.root.innerHTML = "<table><thead><tr></tr></thead><tbody></tbody></table>";
    this.table = this.root.querySelector("table");
    this.head = this.root.querySelector("thead tr");
    this.body = this.root.querySelector("tbody");
    this.current = null; // id of the row that the arrow keys stand on
    parent.appendChild(this.root);
    this.body.addEventListener("click", (event) => this._open(event.target.closest("tr")));
    this.body.addEventListener("focusin", (event) => this._standOn(event.target.closest("tr")));
    this.root.addEventListener("keydown", (event) => this._key(event));
    this.head.addEventListener("click", (event) => this._sort(event.target.closest("th")));
  }

  update({ label, columns, rows, sort, descending, height }, tell) {
    this.setTrigger = tell;
    if (this.asked?.name === "sorted") this._settle();
    this.sort = sort;
    this.descending = descending;
    this.table.setAttribute("aria-label", label);
    this.root.style.setProperty("--films-height", height || "none");
    this._drawHead(columns);
    this._drawRows(columns, rows);
    if (!this.greeted && rows.length) this._greet();
  }

  // --- drawing: only what changed, so that nothing blinks and the hand keeps its place ---------

  _drawHead(columns) {
    const drawn = JSON.stringify(columns);
    if (drawn !== this.drawnHead) {
      const whole = columns.reduce((sum, { width }) => sum + width, 0);
      this.table.style.minWidth = `${whole}rem`;
      this.head.replaceChildren(...columns.map((column) => headCell(column, column.width / whole)));
    }
    this.drawnHead = drawn;
    for (const cell of this.head.children) {
      const direction = this.descending ? "descending" : "ascending";
      if (cell.dataset.sort && cell.dataset.sort === this.sort) cell.setAttribute("aria-sort", direction);
      else cell.removeAttribute("aria-sort");
    }
  }

  _drawRows(columns, rows) {
    const old = new Map([...this.body.children].map((row) => [row.dataset.film, row]));
    const place = [...this.body.children].findIndex((row) => row.dataset.film === this.current);
    const held = this.root.getRootNode().activeElement?.dataset?.film;
    const drawn = rows.map((row) => drawRow(old.get(row.id), row, columns));
    drawn.forEach((row, index) => {
      if (this.body.children[index] !== row) this.body.insertBefore(row, this.body.children[index]);
    });
    while (this.body.children.length > drawn.length) this.body.lastChild.remove();
    const next = this._row(this.current) ?? drawn[Math.min(Math.max(place, 0), drawn.length - 1)];
    this._standOn(next ?? null);
    if (held) next?.focus({ preventScroll: true }); // moving a row takes its focus away
  }

  _row(id) {
    return [...this.body.children].find((row) => row.dataset.film === id);
  }

  _standOn(row) {
    for (const other of this.body.children) other.tabIndex = other === row ? 0 : -1;
    this.current = row?.dataset.film ?? null;
  }

  /** The first rows: the arrow keys work at once, unless the reader is already somewhere else. */
  _greet() {
    this.greeted = true;
    const painted = () => performance.mark("films-visible"); // the frame after has begun
    requestAnimationFrame(() => requestAnimationFrame(painted));
    const typing = document.activeElement?.closest("input, textarea, select");
    if (!typing) this._row(this.current)?.focus({ preventScroll: true });
  }

  // --- the reader's hand ---------------------------------------------------------------------

  /** Tell the page's script of a gesture, when it rests, until it is answered: by another page, or
   * another order. */
  tell(name, value) {
    this._settle();
    let [due, tries] = [performance.now(), 0];
    const send = () => {
      if (!this.root.isConnected || tries === TRIES) return this._settle();
      if (!atRest() || performance.now() < due) return;
      due = performance.now() + AGAIN;
      tries += 1;
      this.setTrigger(name, value);
    };
    this.asked = { name, timer: setInterval(send, LOOK) };
    send();
  }

  _settle() {
    clearInterval(this.asked?.timer);
    this.asked = null;
  }

  _open(row) {
    if (row && !getSelection()?.toString()) this.tell("opened", row.dataset.film);
  }

  _sort(cell) {
    if (!cell?.dataset.sort) return;
    const { sort } = cell.dataset;
    const first = cell.dataset.first === "descending";
    const again = this.sort === sort;
    if (again && this.descending !== first) this.tell("sorted", { sort: "", descending: false });
    else this.tell("sorted", { sort, descending: again ? !this.descending : first });
  }

  _key(event) {
    const row = event.target.closest("tbody tr");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...this.body.children];
    const at = rows.indexOf(row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1, PageDown: at + 10, PageUp: at - 10 };
    if (event.key === "Enter" || event.key === " ") this._open(row);
    else if (event.key in to) {
      const next = rows[Math.min(Math.max(to[event.key], 0), rows.length - 1)];
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
    } else return;
    event.preventDefault();
  }
}

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

function drawRow(old, row, columns) {
  const drawn = JSON.stringify([row, columns]);
  const element = old ?? document.createElement("tr");
  if (element.drawn === drawn) return element;
  element.drawn = drawn;
  element.dataset.film = row.id;
  element.className = row.tone ?? "";
  element.replaceChildren(...columns.map((column) => bodyCell(column, row)));
  return element;
}

function bodyCell({ id, kind }, row) {
  const cell = document.createElement("td");
  Object.assign(cell.dataset, { column: id, kind });
  const value = row[id] ?? "";
  if (kind !== "share") cell.textContent = cell.title = value;
  else if (value) cell.appendChild(share(value));
  return cell;
}

/** A bar of 0 to 1 with its operating point marked, and the number as words. */
function share({ value, words, mark }) {
  const bar = document.createElement("div");
  bar.className = "share";
  bar.innerHTML = '<div class="track"><div class="fill"></div></div><div class="number"></div>';
  bar.querySelector(".fill").style.width = `${value * 100}%`;
  bar.querySelector(".number").textContent = words;
  if (mark) {
    const line = document.createElement("div");
    line.className = "mark";
    line.style.left = `${mark * 100}%`;
    bar.querySelector(".track").appendChild(line);
  }
  return bar;
}

export default function ({ data, parentElement, setTriggerValue }) {
  if (!tables.has(parentElement)) tables.set(parentElement, new FilmTable(parentElement));
  tables.get(parentElement).update(data, setTriggerValue);
}
