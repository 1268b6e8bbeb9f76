// The run beside what else would be trained on its table; the data come from imbalance_lab/report/baselines_payload.py.
/** Decimals of a score: losses at low prevalence are small. @param {string} key @returns {number} */
const digitsOf = (key) => (isLoss(key) ? 4 : 3);
/** A number with its sign: a true minus, a plus. @param {number} value @param {string} key @returns {string} */
const withSign = (value, key) =>
  `${value < 0 ? "−" : "+"}${number(Math.abs(value), digitsOf(key))}`.replace(/^[+−](?=0\.0+$)/, "");
/** A p-value, never 0. @param {number} p @returns {string} */
const pText = (p) => (p < 0.001 ? "p < 0.001" : `p = ${number(p)}`);

/** Whether a lower score is better: a loss. @param {string} key @returns {boolean} */
const isLoss = (key) => key === "log_loss" || key === "brier_score";

/**
 * The difference of the run to a baseline, colored if it is distinguishable.
 * @param {?Object} each
 * @param {string} key - of the score.
 * @returns {string|Array}
 */
function baselineDifference(each, key) {
  if (!each || each.difference === null) return "";
  const tone = each.difference > 0 !== isLoss(key) ? "good" : "bad";
  return [
    el("span", { className: each.distinguishable ? tone : "" }, withSign(each.difference, key)),
    el("small", {}, `[${each.ci95.map((end) => withSign(end, key)).join(", ")}]`),
    el("small", { className: "below" }, pText(each.p_holm)),
  ];
}

/** A column of a score. @param {{key: string, title: string}} score @returns {Column} */
const baselineScore = ({ key, title }) => ({
  title,
  value: (row) => row.scores[key].value,
  cell: (row) => {
    const { value, ci95 } = row.scores[key];
    const ends = ci95 ? `[${ci95.map((end) => number(end, digitsOf(key))).join(", ")}]` : "";
    return [number(value, digitsOf(key)), el("small", {}, ends)];
  },
});

/** Fill the table. @param {string} compared - the score by which the run is compared, beside that score. */
function fillBaselines(compared) {
  const difference = {
    title: "this run − it",
    value: (row) => row.differences[compared]?.difference ?? null,
    cell: (row) => baselineDifference(row.differences[compared], compared),
  };
  const columns = data.baselines.scores.flatMap((score) =>
    score.key === compared ? [baselineScore(score), difference] : [baselineScore(score)],
  );
  const model = {
    title: "model",
    text: true,
    value: (row) => row.name,
    cell: (row) => [row.name, el("small", { className: "below" }, row.about)],
  };
  table("baselines", [model, ...columns], data.baselines.rows);
}

if (data.baselines?.rows.length) {
  const options = data.baselines.scores.map(({ key, title }) => [key, title]);
  choose("baselines-choices", "compared by", options, fillBaselines);
  fillBaselines(options[0][0]);
}
