// The scores of a cross-validation and of its folds; the data come from imbalance_lab/report/cross_validation_page.py.
const plotted = data.scores.filter((score) => !score.lower_is_better && score.values.some((value) => value !== null));
const rowsOfPlot = plotted.slice().reverse();
byId("spread").style.height = `${90 + 40 * plotted.length}px`;
byId("spread").style.minHeight = "0";
plot("spread", () => ({
  traces: [
    {
      type: "scatter",
      mode: "markers",
      name: "folds",
      x: rowsOfPlot.flatMap((score) => score.values),
      y: rowsOfPlot.flatMap((score, at) => score.values.map((_, fold) => at + ((fold % 5) - 2) * 0.06)),
      marker: { size: 7, color: css("--soft"), opacity: 0.7 },
      text: rowsOfPlot.flatMap((score) =>
        score.values.map((value, fold) => `${escaped(score.title)}, fold ${fold}: ${number(value)}`),
      ),
      hovertemplate: "%{text}<extra></extra>",
    },
    {
      type: "scatter",
      mode: "markers",
      name: "all, 95 % interval",
      x: rowsOfPlot.map((score) => score.value),
      y: rowsOfPlot.map((_, at) => at),
      marker: { size: 10, color: css("--accent") },
      error_x: {
        type: "data",
        symmetric: false,
        array: rowsOfPlot.map(({ value, ci95 }) => (ci95 ? ci95[1] - value : 0)),
        arrayminus: rowsOfPlot.map(({ value, ci95 }) => (ci95 ? value - ci95[0] : 0)),
        color: css("--accent"),
        thickness: 2,
        width: 5,
      },
      text: rowsOfPlot.map((score) => `${escaped(score.title)}: ${number(score.value)} ${range(score.ci95)}`),
      hovertemplate: "%{text}<extra></extra>",
    },
  ],
  layout: {
    xaxis: { title: { text: "score" } },
    yaxis: {
      tickvals: rowsOfPlot.map((_, at) => at),
      ticktext: rowsOfPlot.map((score) => escaped(shortened(score.title, 28))),
      range: [-0.6, rowsOfPlot.length - 0.4],
      zeroline: false,
    },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
  },
}));

/** The defined values of a score. @param {Object} score @returns {number[]} */
const definedValues = (score) => score.values.filter((value) => value !== null);
table(
  "scores",
  [
    { title: "score", text: true, value: (row) => row.title, cell: (row) => nameCell(row.title, 40) },
    {
      title: "all [95 % CI]",
      value: (row) => row.value,
      cell: (row) => [number(row.value), el("small", {}, range(row.ci95))],
    },
    {
      title: "lowest fold",
      value: (row) => Math.min(...definedValues(row)),
      cell: (row) => number(Math.min(...definedValues(row))),
    },
    {
      title: "highest fold",
      value: (row) => Math.max(...definedValues(row)),
      cell: (row) => number(Math.max(...definedValues(row))),
    },
    { title: "folds", value: (row) => definedValues(row).length },
    { title: "from", text: true, value: (row) => (row.summed ? "counts of all folds" : "mean of folds") },
  ],
  data.scores.filter((score) => definedValues(score).length),
);
table(
  "folds",
  [
    { title: "fold", value: (row) => row.fold },
    ...(data.repeats > 1 ? [{ title: "repeat", value: (row) => row.repeat }] : []),
    { title: "examples", value: (row) => row.n, cell: (row) => whole(row.n) },
    ...data.scores.map((score) => ({
      title: shortened(score.title, 32),
      value: (row) => row.scores[score.key],
      cell: (row) => number(row.scores[score.key]),
    })),
  ],
  data.folds,
);
