// The class shares of a watched file; the data come from imbalance_lab/report/watch_page.py.
/** @param {number} c - class index. @returns {string} its name */
const name = (c) => data.classes[c].name || "(no name)";

/** Decimals of a share in percent: one more for each power of ten below 1 %. @param {number} share @returns {number} */
const decimals = (share) => {
  const least = [0.01, 0.001, 0.0001].findIndex((each) => share >= each);
  return least < 0 ? 4 : least + 1;
};

/** A share in percent; a dash for null. @param {?number} share @param {number} [digits] @returns {string} */
const percent = (share, digits) => (share === null ? "–" : `${(100 * share).toFixed(digits ?? decimals(share))} %`);

/** A share with its interval in the same digits. @param {{value: number, ci95: ?number[]}} score @returns {Array} */
const percentScore = ({ value, ci95 }) => {
  const digits = decimals(Math.max(value, ci95 ? ci95[1] / 4 : 0));
  const ends = ci95 ? `[${ci95.map((end) => (100 * end).toFixed(digits)).join(", ")}]` : "";
  return [percent(value, digits), el("small", {}, ends)];
};

const METHODS = [
  { key: "em", title: "EM", color: () => css("--accent"), offset: 0.14 },
  { key: "bbse", title: "BBSE", color: () => CYCLE[4], offset: -0.14 },
];
const KNOWN = [
  { key: "train", title: "training", symbol: "diamond-open" },
  { key: "reference", title: data.reference, symbol: "line-ns-open" },
  ...(data.has_deploy_prior ? [{ key: "expected", title: "deployment prior", symbol: "cross-thin-open" }] : []),
];

const FLOOR = 1e-6;
const TICKS = [0.0001, 0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const shown = data.plotted.slice().reverse();
const shares = data.classes.flatMap((each) => [each.em.value, each.reference]).filter((share) => share > 0);
const spansDecades = Math.max(...shares) / Math.min(...shares) > 20;
/** @param {number} share @returns {number} in percent, not 0 on a logarithmic scale */
const placed = (share) => 100 * (spansDecades ? Math.max(share, FLOOR) : share);

byId("shares").style.height = `${Math.max(220, 90 + 46 * shown.length)}px`;
byId("shares").style.minHeight = "0";
plot("shares", () => ({
  traces: [
    ...KNOWN.map(({ key, title, symbol }) => ({
      type: "scatter",
      mode: "markers",
      name: title,
      x: shown.map((c) => placed(data.classes[c][key])),
      y: shown.map((_, at) => at),
      marker: { symbol, size: symbol.startsWith("line") ? 22 : 9, color: css("--soft"), line: { width: 2 } },
      text: shown.map((c) => `${escaped(name(c))}: ${percent(data.classes[c][key])}`),
      hovertemplate: `%{text}<extra>${title}</extra>`,
    })),
    ...METHODS.map(({ key, title, color, offset }) => {
      const scores = shown.map((c) => data.classes[c][key]);
      const ends = scores.map(({ value, ci95 }) => ci95 || [value, value]);
      return {
        type: "scatter",
        mode: "markers",
        name: title,
        x: scores.map(({ value }) => placed(value)),
        y: shown.map((_, at) => at + offset),
        marker: { size: 9, color: color() },
        error_x: {
          type: "data",
          symmetric: false,
          array: scores.map(({ value }, at) => placed(ends[at][1]) - placed(value)),
          arrayminus: scores.map(({ value }, at) => placed(value) - placed(ends[at][0])),
          color: color(),
          thickness: 2,
          width: 4,
        },
        text: shown.map(
          (c, at) =>
            `${escaped(name(c))}: ${percent(scores[at].value)}<br>95 %: ${ends[at].map((end) => percent(end)).join(" to ")}`,
        ),
        hovertemplate: `%{text}<extra>${title}</extra>`,
      };
    }),
  ],
  layout: {
    xaxis: {
      type: spansDecades ? "log" : "linear",
      title: { text: "share of the class" },
      ticksuffix: " %",
      ...(spansDecades ? { tickvals: TICKS, ticktext: TICKS.map((tick) => `${tick} %`) } : { rangemode: "tozero" }),
    },
    yaxis: {
      tickvals: shown.map((_, at) => at),
      ticktext: shown.map((c) => escaped(shortened(name(c), 18))),
      range: [-0.6, shown.length - 0.4],
      zeroline: false,
    },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
  },
}));

/** An arrow where the interval of EM does not contain the expected share. @param {Object} row @returns {?Node} */
const arrow = (row) =>
  data.prior_alarm && row.direction
    ? el("span", { className: "flag", title: "the interval of EM does not contain the expected share" }, row.direction)
    : null;
table(
  "shares-table",
  [
    {
      title: "class",
      text: true,
      value: (row) => row.name,
      cell: (row) => [el("span", { title: row.name }, row.name || "(no name)"), arrow(row)],
    },
    { title: "training", value: (row) => row.train, cell: (row) => percent(row.train) },
    { title: data.reference, value: (row) => row.reference, cell: (row) => percent(row.reference) },
    ...(data.has_deploy_prior
      ? [{ title: "deployment prior", value: (row) => row.expected, cell: (row) => percent(row.expected) }]
      : []),
    { title: "EM [95 % CI]", value: (row) => row.em.value, cell: (row) => percentScore(row.em) },
    { title: "BBSE [95 % CI]", value: (row) => row.bbse.value, cell: (row) => percentScore(row.bbse) },
  ],
  data.classes,
);
