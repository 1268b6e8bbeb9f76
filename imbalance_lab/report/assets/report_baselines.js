// The run beside what else would be trained on its table; the data come from imbalance_lab/report/baselines_payload.py.
/** A number with its sign: a true minus, a plus. @param {number} value @returns {string} */
const withSign = (value) => `${value < 0 ? "−" : "+"}${number(Math.abs(value))}`.replace(/^[+−](?=0\.000$)/, "");
/** A p-value, never 0. @param {number} p @returns {string} */
const pText = (p) => (p < 0.001 ? "p < 0.001" : `p = ${number(p)}`);

/**
 * The difference of the run to a baseline, colored if it is distinguishable.
 * @param {?Object} each
 * @param {boolean} lower - is better.
 * @returns {string|Array}
 */
function baselineDifference(each, lower) {
  if (!each || each.difference === null) return "";
  const tone = each.difference > 0 !== lower ? "good" : "bad";
  const ends = each.ci95.map(withSign).join(", ");
  return [
    el("span", { className: each.distinguishable ? tone : "" }, withSign(each.difference)),
    el("small", {}, `[${ends}]`),
    el("small", { className: "below" }, pText(each.p_holm)),
  ];
}

/** Fill the table. @param {string} key - the score by which the run is compared. */
function fillBaselines(key) {
  const lower = key === "log_loss" || key === "brier_score";
  const { scores, rows } = data.baselines;
  table(
    "baselines",
    [
      {
        title: "model",
        text: true,
        value: (row) => row.name,
        cell: (row) => [row.name, el("small", { className: "below" }, row.about)],
      },
      ...scores.map((score) => ({
        title: score.title,
        value: (row) => row.scores[score.key].value,
        cell: (row) => scored(row.scores[score.key]),
      })),
      {
        title: "this run − it",
        value: (row) => row.differences[key]?.difference ?? null,
        cell: (row) => baselineDifference(row.differences[key], lower),
      },
    ],
    rows,
  );
}

if (data.baselines?.rows.length) {
  const options = data.baselines.scores.map(({ key, title }) => [key, title]);
  choose("baselines-choices", "compared by", options, fillBaselines);
  fillBaselines(options[0][0]);
}
