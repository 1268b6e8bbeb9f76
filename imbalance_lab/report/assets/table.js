// Sortable tables.

/**
 * @typedef {Object} Column
 * @property {string} title
 * @property {function(Object): (string|number|null)} value - what rows are sorted by; null comes last.
 * @property {function(Object): (string|Node|Array)} [cell] - what is shown; the value if absent.
 * @property {boolean} [text] - left-aligned.
 * @property {boolean} [wrap] - may break into lines.
 */

/**
 * Fill an element with a table that sorts by a click on a heading, first down, then up.
 * @param {string} id
 * @param {Column[]} columns
 * @param {Object[]} rows
 * @param {number} most - rows shown at first; a button shows the others.
 */
function table(id, columns, rows, most = 200) {
  const [head, body, more] = [el("tr"), el("tbody"), el("p", { className: "note" })];
  let [sorted, shown] = [rows, most];
  const showAll = () => {
    shown = rows.length;
    fill();
  };
  function fill() {
    body.replaceChildren(...sorted.slice(0, shown).map((row) => tableRow(columns, row)));
    more.replaceChildren();
    if (rows.length > shown) {
      more.append(`${whole(rows.length - shown)} more rows. `, el("button", { onclick: showAll }, "Show all"));
    }
  }
  for (const column of columns) {
    const heading = el("th", { scope: "col", className: column.text ? "text" : "" });
    const sort = () => {
      const ascending = heading.getAttribute("aria-sort") === "descending";
      for (const other of head.children) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sorted = sortRows(sorted, column, ascending);
      fill();
    };
    heading.append(el("button", { type: "button", onclick: sort }, column.title));
    head.append(heading);
  }
  fill();
  byId(id).replaceChildren(el("table", {}, el("thead", {}, head), body), more);
}

/** @param {Column[]} columns @param {Object} row @returns {HTMLElement} */
function tableRow(columns, row) {
  const cells = columns.map((column) => {
    const cell = column.cell ? column.cell(row) : String(column.value(row));
    const className = (column.text ? "text " : "") + (column.wrap ? "wrap" : "");
    return el("td", { className }, ...(Array.isArray(cell) ? cell : [cell]));
  });
  return el("tr", {}, ...cells);
}

/** @param {Object[]} rows @param {Column} column @param {boolean} ascending @returns {Object[]} a sorted copy */
function sortRows(rows, column, ascending) {
  const rank = (row) => column.value(row) ?? Number.NEGATIVE_INFINITY;
  return [...rows].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    const order = typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
    return ascending ? order : -order;
  });
}
