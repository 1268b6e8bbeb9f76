// The runs and their differences; the data come from imbalance_lab/report/comparison_page.py.
const place = new Map(data.runs.map((run, i) => [run.name, i]));
/** The color of a run. @param {string} run @returns {string} */
const tint = (run) => CYCLE[place.get(run) % CYCLE.length];
/** The dash of a run, which sets more than eight of them apart. @param {string} run @returns {string} */
const dashed = (run) => ["solid", "dash", "dot", "dashdot"][Math.floor(place.get(run) / CYCLE.length) % 4];
/** The overrides of a run as KEY=VALUE. @param {string} run @returns {string} */
const overridesOf = (run) =>
  Object.entries(data.runs[place.get(run)].overrides)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
/** An override as a number if it is one. @param {string} value @returns {(number|string)} */
const swept = (value) => (value !== "" && Number.isFinite(Number(value)) ? Number(value) : value);
table(
  "runs",
  [
    { title: "run", text: true, value: (row) => row.name },
    ...data.varied.map((key) => ({
      title: key,
      text: true,
      wrap: true,
      value: (row) => swept(row.overrides[key]),
      cell: (row) => row.overrides[key],
    })),
    { title: `val ${data.scores[data.score]}`, value: (row) => row.val, cell: (row) => number(row.val) },
    ...Object.entries(data.scores).map(([key, title]) => ({
      title,
      value: (row) => (row.test[key] ? row.test[key].value : null),
      cell: (row) => (row.test[key] ? [number(row.test[key].value), el("small", {}, range(row.test[key].ci95))] : "–"),
    })),
  ],
  data.runs,
);

if (data.differences.length) {
  /** Show a pair of runs. @param {number} at */
  const fill = (at) => {
    const each = data.differences[at];
    byId("words").replaceChildren(
      ...Object.entries(each.words).flatMap(([key, words]) => [el("b", {}, `${data.scores[key]}: `), words, el("br")]),
    );
    table(
      "differences",
      [
        { title: "AUROC of class", text: true, value: (row) => row.name, cell: (row) => row.name || "(no name)" },
        {
          title: `${each.a} − ${each.b} [95 % CI]`,
          value: (row) => row.difference,
          cell: (row) => [number(row.difference), el("small", {}, range(row.ci95))],
        },
        {
          title: "p (Holm)",
          value: (row) => row.p_holm,
          cell: (row) => (row.p_holm !== null && row.p_holm < 0.001 ? "< 0.001" : number(row.p_holm)),
        },
        {
          title: "better",
          text: true,
          value: (row) => (row.distinguishable ? (row.difference > 0 ? each.a : each.b) : ""),
          cell: (row) => (row.distinguishable ? (row.difference > 0 ? each.a : each.b) : "not distinguishable"),
        },
      ],
      each.classes,
    );
  };
  choose(
    "differences-choices",
    "pair",
    data.differences.map((each, i) => [String(i), `${each.a} against ${each.b}`]),
    (value) => fill(Number(value)),
  );
  fill(0);
}
