// The classes and prediction sets of one run; the data come from imbalance_lab/report/page.py.
/** @param {number} c - class index. @returns {string} its name */
const name = (c) => data.classes[c].name || "(no name)";
/** The cell of a score. @param {{value: ?number, ci95: ?number[]}} score @returns {Array} */
const scored = (score) => [number(score.value), el("small", {}, range(score.ci95))];

/** The positives of a class in test, marked where they are few. @param {Object} row @returns {Array} */
const testCount = (row) => [
  row.few_positives
    ? el("span", { className: "flag", title: `fewer than ${data.few_positives} positives: interpret with care` }, "few")
    : null,
  ` ${whole(row.n_positive)}`,
];

const MOST_ROWS = 50;
/** @param {Object[]} rows - with a name. @returns {Object|undefined} a search box for tables too long to look through */
const bySearch = (rows, text = (row) => row.name) =>
  rows.length > 12 ? { label: "find a class", text: (row) => text(row) || "(no name)" } : undefined;

if (data.shot_groups.length) {
  table(
    "groups",
    [
      { title: "group", text: true, value: (row) => row.n_train / row.n_classes, cell: (row) => row.group },
      { title: "training examples of a class", text: true, value: (row) => row.range },
      {
        title: "classes",
        value: (row) => row.n_classes,
        cell: (row) => {
          const tested = row.n_tested < row.n_classes ? el("small", {}, `${whole(row.n_tested)} in test`) : null;
          return [whole(row.n_classes), tested];
        },
      },
      { title: "train", value: (row) => row.n_train, cell: (row) => whole(row.n_train) },
      { title: "test", value: (row) => row.n_test, cell: (row) => whole(row.n_test) },
      { title: "mean recall", value: (row) => row.recall, cell: (row) => number(row.recall) },
      { title: "mean AUROC", value: (row) => row.auroc, cell: (row) => number(row.auroc) },
      { title: "mean AP", value: (row) => row.average_precision, cell: (row) => number(row.average_precision) },
    ],
    data.shot_groups,
  );
}

if (!data.decision) {
  const rarestFirst = [...data.reported].sort((a, b) => data.classes[a].train_count - data.classes[b].train_count);
  const listed = rarestFirst.map((c) => data.classes[c]);
  table(
    "classes",
    [
      {
        title: "class",
        text: true,
        value: (row) => row.name,
        cell: (row) => nameCell(row.name),
      },
      { title: "train", sorted: "ascending", value: (row) => row.train_count, cell: (row) => whole(row.train_count) },
      { title: "group", text: true, value: (row) => row.group },
      { title: "test", value: (row) => row.n_positive, cell: testCount },
      { title: "AUROC", value: (row) => row.auroc.value, cell: (row) => scored(row.auroc) },
      { title: "AP", value: (row) => row.average_precision.value, cell: (row) => scored(row.average_precision) },
      {
        title: "lift",
        value: (row) => row.lift,
        cell: (row) => (row.lift === null ? "–" : row.lift.toFixed(row.lift < 10 ? 1 : 0)),
      },
      { title: "recall", value: (row) => row.recall.value, cell: (row) => scored(row.recall) },
      { title: "precision", value: (row) => row.precision.value, cell: (row) => scored(row.precision) },
    ],
    listed,
    MOST_ROWS,
    bySearch(listed, (row) => `${row.name || "(no name)"} ${row.group}`),
  );
}

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
        cell: (row) => nameCell(row.name),
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
    MOST_ROWS,
    bySearch(data.sets.classes),
  );
}
