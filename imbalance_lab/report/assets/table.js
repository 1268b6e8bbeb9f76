// Sortable tables with a search box.

/**
 * @typedef {Object} Column
 * @property {string} title
 * @property {function(Object): (string|number|null)} value - what rows are sorted by; null comes last.
 * @property {function(Object): (string|Node|Array)} [cell] - what is shown; the value if absent.
 * @property {boolean} [text] - left-aligned.
 * @property {boolean} [wrap] - may break into lines.
 * @property {string} [sorted] - "ascending" or "descending", if the rows come so.
 */

/**
 * Fill an element with a table that sorts by a click on a heading, first down, then up.
 * @param {string} id
 * @param {Column[]} columns
 * @param {Object[]} rows
 * @param {number} most - rows shown at first; a button shows the others.
 * @param {{label: string, text: function(Object): string}} [search] - a box, above, for the rows whose text has what
 * is typed, whatever the case.
 */
function table(id, columns, rows, most = 200, search = undefined) {
  const [head, body, more] = [el("tr"), el("tbody"), el("p", { className: "note more" })];
  let [sorted, matching, shown] = [rows, () => true, most];
  const showAll = () => {
    shown = rows.length;
    fill();
  };
  function fill() {
    const found = sorted.filter(matching);
    body.replaceChildren(...found.slice(0, shown).map((row) => tableRow(columns, row)));
    more.replaceChildren();
    if (found.length > shown) {
      more.append(`${whole(found.length - shown)} more rows. `, el("button", { onclick: showAll }, "Show all"));
    }
    return found.length;
  }
  for (const column of columns) {
    const heading = el("th", { scope: "col", className: column.text ? "text" : "" });
    if (column.sorted) heading.setAttribute("aria-sort", column.sorted);
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
  const section = byId(`${id}-section`);
  const caption = el("caption", { className: "unseen" }, section?.querySelector("h2")?.textContent ?? id);
  const scroller = byId(id);
  scroller.replaceChildren(el("table", {}, caption, el("thead", {}, head), body), more);
  if (search) {
    const box = searchBox(search, (typed) => {
      matching = (row) => search.text(row).toLowerCase().includes(typed);
      return `${whole(fill())} of ${whole(rows.length)}`;
    });
    scroller.before(box);
  }
  showScrolling(scroller);
}

/**
 * @param {{label: string}} search
 * @param {function(string): string} onchange - gets what is typed, in lower case; returns what was found.
 * @returns {HTMLElement}
 */
function searchBox(search, onchange) {
  const found = el("span", { role: "status" });
  const box = el("input", { type: "search", className: "choice", autocomplete: "off", spellcheck: false });
  box.oninput = () => {
    const text = onchange(box.value.trim().toLowerCase());
    found.textContent = box.value.trim() ? text : "";
  };
  return el("div", { className: "choices" }, el("label", {}, search.label, box), found);
}

/**
 * Show by shadows at its sides that an element scrolls sideways; it can then be scrolled by keyboard.
 * @param {HTMLElement} scroller
 */
function showScrolling(scroller) {
  const update = () => {
    const rest = scroller.scrollWidth - scroller.clientWidth - scroller.scrollLeft;
    scroller.classList.toggle("more-right", rest > 1);
    scroller.classList.toggle("more-left", scroller.scrollLeft > 1);
    const scrolls =
      scroller.scrollWidth > scroller.clientWidth + 1 || scroller.scrollHeight > scroller.clientHeight + 1;
    if (scrolls) scroller.tabIndex = 0;
    else scroller.removeAttribute("tabindex");
  };
  scroller.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(scroller);
  if (scroller.firstElementChild) new ResizeObserver(update).observe(scroller.firstElementChild);
  update();
}

/**
 * A name, shortened in the middle; the whole one on hover, and by a click or the Enter key.
 * @param {string} text
 * @param {number} most - characters.
 * @returns {HTMLElement}
 */
function nameCell(text, most = 32) {
  if (text.length <= most) return el("span", { title: text, dir: "auto" }, text || "(no name)");
  const node = el("button", { type: "button", className: "name", title: text, dir: "auto" }, shortened(text, most));
  node.setAttribute("aria-expanded", "false");
  node.setAttribute("aria-label", text);
  node.onclick = () => {
    const open = node.getAttribute("aria-expanded") !== "true";
    node.setAttribute("aria-expanded", String(open));
    node.textContent = open ? text : shortened(text, most);
  };
  return node;
}

/** @param {Column[]} columns @param {Object} row @returns {HTMLElement} */
function tableRow(columns, row) {
  const cells = columns.map((column, i) => {
    const cell = column.cell ? column.cell(row) : String(column.value(row));
    const className = (column.text ? "text " : "") + (column.wrap ? "wrap" : "");
    return el("td", i ? { className } : { className, role: "rowheader" }, ...(Array.isArray(cell) ? cell : [cell]));
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
