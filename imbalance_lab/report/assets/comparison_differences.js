// Differences on test: of every score between settings, and of each class for one pair of them.

/** A cell with a difference: its interval and p below, colored if it is distinguishable. @param {?Object} each */
function differenceCell(each) {
  if (!each || each.difference === null) return "–";
  const tone = each.distinguishable ? (each.difference > 0 ? "good" : "bad") : "";
  const evidence = `${signedRange(each.ci95)} · p ${pValue(each.p_holm)}`;
  return [el("span", { className: tone }, signed(each.difference)), below(evidence)];
}

/** The table of the classes of one pair. @param {Object} pair */
function fillClasses(pair) {
  const better = (row) => (row.distinguishable ? (row.difference > 0 ? pair.a : pair.b) : "not distinguishable");
  table(
    "classes",
    [
      { title: "AUROC of class", text: true, value: (row) => row.name, cell: (row) => hinted(shortened(row.name), row.name) },
      { title: "difference", value: (row) => row.difference, cell: (row) => differenceCell(row) },
      { title: "better", text: true, wrap: true, value: better, cell: (row) => hinted(shortened(better(row), 60), better(row)) },
    ],
    pair.classes,
    50,
  );
}

if (data.differences.length) {
  const better = data.differences[0].b;
  table(
    "differences",
    [
      { title: `minus ${shortened(better, 40)}`, text: true, value: (row) => row.a, cell: (row) => hinted(shortened(row.a, 60), row.a) },
      ...[...data.scores, ...data.groups].map(({ key, title }) => ({
        title,
        value: (row) => row.scores[key]?.difference ?? null,
        cell: (row) => differenceCell(row.scores[key]),
      })),
    ],
    data.differences,
    15,
  );
  const detailed = data.differences.filter((each) => each.classes.length);
  if (detailed.length) {
    const options = detailed.map((each, i) => [String(i), `${shortened(each.a, 40)} − ${shortened(each.b, 40)}`]);
    choose("classes-choices", "by class", options, (value) => fillClasses(detailed[Number(value)]));
    fillClasses(detailed[0]);
  }
}
