// A row opened to a preview: a small picture of the film, and every value in full.

/** @param {FilmRow} row @param {HeadColumn[]} columns @param {number} span
 * @param {string} pictures where the small pictures are; empty for none */
function previewRow(row, columns, span, pictures) {
  const line = document.createElement("tr");
  line.className = "preview";
  const cell = document.createElement("td");
  cell.colSpan = span;
  const box = document.createElement("div");
  if (pictures) box.appendChild(smallPicture(`${pictures}${row.id}/small`));
  box.appendChild(factsOf(row, columns));
  cell.appendChild(box);
  line.appendChild(cell);
  return line;
}

/** @param {string} address */
function smallPicture(address) {
  const picture = document.createElement("img");
  picture.src = address;
  picture.alt = "The film, small";
  picture.addEventListener("error", () => picture.replaceWith("No picture"), { once: true });
  return picture;
}

/** @param {FilmRow} row @param {HeadColumn[]} columns */
function factsOf(row, columns) {
  const facts = document.createElement("dl");
  for (const { id, label } of columns) {
    const value = row[id]?.words ?? row[id];
    if (!value) continue;
    const [name, text] = [document.createElement("dt"), document.createElement("dd")];
    name.textContent = label;
    text.textContent = value;
    facts.append(name, text);
  }
  return facts;
}

/** The button at the head of a row that opens and closes its preview.
 * @param {boolean} open */
function previewButton(open) {
  const button = document.createElement("button");
  button.type = "button";
  button.tabIndex = -1; // the arrow keys do the same at the row
  button.className = "toggle";
  button.textContent = open ? "▾" : "▸";
  button.setAttribute("aria-label", open ? "Close the preview" : "Preview");
  return button;
}
