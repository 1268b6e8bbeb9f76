// The headline scores, the classes and the operating point of one run; the data come from imbalance_lab/report/page.py.
for (const each of data.headline) {
  const note = each.note ? el("span", {}, each.note) : null;
  const value = el("b", {}, number(each.value));
  byId("headline").append(
    el("div", { className: "figure" }, el("span", {}, each.name), value, el("span", {}, range(each.ci95)), note),
  );
}

/** @param {number} c - class index. @returns {string} its name */
const name = (c) => data.classes[c].name || "(no name)";
/** The cell of a score. @param {{value: ?number, ci95: ?number[]}} score @returns {Array} */
const scored = (score) => [number(score.value), el("small", {}, range(score.ci95))];

table(
  "classes",
  [
    {
      title: "class",
      text: true,
      value: (row) => row.name,
      cell: (row) => [
        el("span", { title: row.name }, row.name || "(no name)"),
        row.few_positives
          ? el(
              "span",
              { className: "flag", title: `fewer than ${data.few_positives} positives in test: interpret with care` },
              "few in test",
            )
          : null,
      ],
    },
    { title: "train", value: (row) => row.train_count, cell: (row) => whole(row.train_count) },
    { title: "group", text: true, value: (row) => row.group },
    { title: "test", value: (row) => row.n_positive, cell: (row) => whole(row.n_positive) },
    { title: "AUROC [95 % CI]", value: (row) => row.auroc.value, cell: (row) => scored(row.auroc) },
    {
      title: "AP [95 % CI]",
      value: (row) => row.average_precision.value,
      cell: (row) => scored(row.average_precision),
    },
    {
      title: "× prevalence",
      value: (row) => row.lift,
      cell: (row) => (row.lift === null ? "–" : row.lift.toFixed(row.lift < 10 ? 1 : 0)),
    },
    { title: "recall [95 % CI]", value: (row) => row.recall.value, cell: (row) => scored(row.recall) },
    { title: "precision [95 % CI]", value: (row) => row.precision.value, cell: (row) => scored(row.precision) },
  ],
  data.classes,
);

table(
  "point",
  [
    {
      title: "class",
      text: true,
      value: (row) => name(row.class),
      cell: (row) => el("span", { title: name(row.class) }, name(row.class)),
    },
    { title: "threshold", value: (row) => row.threshold, cell: (row) => number(row.threshold, 4) },
    {
      title: "found",
      value: (row) => row.tp,
      cell: (row) => (row.tp === null ? "–" : `${whole(row.tp)} of ${whole(row.n_positive)}`),
    },
    { title: "missed", value: (row) => row.missed, cell: (row) => whole(row.missed) },
    { title: "false alarms", value: (row) => row.fp, cell: (row) => whole(row.fp) },
    {
      title: "alarms per true positive",
      value: (row) => row.alarms_per_true_positive,
      cell: (row) => number(row.alarms_per_true_positive, 2),
    },
    { title: "recall", value: (row) => row.recall, cell: (row) => number(row.recall) },
    { title: "precision", value: (row) => row.precision, cell: (row) => number(row.precision) },
    ...(data.point.rows.some((row) => row.reason)
      ? [
          {
            title: "why there is no threshold",
            text: true,
            wrap: true,
            value: (row) => row.reason || "",
            cell: (row) => row.reason || "",
          },
        ]
      : []),
  ],
  data.point.rows,
);

if (data.sets) {
  const clusters = data.sets.clusters.map((row) => ({
    ...row,
    name: `cluster ${row.name}: ${row.classes.map((each) => each || "(no name)").join(", ")}`,
    min_probability: null,
    mean_size: null,
  }));
  table(
    "sets",
    [
      {
        title: "class",
        text: true,
        value: (row) => row.name,
        cell: (row) => el("span", { title: row.name }, row.name || "(no name)"),
      },
      { title: "calibration", value: (row) => row.n_calibration, cell: (row) => whole(row.n_calibration) },
      ...(clusters.length
        ? [
            {
              title: "quantile of",
              text: true,
              value: (row) => (row.cluster ? `cluster ${row.cluster}` : row.classes ? "all of it" : "its own"),
            },
          ]
        : []),
      {
        title: "in a set from probability",
        value: (row) => row.min_probability,
        cell: (row) => number(row.min_probability, 4),
      },
      { title: "test", value: (row) => row.n, cell: (row) => whole(row.n) },
      { title: "coverage [95 % CI]", value: (row) => row.coverage.value, cell: (row) => scored(row.coverage) },
      { title: "mean size", value: (row) => row.mean_size, cell: (row) => number(row.mean_size, 2) },
    ],
    [...data.sets.classes, ...clusters],
  );
}
