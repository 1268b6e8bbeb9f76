// A search: the score of each trial, what the scores depend on, the Pareto front, and every trial in a table.

/** A number of a trial's settings in at most five digits, any other text as it is. @param {string} text */
const brief = (text) =>
  /^-?\d*\.?\d+(e-?\d+)?$/i.test(text) && text.length > 7 ? String(+Number(text).toPrecision(4)) : text;

/** The settings of a trial, a line each, for hovering. @param {Object} trial */
const trialHint = (trial) =>
  [
    `trial ${trial.number}`,
    ...data.study.keys.flatMap((key, at) => (trial.given[at] ? [`${key}=${brief(trial.given[at])}`] : [])),
  ]
    .map(escaped)
    .join("<br>");

/** Where a trial without values is drawn: pruned ones at their last score. @param {Object} trial @param {number} at */
const reached = (trial, at) =>
  trial.values ? trial.values[at] : at === 0 && trial.state === "pruned" ? trial.last : null;

/** Points of some trials. @param {Object[]} trials @param {number[]} y @param {string} name @param {Object} marker */
const trialPoints = (trials, y, name, marker) => ({
  type: "scatter",
  mode: "markers",
  x: trials.map((trial) => trial.number),
  y,
  name,
  marker,
  hovertext: trials.map(trialHint),
  hovertemplate: `%{hovertext}<br>%{y:.4f}<extra>${name}</extra>`,
});

/** The score of each trial, and the best so far. @param {number} at - of the objective. */
function historyPlot(at) {
  const { trials, objectives, best_so_far: best } = data.study;
  const complete = trials.filter((trial) => trial.state === "complete");
  const pruned = trials.filter((trial) => trial.state === "pruned" && reached(trial, at) !== null);
  const failed = trials.filter((trial) => trial.state === "failed");
  const known = [...complete, ...pruned].map((trial) => reached(trial, at));
  const floor = objectives[at].lower_is_better ? Math.max(...known, 0) : Math.min(...known, 1);
  const traces = [
    {
      type: "scatter",
      mode: "lines",
      x: trials.map((trial) => trial.number),
      y: best[at],
      name: "best so far",
      line: { color: css("--soft"), width: 2, shape: "hv" },
      hovertemplate: "after trial %{x}: %{y:.4f}<extra>best so far</extra>",
    },
    trialPoints(
      complete,
      complete.map((trial) => reached(trial, at)),
      "complete",
      { color: CYCLE[0], size: 8 },
    ),
  ];
  const open = { symbol: "circle-open", color: CYCLE[1], size: 8, line: { width: 2 } };
  if (pruned.length)
    traces.push(
      trialPoints(
        pruned,
        pruned.map((trial) => reached(trial, at)),
        "pruned",
        open,
      ),
    );
  if (failed.length) {
    const cross = { symbol: "x", color: css("--bad"), size: 9 };
    traces.push({
      ...trialPoints(
        failed,
        failed.map(() => floor),
        "failed",
        cross,
      ),
      hovertemplate: "%{hovertext}<extra>failed</extra>",
    });
  }
  return {
    traces,
    layout: {
      xaxis: { title: { text: "trial" }, tickformat: "d", dtick: trials.length < 8 ? 1 : undefined, zeroline: false },
      yaxis: { title: { text: `${objectives[at].title} on validation` }, zeroline: false },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    },
  };
}

/** The shares as bars, the largest above. @param {number} at - of the objective. */
function importancePlot(at) {
  const rows = [...data.study.importances[at]].sort((a, b) => a.share - b.share);
  const most = Math.max(...rows.map((row) => row.n));
  return {
    traces: [
      {
        type: "bar",
        orientation: "h",
        y: rows.map((row) => escaped(shortened(row.key, 24) + (row.n < most ? ` (${row.n} trials)` : ""))),
        x: rows.map((row) => row.share),
        marker: { color: CYCLE[0] },
        text: rows.map((row) => row.share.toFixed(2)),
        textposition: "outside",
        cliponaxis: false,
        hovertext: rows.map((row) => `${escaped(row.key)}: ${row.share.toFixed(3)} over ${row.n} trials`),
        hovertemplate: "%{hovertext}<extra></extra>",
      },
    ],
    layout: { xaxis: { title: { text: "importance" }, range: [0, 1] }, bargap: rows.length < 3 ? 0.6 : 0.3 },
  };
}

/** Two objectives against each other; the trials that no other beats are joined. */
function frontPlot() {
  const [x, y] = data.study.objectives;
  const complete = data.study.trials.filter((trial) => trial.values);
  const front = complete.filter((trial) => trial.is_best).sort((a, b) => a.values[0] - b.values[0]);
  const points = (trials, name, more) => ({
    ...trialPoints(
      trials,
      trials.map((trial) => trial.values[1]),
      name,
      more.marker,
    ),
    x: trials.map((trial) => trial.values[0]),
    hovertemplate: `%{hovertext}<br>${escaped(x.title)} %{x:.4f}, ${escaped(y.title)} %{y:.4f}<extra>${name}</extra>`,
    ...more,
  });
  const title = (objective) => ({
    title: { text: `${objective.title} (${objective.lower_is_better ? "lower" : "higher"} is better)` },
    zeroline: false,
  });
  return {
    traces: [
      points(
        complete.filter((trial) => !trial.is_best),
        "other trials",
        { marker: { color: css("--soft"), size: 7 } },
      ),
      points(front, "Pareto front", {
        mode: "lines+markers",
        marker: { color: palette().chosen, size: 9 },
        line: { color: palette().chosen, width: 1.5, dash: "dot" },
      }),
    ],
    layout: { xaxis: title(x), yaxis: title(y), legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 } },
  };
}

/** Every trial, the best ones marked. */
function fillTrials() {
  const { trials, objectives, keys } = data.study;
  const mark = objectives.length > 1 ? "Pareto front" : "best";
  const sign = objectives[0].lower_is_better ? 1 : -1;
  const rank = (trial) => (trial.values ? sign * trial.values[0] : Number.MAX_VALUE);
  const hasEpochs = trials.some((trial) => trial.epochs !== null);
  table(
    "trials",
    [
      {
        title: "trial",
        value: (row) => row.number,
        cell: (row) =>
          row.is_best ? [String(row.number), el("span", { className: "flag good" }, mark)] : String(row.number),
      },
      {
        title: "state",
        text: true,
        value: (row) => row.state,
        cell: (row) =>
          el("span", { className: row.state === "failed" ? "bad" : "", title: row.error ?? "" }, row.state),
      },
      ...objectives.map(({ title }, at) => ({
        title: `val ${title}`,
        value: (row) => reached(row, at),
        cell: (row) => number(reached(row, at), 4),
      })),
      ...(hasEpochs ? [{ title: "epochs", value: (row) => row.epochs, cell: (row) => whole(row.epochs) }] : []),
      ...keys.map((key, at) => ({
        title: key,
        text: true,
        value: (row) =>
          row.given[at] !== "" && Number.isFinite(+row.given[at]) ? +row.given[at] : row.given[at] || null,
        cell: (row) => hinted(brief(row.given[at]), row.given[at]),
      })),
    ],
    [...trials].sort((a, b) => rank(a) - rank(b) || a.number - b.number),
    15,
    { label: "find", text: (row) => [row.number, row.state, row.error ?? "", ...row.given].join(" ") },
  );
}

if (data.study) {
  let chosen = 0;
  const redraws = [plot("history", () => historyPlot(chosen))];
  if (data.study.importances.some((rows) => rows.length)) {
    redraws.push(plot("importances", () => importancePlot(chosen)));
  } else byId("importances-frame").remove();
  if (data.study.objectives.length === 2 && data.study.trials.some((trial) => trial.values)) plot("front", frontPlot);
  else byId("front-frame").remove();
  if (data.study.objectives.length > 1) {
    const options = data.study.objectives.map(({ title }, at) => [String(at), title]);
    choose("history-choices", "score", options, (value) => {
      chosen = Number(value);
      for (const draw of redraws) draw();
    });
  }
  fillTrials();
}
