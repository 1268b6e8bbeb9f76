// The cards at the top, the decision of a binary task and the thresholds; from imbalance_lab/report/decision_payload.py.
for (const { name, value, ci95, note } of data.headline) {
  const lines = [range(ci95), note].filter(Boolean).map((line) => el("span", {}, line));
  byId("headline").append(el("div", { className: "figure" }, el("span", {}, name), el("b", {}, value), ...lines));
}

/**
 * @typedef {Object} Counts - of a decision on one split; see DecisionCounts.as_json.
 * @property {number} tp
 * @property {number} fp
 * @property {number} missed
 * @property {number} tn
 * @property {?number} flagged_per_1000
 * @property {?number} alarms_per_true_positive
 * @property {{value: ?number, ci95: ?number[]}} recall - like precision and fpr.
 */

/**
 * The four counts of a binary decision: rows are what is true, columns what was decided.
 * @param {string} split
 * @param {Counts} counts
 * @returns {HTMLElement}
 */
function fourCounts(split, counts) {
  const positive = shortened(data.decision.name, 16);
  const cell = (n, label, className) => el("td", { className }, el("b", {}, whole(n)), el("span", {}, label));
  const row = (truth, ...cells) => el("tr", {}, el("th", { scope: "row", title: data.decision.name }, truth), ...cells);
  return el(
    "table",
    { className: "four" },
    el("caption", { className: "unseen" }, `Counts on ${split}`),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col" }, split),
        el("th", { scope: "col" }, "flagged"),
        el("th", { scope: "col" }, "not"),
      ),
    ),
    el(
      "tbody",
      {},
      row(positive, cell(counts.tp, "found", "hit"), cell(counts.missed, "missed", "error")),
      row("others", cell(counts.fp, "false alarms", "error"), cell(counts.tn, "left alone", "hit")),
    ),
  );
}

/**
 * The rates of a binary decision on both splits, a row each.
 * @param {Object<string, Counts>} splits
 * @returns {HTMLElement}
 */
function rates(splits) {
  const names = Object.keys(splits);
  const ratio = (score) => [number(score.value), el("small", {}, range(score.ci95))];
  const rows = [
    ["recall", (counts) => ratio(counts.recall)],
    ["precision", (counts) => ratio(counts.precision)],
    ["false positive rate", (counts) => ratio(counts.fpr)],
    ["alarms per found", (counts) => [number(counts.alarms_per_true_positive, 1)]],
    ["flagged per 1,000", (counts) => [number(counts.flagged_per_1000, 1)]],
  ];
  const heading = (text) => el("th", { scope: "col" }, text);
  return el(
    "table",
    { className: "rates" },
    el("caption", { className: "unseen" }, "Rates of the decision"),
    el("thead", {}, el("tr", {}, el("td"), ...names.map(heading))),
    el(
      "tbody",
      {},
      ...rows.map(([title, cell]) =>
        el("tr", {}, el("th", { scope: "row" }, title), ...names.map((each) => el("td", {}, ...cell(splits[each])))),
      ),
    ),
  );
}

if (data.decision) {
  const { splits } = data.decision;
  byId("decision").append(fourCounts("test", splits.test), el("div", { className: "scroll" }, rates(splits)));
}

if (data.point?.rows.length) {
  const fewTitle = `fewer than ${data.few_positives} positives in test: interpret with care`;
  table(
    "point",
    [
      {
        title: "class",
        text: true,
        value: (row) => name(row.class),
        cell: (row) => el("span", { title: name(row.class) }, shortened(name(row.class), 20)),
      },
      { title: "threshold", value: (row) => row.threshold, cell: (row) => number(row.threshold, 4) },
      {
        title: "found",
        value: (row) => row.tp,
        cell: (row) => [
          row.few_positives ? el("span", { className: "flag", title: fewTitle }, "few") : null,
          ` ${whole(row.tp)} of ${whole(row.n_positive)}`,
        ],
      },
      { title: "false alarms", value: (row) => row.fp, cell: (row) => whole(row.fp) },
      {
        title: "alarms per found",
        value: (row) => row.alarms_per_true_positive,
        cell: (row) => number(row.alarms_per_true_positive, 1),
      },
      {
        title: "flagged per 1,000",
        value: (row) => row.flagged_per_1000,
        cell: (row) => number(row.flagged_per_1000, 1),
      },
      { title: "recall [95 % CI]", value: (row) => row.recall.value, cell: (row) => scored(row.recall) },
      { title: "precision [95 % CI]", value: (row) => row.precision.value, cell: (row) => scored(row.precision) },
    ],
    data.point.rows,
  );
}
