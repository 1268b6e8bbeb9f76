// What the stored and the proposed thresholds do, measured on test and expected in the watched file.
const rated = data.plotted.filter((c) => data.stored[c].rates).reverse();
const SERIES = [
  {
    title: `stored, on ${data.measured_on}`,
    rows: data.stored,
    at: "measured_",
    color: () => css("--soft"),
    offset: 0.22,
  },
  { title: "stored, expected", rows: data.stored, at: "", color: () => css("--accent"), offset: 0 },
  { title: "proposed, expected", rows: data.proposed, at: "", color: () => CYCLE[2], offset: -0.22 },
].filter(({ rows }) => rows.length);

/** The points of one rate of one series. @param {Object} series @param {string} rate @param {string} axis @returns {Object} a trace */
function ratePoints({ title, rows, at, color, offset }, rate, axis) {
  const kept = rate === "recall" && at ? [] : rated.map((c, place) => [rows[c], place]).filter(([row]) => row.rates);
  const scores = kept.map(([row]) => row.rates[at + rate]);
  const end = (side, sign) =>
    scores.map(({ value, ci95 }) => (ci95 && value !== null ? sign * (ci95[side] - value) : 0));
  return {
    type: "scatter",
    mode: "markers",
    name: title,
    legendgroup: title,
    showlegend: rate === "precision",
    xaxis: axis,
    x: scores.map(({ value }) => value),
    y: kept.map(([, place]) => place + offset),
    marker: { size: 8, color: color() },
    error_x: {
      type: "data",
      symmetric: false,
      array: end(1, 1),
      arrayminus: end(0, -1),
      color: color(),
      thickness: 2,
      width: 3,
    },
    text: kept.map(([row], i) => `${escaped(name(row.class))}: ${number(scores[i].value)} ${range(scores[i].ci95)}`),
    hovertemplate: `%{text}<extra>${rate}, ${title}</extra>`,
  };
}

byId("rates").hidden = !rated.length;
if (rated.length) {
  byId("rates").style.height = `${Math.max(220, 100 + 62 * rated.length)}px`;
  byId("rates").style.minHeight = "0";
  plot("rates", () => ({
    traces: ["recall", "precision"].flatMap((rate, i) => SERIES.map((each) => ratePoints(each, rate, i ? "x2" : "x"))),
    layout: {
      xaxis: { title: { text: "recall" }, range: [-0.03, 1.03], domain: [0, 0.47], zeroline: false },
      xaxis2: { title: { text: "precision" }, range: [-0.03, 1.03], domain: [0.53, 1], zeroline: false },
      yaxis: {
        tickvals: rated.map((_, at) => at),
        ticktext: rated.map((c) => escaped(shortened(name(c), 18))),
        range: [-0.6, rated.length - 0.4],
        zeroline: false,
      },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    },
  }));
}

/** @param {string} key - of a score in the rates of a row. @param {string} title @returns {Column} */
const rateColumn = (key, title) => ({
  title,
  value: (row) => (row.rates ? row.rates[key].value : null),
  cell: (row) => (row.rates ? [number(row.rates[key].value), el("small", {}, range(row.rates[key].ci95))] : "–"),
});
/** @param {Object[]} rows @returns {Column[]} with the reasons, if a class has no threshold */
const reasons = (rows) =>
  rows.some((row) => row.reason)
    ? [{ title: "why there is no threshold", text: true, wrap: true, value: (row) => row.reason || "" }]
    : [];
const className = {
  title: "class",
  text: true,
  value: (row) => name(row.class),
  cell: (row) => el("span", { title: name(row.class) }, name(row.class)),
};
const threshold = { title: "threshold", value: (row) => row.threshold, cell: (row) => number(row.threshold, 4) };
const perThousand = (value) => (value === null ? "–" : value.toFixed(value < 100 ? 1 : 0));
const flagged = {
  title: "flagged ‰ (expected)",
  value: (row) => (row.rates ? row.rates.found_flagged_per_1000 : null),
  cell: (row) => {
    if (!row.rates) return "–";
    const { found_flagged_per_1000: found, flagged_per_1000: expected } = row.rates;
    return [perThousand(found), el("small", {}, `(${perThousand(expected)})`)];
  },
};
table(
  "stored",
  [
    className,
    threshold,
    rateColumn("recall", "recall [95 % CI]"),
    rateColumn("measured_precision", `precision on ${data.measured_on}`),
    rateColumn("precision", "precision expected"),
    flagged,
    ...reasons(data.stored),
  ],
  data.stored,
);
if (data.proposed.length) {
  table(
    "proposed",
    [
      className,
      threshold,
      rateColumn("recall", "recall [95 % CI]"),
      rateColumn("precision", "precision expected"),
      flagged,
      ...reasons(data.proposed),
    ],
    data.proposed,
  );
}

for (const each of data.headline) {
  byId("headline").append(
    el("div", { className: "figure" }, el("span", {}, each.name), el("b", {}, each.value), el("span", {}, each.note)),
  );
}
