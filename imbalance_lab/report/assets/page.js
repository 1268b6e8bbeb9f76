// What every page shares: elements that are text, sortable tables, plots that follow the theme.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const drawn = [];

// Names come from users: they enter the page as text only, and Plotly, which reads a little HTML, gets them escaped.
function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value; else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const byId = (id) => document.getElementById(id);
const escaped = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\$/g, "&#36;");
const shortened = (text, most = 22) => (text.length > most ? text.slice(0, most - 1) + "…" : text) || "(no name)";
const number = (value, digits = 3) => (value === null || value === undefined ? "–" : value.toFixed(digits));
const whole = (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en"));
const range = (ends) => (ends ? `[${number(ends[0])}, ${number(ends[1])}]` : "");

// Viridis, as in the figures: common classes are faint, rare ones stand out.
const VIRIDIS = [[68,1,84],[72,40,120],[62,74,137],[49,104,142],[38,130,142],[31,158,137],[53,183,121],[110,206,88],[181,222,43],[253,231,37]];
function shade(share) { // 0: the most common class, 1: the rarest
  const at = (dark.matches ? share * 0.9 + 0.1 : (1 - share) * 0.88) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const mixed = VIRIDIS[low].map((value, i) => Math.round(value + (VIRIDIS[low + 1][i] - value) * (at - low)));
  return `rgb(${mixed.join(",")})`;
}
const CYCLE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7a00", "#7f7f7f"]; // Okabe and Ito's
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function merged(below, above) {
  const result = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const both = value && result[key] && typeof value === "object" && !Array.isArray(value);
    result[key] = both ? merged(result[key], value) : value;
  }
  return result;
}
// make() returns {traces, layout}; it is called again when a choice or the theme changes.
function plot(id, make) {
  const node = byId(id);
  const draw = () => {
    const { traces, layout } = make();
    const axis = { gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line"), automargin: true };
    const narrow = node.clientWidth < 520;
    const base = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest", dragmode: narrow ? false : "zoom",
      font: { color: css("--ink"), size: 12, family: "inherit" }, margin: { l: 52, r: 12, t: 10, b: 46 },
      hoverlabel: { align: "left" },
      legend: narrow ? { orientation: "h", y: -0.3, yanchor: "top" } : { itemwidth: 30 },
      xaxis: axis, yaxis: axis, xaxis2: axis, yaxis2: axis,
    };
    Plotly.react(node, traces, merged(base, layout), { responsive: true, displaylogo: false, displayModeBar: narrow ? false : "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] });
  };
  drawn.push(draw);
  draw();
  return draw;
}
dark.addEventListener("change", () => drawn.forEach((draw) => draw()));
window.addEventListener("resize", () => drawn.forEach((draw) => draw()));

// columns: {title, value(row) → what it is sorted by, cell(row) → text or nodes, text: left-aligned, wrap}
function table(id, columns, rows, most = 200) {
  const head = el("tr"), body = el("tbody"), more = el("p", { className: "note" });
  let shown = most;
  function fill() {
    body.replaceChildren(...rows.slice(0, shown).map((row) => el("tr", {}, ...columns.map((column) => {
      const cell = (column.cell || ((each) => String(column.value(each))))(row);
      const node = el("td", { className: (column.text ? "text " : "") + (column.wrap ? "wrap" : "") });
      node.append(...(Array.isArray(cell) ? cell.filter((part) => part !== null) : [cell]));
      return node;
    }))));
    more.replaceChildren();
    if (rows.length > shown) more.append(`${whole(rows.length - shown)} more rows. `, el("button", { onclick: () => { shown = rows.length; fill(); } }, "Show all"));
  }
  for (const column of columns) {
    const th = el("th", { scope: "col", className: column.text ? "text" : "" });
    th.append(el("button", { type: "button", onclick: () => {
      const up = th.getAttribute("aria-sort") === "descending";
      for (const other of head.children) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rank = (row) => { const value = column.value(row); return value === null || value === undefined ? -Infinity : value; };
      rows = [...rows].sort((a, b) => {
        const x = rank(a), y = rank(b);
        const order = typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
        return up ? order : -order;
      });
      fill();
    } }, column.title));
    head.append(th);
  }
  fill();
  byId(id).replaceChildren(el("table", {}, el("thead", {}, head), body), more);
}
function choose(id, label, options, onchange) { // options: [value, text]
  const select = el("select", { className: "choice", onchange: () => onchange(select.value) });
  options.forEach(([value, text]) => select.append(el("option", { value }, text)));
  byId(id).append(el("label", {}, label, select));
  return select;
}
function toggle(id, label, onchange) {
  const box = el("input", { type: "checkbox", className: "choice", onchange: () => onchange(box.checked) });
  byId(id).append(el("label", {}, box, label));
  return box;
}
