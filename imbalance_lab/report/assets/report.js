// One run's page. `data` is what imbalance_lab/report/page.py builds.
"use strict";
data.headline.forEach((each) => byId("headline").append(el("div", { className: "figure" },
  el("span", {}, each.name), el("b", {}, number(each.value)), el("span", {}, range(each.ci95)), each.note ? el("span", {}, each.note) : null)));

const name = (c) => data.classes[c].name || "(no name)";
const order = data.classes.map((_, c) => c).sort((a, b) => data.classes[b].train_count - data.classes[a].train_count);
const rarity = new Map(order.map((c, i) => [c, order.length > 1 ? i / (order.length - 1) : 1]));
const color = (c) => shade(rarity.get(c));
const scored = (score) => [number(score.value), el("small", {}, range(score.ci95))];

table("classes", [
  { title: "class", text: true, value: (row) => row.name, cell: (row) => [el("span", { title: row.name }, row.name || "(no name)"),
    row.few_positives ? el("span", { className: "flag", title: `fewer than ${data.few_positives} positives in test: interpret with care` }, "few in test") : null] },
  { title: "train", value: (row) => row.train_count, cell: (row) => whole(row.train_count) },
  { title: "group", text: true, value: (row) => row.group },
  { title: "test", value: (row) => row.n_positive, cell: (row) => whole(row.n_positive) },
  { title: "AUROC [95 % CI]", value: (row) => row.auroc.value, cell: (row) => scored(row.auroc) },
  { title: "AP [95 % CI]", value: (row) => row.average_precision.value, cell: (row) => scored(row.average_precision) },
  { title: "× prevalence", value: (row) => row.lift, cell: (row) => (row.lift === null ? "–" : row.lift.toFixed(row.lift < 10 ? 1 : 0)) },
  { title: "recall [95 % CI]", value: (row) => row.recall.value, cell: (row) => scored(row.recall) },
  { title: "precision [95 % CI]", value: (row) => row.precision.value, cell: (row) => scored(row.precision) },
], data.classes);

// Curves: vertices (fp, tp, threshold) of the full data, less those that make no visible difference.
let logarithmic = false;
const visible = new Set(data.curves.slice(0, 12).map((curve) => curve.class));
const vertex = (curve, i) => `threshold ${curve.threshold[i] === null ? "–" : number(1 / (1 + Math.exp(-curve.threshold[i])), 4)}`
  + `<br>${whole(curve.tp[i])} of ${whole(curve.n_positive)} found<br>${whole(curve.fp[i])} false alarms`;
const line = (curve, x, y, keep) => ({
  type: "scatter", mode: "lines", name: escaped(shortened(name(curve.class))), x: x.filter(keep), y: y.filter(keep),
  text: curve.tp.map((_, i) => vertex(curve, i)).filter(keep), line: { color: color(curve.class), width: 2 }, visible: visible.has(curve.class) ? true : "legendonly",
  hovertemplate: `<b>${escaped(shortened(name(curve.class)))}</b><br>%{text}<extra></extra>`,
});
const roc = plot("roc", () => ({
  traces: [{ type: "scatter", mode: "lines", x: logarithmic ? Array.from({ length: 61 }, (_, i) => 10 ** (-6 + i / 10)) : [0, 1],
    y: logarithmic ? Array.from({ length: 61 }, (_, i) => 10 ** (-6 + i / 10)) : [0, 1], line: { color: css("--line"), width: 1.5 }, hoverinfo: "skip", showlegend: false },
    ...data.curves.map((curve) => line(curve, curve.fp.map((fp) => fp / curve.n_negative), curve.tp.map((tp) => tp / curve.n_positive), (_, i) => !logarithmic || curve.fp[i] > 0))],
  layout: { xaxis: { title: { text: "false positive rate" }, type: logarithmic ? "log" : "linear",
      range: logarithmic ? [Math.log10(0.7 / Math.max(...data.curves.map((curve) => curve.n_negative), 1)), 0.02] : [-0.01, 1.01] },
    yaxis: { title: { text: "recall" }, range: [-0.01, 1.02] } },
}));
toggle("roc-choices", "logarithmic false positive rate", (on) => { logarithmic = on; roc(); });
plot("pr", () => ({
  traces: data.curves.map((curve) => line(curve, curve.tp.map((tp) => tp / curve.n_positive), curve.tp.map((tp, i) => tp / (tp + curve.fp[i])), (_, i) => curve.tp[i] + curve.fp[i] > 0)),
  layout: { xaxis: { title: { text: "recall" }, range: [-0.01, 1.01] }, yaxis: { title: { text: "precision" }, range: [-0.01, 1.02] } },
}));

if (data.confusion) {
  const names = data.confusion.classes.map((c) => escaped(shortened(name(c), 16)));
  const ticks = { tickvals: names.map((_, i) => i), ticktext: names, showgrid: false, zeroline: false };
  let shares = true;
  const counts = data.confusion.counts, totals = data.confusion.totals;
  const matrix = plot("confusion", () => {
    const z = counts.map((row, i) => row.map((n) => (shares ? (totals[i] ? n / totals[i] : null) : n)));
    const few = names.length <= 20;
    return {
      traces: [{ type: "heatmap", z, customdata: counts.map((row, i) => row.map((n, j) => [name(data.confusion.classes[i]), name(data.confusion.classes[j]), whole(n), whole(totals[i])].map(escaped))),
        hovertemplate: "true %{customdata[0]}<br>predicted %{customdata[1]}<br>%{customdata[2]} of %{customdata[3]}<extra></extra>",
        colorscale: dark.matches ? [[0, "#1b1f29"], [0.02, "#22304f"], [1, "#8fb2ff"]] : [[0, "#ffffff"], [0.02, "#eaf0fd"], [1, "#1d4fbf"]], showscale: false, xgap: 1, ygap: 1, zmin: 0, zmax: shares ? 1 : Math.max(1, ...counts.flat()),
        text: few ? z.map((row) => row.map((v) => (!v ? "" : shares ? number(v, 2) : whole(v)))) : undefined, texttemplate: few ? "%{text}" : undefined }],
      layout: { xaxis: { ...ticks, title: { text: "predicted" }, tickangle: names.some((each) => each.length > 3) ? -40 : 0 }, yaxis: { ...ticks, title: { text: "true" }, autorange: "reversed" }, height: Math.max(380, Math.min(900, 26 * names.length + 140)) },
    };
  });
  choose("confusion-choices", "show", [["shares", "shares of the true class"], ["counts", "counts"]], (value) => { shares = value === "shares"; matrix(); });
}

let calibrated = 0;
const reliability = plot("reliability", () => {
  const { bins } = data.reliability[calibrated] || { bins: [] };
  return {
    traces: [{ type: "scatter", mode: "lines", x: [0, 1], y: [0, 1], line: { color: css("--line"), width: 1.5 }, hoverinfo: "skip", showlegend: false },
      { type: "scatter", mode: "markers+lines", x: bins.map((bin) => bin.mean), y: bins.map((bin) => bin.share), showlegend: false, line: { color: css("--accent"), width: 1.5 }, marker: { size: 7 },
        error_y: { type: "data", symmetric: false, array: bins.map((bin) => bin.high - bin.share), arrayminus: bins.map((bin) => bin.share - bin.low), thickness: 1.2, width: 0 },
        text: bins.map((bin) => `${whole(bin.n)} examples`), hovertemplate: "%{text}<br>mean probability %{x:.3f}, observed share %{y:.3f}<extra></extra>" }],
    layout: { xaxis: { title: { text: "mean probability" }, range: [-0.02, 1.02] }, yaxis: { title: { text: "observed share" }, range: [-0.02, 1.02] } },
  };
});
choose("reliability-choices", "of", data.reliability.map((each, i) => [String(i), each.class === null ? "predicted class" : shortened(name(each.class))]), (value) => { calibrated = Number(value); reliability(); });

let distributed = 0;
const scores = plot("scores", () => {
  const { edges, positive, negative, threshold } = data.scores[distributed] || { edges: [], positive: [], negative: [] };
  const steps = (counts, label, tint) => {
    const total = counts.reduce((sum, n) => sum + n, 0) || 1;
    return { type: "scatter", mode: "lines", line: { shape: "hv", color: tint, width: 1.5 }, fill: "tozeroy", name: label, x: edges, y: [...counts.map((n) => n / total), 0],
      customdata: [...counts, 0], hovertemplate: `${label}: %{customdata} examples<extra></extra>` };
  };
  return {
    traces: [steps(negative, "negatives", dark.matches ? "#8d95a5" : "#9aa1af"), steps(positive, "positives", css("--accent"))],
    layout: { xaxis: { title: { text: "log-odds" } }, yaxis: { title: { text: "share" }, rangemode: "tozero" }, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      shapes: threshold === undefined || threshold === null ? [] : [{ type: "line", x0: threshold, x1: threshold, yref: "paper", y0: 0, y1: 1, line: { color: css("--warn"), dash: "dot", width: 1.5 } }],
      annotations: threshold === undefined || threshold === null ? [] : [{ x: threshold, yref: "paper", y: 1, text: "threshold", showarrow: false, xanchor: "left", yanchor: "top", font: { color: css("--warn"), size: 11 } }] },
  };
});
choose("scores-choices", "class", data.scores.map((each, i) => [String(i), shortened(name(each.class))]), (value) => { distributed = Number(value); scores(); });

if (data.epochs) {
  const { epoch, auroc, val_loss, train_loss, best } = data.epochs;
  const along = (y, label, tint, axis, dash) => ({ type: "scatter", mode: epoch.length > 1 ? "lines" : "markers", x: epoch, y, name: label, yaxis: axis, line: { color: tint, width: 2, dash }, hovertemplate: `epoch %{x}: %{y:.4f}<extra>${label}</extra>` });
  plot("epochs", () => ({
    traces: [along(auroc, "val AUROC", CYCLE[0], "y"), along(val_loss, "val loss", CYCLE[1], "y2"), along(train_loss, "train loss", CYCLE[1], "y2", "dot")],
    layout: { xaxis: { title: { text: "epoch" }, tickformat: "d", anchor: "y2" }, yaxis: { title: { text: "AUROC" }, domain: [0.55, 1] }, yaxis2: { title: { text: "loss" }, domain: [0, 0.45] }, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      shapes: [{ type: "line", x0: epoch[best], x1: epoch[best], yref: "paper", y0: 0, y1: 1, line: { color: css("--soft"), dash: "dot", width: 1.2 } }] },
  }));
}
plot("counts", () => {
  const { classes: shown, splits } = data.counts, labels = shown.map((c) => escaped(shortened(name(c), 16)));
  return {
    traces: splits.map((split, i) => ({ type: "bar", name: split.split, x: shown.map((_, at) => at), y: split.counts.map((n) => n || null), marker: { color: CYCLE[i] }, hovertemplate: `%{y:,} in ${split.split}<extra></extra>` })),
    layout: { barmode: "group", bargap: 0.25, xaxis: { tickvals: labels.map((_, i) => i), ticktext: labels, tickangle: labels.some((each) => each.length > 3) ? -40 : 0 }, yaxis: { type: "log", title: { text: "examples" }, dtick: 1 }, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 } },
  };
});

table("point", [
  { title: "class", text: true, value: (row) => name(row.class), cell: (row) => el("span", { title: name(row.class) }, name(row.class)) },
  { title: "threshold", value: (row) => row.threshold, cell: (row) => number(row.threshold, 4) },
  { title: "found", value: (row) => row.tp, cell: (row) => (row.tp === null ? "–" : `${whole(row.tp)} of ${whole(row.n_positive)}`) },
  { title: "missed", value: (row) => row.missed, cell: (row) => whole(row.missed) },
  { title: "false alarms", value: (row) => row.fp, cell: (row) => whole(row.fp) },
  { title: "alarms per true positive", value: (row) => row.alarms_per_true_positive, cell: (row) => number(row.alarms_per_true_positive, 2) },
  { title: "recall", value: (row) => row.recall, cell: (row) => number(row.recall) },
  { title: "precision", value: (row) => row.precision, cell: (row) => number(row.precision) },
  ...(data.point.rows.some((row) => row.reason) ? [{ title: "why there is no threshold", text: true, wrap: true, value: (row) => row.reason || "", cell: (row) => row.reason || "" }] : []),
], data.point.rows);

document.body.dataset.ready = "yes";
