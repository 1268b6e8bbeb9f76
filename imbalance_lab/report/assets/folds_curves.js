// The curves of the folds of a cross-validation for one class, and their mean.
let shownCurve = 0;

/**
 * The lines of one kind of curve.
 * @param {string} kind - "roc" or "pr".
 * @param {string} hover - of a point.
 * @returns {Object[]} traces
 */
function foldTraces(kind, hover) {
  const curve = data.curves[shownCurve];
  const lines = curve.folds.map((each) => ({
    type: "scatter",
    mode: "lines",
    name: `fold ${each.fold}`,
    x: each[kind].x,
    y: each[kind].y,
    line: { color: css("--soft"), width: 1 },
    opacity: 0.6,
    showlegend: false,
    hovertemplate: `${hover}<extra>fold ${each.fold}</extra>`,
  }));
  const mean = {
    type: "scatter",
    mode: "lines",
    name: "mean",
    x: curve.mean[kind].x,
    y: curve.mean[kind].y,
    line: { color: css("--accent"), width: 3 },
    showlegend: false,
    hovertemplate: `${hover}<extra>mean</extra>`,
  };
  return [...lines, mean];
}

if (data.curves.length) {
  const roc = plot("roc", () => ({
    traces: foldTraces("roc", "false positive rate %{x:.4f}<br>recall %{y:.4f}"),
    layout: {
      xaxis: { title: { text: "false positive rate" }, range: [-0.01, 1.01] },
      yaxis: { title: { text: "recall" }, range: [-0.01, 1.02] },
    },
  }));
  const pr = plot("pr", () => ({
    traces: foldTraces("pr", "recall %{x:.4f}<br>precision %{y:.4f}"),
    layout: {
      xaxis: { title: { text: "recall" }, range: [-0.01, 1.01] },
      yaxis: { title: { text: "precision" }, range: [-0.01, 1.02] },
    },
  }));
  const options = data.curves.map((each, at) => [
    String(at),
    `${shortened(each.name, 30)}: AUROC ${number(each.auroc)}, AP ${number(each.average_precision)}` +
      (each.undefined ? ` (undefined in ${each.undefined} folds)` : ""),
  ]);
  choose("curves-choices", "class", options, (value) => {
    shownCurve = Number(value);
    roc();
    pr();
  });
}
