// Differences on test: of every score between settings, and of each class for one pair of them.

/** A difference, colored if it is distinguishable. @param {Object} each @param {boolean} lower - is better. */
const coloredDifference = (each, lower = false) => {
  const tone = isBetter(each.difference, lower) ? "good" : "bad";
  return el("span", { className: each.distinguishable ? tone : "" }, signed(each.difference));
};

/** A cell with a difference, its p, and its interval below. @param {?Object} each @param {boolean} lower */
const differenceCell = (each, lower) =>
  !each || each.difference === null
    ? "–"
    : [coloredDifference(each, lower), el("small", {}, `p ${pValue(each.p_holm)}`), below(signedRange(each.ci95))];

/** The table of the classes of one pair. @param {Object} pair */
function fillClasses(pair) {
  const better = (row) => (row.distinguishable ? (row.difference > 0 ? pair.a : pair.b) : "not distinguishable");
  table(
    "classes",
    [
      {
        title: "AUROC of class",
        text: true,
        value: (row) => row.name,
        cell: (row) => hinted(shortened(row.name), row.name),
      },
      {
        title: "difference [interval]",
        value: (row) => row.difference,
        cell: (row) => [coloredDifference(row), el("small", {}, signedRange(row.ci95))],
      },
      { title: "p (Holm)", value: (row) => row.p_holm, cell: (row) => pValue(row.p_holm) },
      { title: "better", text: true, value: better, cell: (row) => hinted(shortened(better(row), 40), better(row)) },
    ],
    pair.classes,
    50,
  );
}

if (data.differences.length) {
  const settingOf = new Map(data.settings.map((each) => [each.name, each]));
  table(
    "differences",
    [
      settingColumn((row) => settingOf.get(row.a)),
      ...[...data.scores, ...data.further].map(({ key, title, lower_is_better: lower }) => ({
        title,
        value: (row) => row.scores[key]?.difference ?? null,
        cell: (row) => differenceCell(row.scores[key], lower),
      })),
    ],
    data.differences,
    15,
  );
  const detailed = data.differences.filter((each) => each.classes.length);
  if (detailed.length) {
    const label = (name) => shortened(settingOf.get(name).label || name, 48);
    const options = detailed.map((each, i) => [String(i), `${label(each.a)} − ${label(each.b)}`]);
    choose("classes-choices", "by class", options, (value) => fillClasses(detailed[Number(value)]));
    fillClasses(detailed[0]);
  }
}
