// The recall of slices as a forest plot in a table; the data come from imbalance_lab/report/slices_payload.py.
const FOREST = { width: 160, height: 22, margin: 6 };
const FINDINGS = {
  worse: ["worse", "bad"],
  better: ["better", "good"],
  "too few positives": ["too few positives", "few"],
};

/** Make an SVG element. @param {string} tag @param {Object} attributes @returns {SVGElement} */
function svg(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** Where a recall stands in a forest plot. @param {number} recall @returns {number} pixels */
const forestX = (recall) => FOREST.margin + recall * (FOREST.width - 2 * FOREST.margin);

/**
 * Dot and interval of a slice's recall, its diamond, and the line of all examples.
 * @param {Object} row @param {number} overall
 * @returns {SVGElement}
 */
function forest(row, overall) {
  const [middle, drawn] = [FOREST.height / 2, svg("svg", { ...FOREST, class: `forest ${row.finding.split(" ")[0]}` })];
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", `recall ${number(row.recall.value)} ${range(row.recall.ci95)}`);
  drawn.append(svg("line", { class: "all", x1: forestX(overall), x2: forestX(overall), y1: 0, y2: FOREST.height }));
  if (row.recall.value === null) return drawn;
  const [low, high] = row.recall.ci95.map(forestX);
  drawn.append(svg("line", { class: "whisker", x1: low, x2: high, y1: middle, y2: middle }));
  const [x, size] = [forestX(row.shrunken_recall), 4.5];
  const corners = `${x},${middle - size} ${x + size},${middle} ${x},${middle + size} ${x - size},${middle}`;
  drawn.append(svg("polygon", { class: "shrunken", points: corners }));
  drawn.append(svg("circle", { class: "raw", cx: forestX(row.recall.value), cy: middle, r: 4 }));
  return drawn;
}

/** The scale above the forest plots. @returns {HTMLElement} */
function forestScale() {
  const drawn = svg("svg", { width: FOREST.width, height: 14, class: "forest" });
  for (const [at, anchor] of [
    [0, "start"],
    [0.5, "middle"],
    [1, "end"],
  ]) {
    const tick = svg("text", { x: at === 0 ? 0 : at === 1 ? FOREST.width : forestX(at), y: 11, "text-anchor": anchor });
    tick.textContent = String(at);
    drawn.append(tick);
  }
  return drawn;
}

/** @param {Object} row - a slice. @param {number} overall - recall of all examples. @returns {HTMLElement} */
function sliceRow(row, overall) {
  const [text, className] = FINDINGS[row.finding] || [null, ""];
  const hint =
    row.adjusted_p === null
      ? "no outcome of so few positives would show a difference"
      : `p = ${number(row.adjusted_p, 4)} after Holm`;
  const flag = text && el("span", { className: `flag ${className}`, title: hint }, text);
  const cells = [
    [el("span", { title: row.value }, shortened(row.value, 26)), flag],
    [forest(row, overall)],
    [number(row.recall.value), el("small", {}, range(row.recall.ci95))],
    [whole(row.n_positive)],
    [whole(row.n)],
    [number(row.shrunken_recall)],
    [number(row.fpr.value), el("small", {}, range(row.fpr.ci95))],
    [number(row.precision.value), el("small", {}, range(row.precision.ci95))],
    [number(row.auroc.value), el("small", {}, range(row.auroc.ci95))],
  ];
  return el(
    "tr",
    {},
    ...cells.map((cell, i) => el("td", { className: i === 1 ? "drawn" : "" }, ...cell.filter(Boolean))),
  );
}

/** @param {Object} ofClass - the slices of one class. @returns {HTMLElement} */
function sliceTable(ofClass) {
  const titles = [
    "value",
    null,
    "recall [95 %, simultaneous]",
    "positives",
    "test",
    "drawn to all",
    "false positives",
    "precision",
    "AUROC",
  ];
  const headings = titles.map((title) =>
    el("th", { scope: "col", className: title ? "" : "drawn" }, title || forestScale()),
  );
  const bodies = ofClass.columns.map((column) => {
    const heading = el(
      "th",
      { scope: "rowgroup", colSpan: titles.length, title: column.name },
      shortened(column.name, 60),
    );
    return el(
      "tbody",
      {},
      el("tr", { className: "group" }, heading),
      ...column.rows.map((row) => sliceRow(row, ofClass.recall)),
    );
  });
  return el(
    "div",
    { className: "scroll" },
    el("table", { className: "slices" }, el("thead", {}, el("tr", {}, ...headings)), ...bodies),
  );
}

for (const ofClass of data.slices ? data.slices.classes : []) {
  const all = `recall of all examples ${number(ofClass.recall)}`;
  const title = ofClass.name === null ? null : `${ofClass.name || "(no name)"}: ${all}`;
  byId("slices").append(...[title && el("h3", {}, title), sliceTable(ofClass)].filter(Boolean));
}
