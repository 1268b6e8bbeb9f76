// Several runs' page. `data` is what imbalance_lab/report/comparison_page.py builds.
"use strict";
const place = new Map(data.runs.map((run, i) => [run.name, i]));
const tint = (run) => CYCLE[place.get(run) % CYCLE.length];
const dashed = (run) => ["solid", "dash", "dot", "dashdot"][Math.floor(place.get(run) / CYCLE.length) % 4];
const overridesOf = (run) => Object.entries(data.runs[place.get(run)].overrides).map(([key, value]) => `${key}=${value}`).join(" ");
const swept = (value) => (value !== "" && Number.isFinite(Number(value)) ? Number(value) : value);
table("runs", [
  { title: "run", text: true, value: (row) => row.name },
  ...data.varied.map((key) => ({ title: key, text: true, wrap: true, value: (row) => swept(row.overrides[key]), cell: (row) => row.overrides[key] })),
  { title: `val ${data.scores[data.score]}`, value: (row) => row.val, cell: (row) => number(row.val) },
  ...Object.entries(data.scores).map(([key, title]) => ({ title, value: (row) => (row.test[key] ? row.test[key].value : null),
    cell: (row) => (row.test[key] ? [number(row.test[key].value), el("small", {}, range(row.test[key].ci95))] : "–") })),
], data.runs);

if (data.varied.length) {
  const scored = data.runs.filter((run) => run.val !== null);
  let key = data.varied[0];
  const scatter = plot("swept", () => {
    const numeric = scored.every((run) => typeof swept(run.overrides[key]) === "number");
    const x = scored.map((run) => (numeric ? swept(run.overrides[key]) : escaped(shortened(run.overrides[key]))));
    const text = scored.map((run) => `run ${escaped(run.name)}<br>${escaped(overridesOf(run.name))}`);
    const test = scored.map((run) => run.test[data.score]);
    return {
      traces: [{ type: "scatter", mode: "markers", name: "validation", x, y: scored.map((run) => run.val), text, marker: { size: 9, color: CYCLE[0] }, hovertemplate: "%{text}<br>val %{y:.4f}<extra></extra>" },
        { type: "scatter", mode: "markers", name: "test, 95 % interval", x, y: test.map((each) => each?.value), text, marker: { size: 8, color: CYCLE[1], symbol: "diamond" }, hovertemplate: "%{text}<br>test %{y:.4f}<extra></extra>",
          error_y: { type: "data", symmetric: false, array: test.map((each) => (each?.ci95 ? each.ci95[1] - each.value : 0)), arrayminus: test.map((each) => (each?.ci95 ? each.value - each.ci95[0] : 0)), thickness: 1.2, width: 0 } }],
      layout: { xaxis: { title: { text: escaped(key) }, type: numeric ? "linear" : "category" }, yaxis: { title: { text: data.scores[data.score] } }, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 } },
    };
  });
  choose("swept-choices", "value", data.varied.map((each) => [each, each]), (value) => { key = value; scatter(); });
  if (data.varied.length > 1 && scored.length > 2) {
    byId("parallel").hidden = false;
    // Drawn with lines: Plotly's own parallel coordinates need WebGL, which not every browser has.
    const axes = [...data.varied.map((each) => [each, scored.map((run) => swept(run.overrides[each]))]), [`val ${data.scores[data.score]}`, scored.map((run) => run.val)]].map(([title, values], at) => {
      if (values.every((value) => typeof value === "number")) {
        const [low, high] = [Math.min(...values), Math.max(...values)];
        const distinct = [...new Set(values)];
        const last = at === data.varied.length;
        return { title, heights: values.map((value) => (high > low ? (value - low) / (high - low) : 0.5)),
          ticks: !last && distinct.length <= 8 ? distinct.map((value) => [high > low ? (value - low) / (high - low) : 0.5, String(value)]) : [[0, last ? number(low) : String(low)], [1, last ? number(high) : String(high)]] };
      }
      const kinds = [...new Set(values.map(String))];
      const height = (value) => (kinds.length > 1 ? kinds.indexOf(String(value)) / (kinds.length - 1) : 0.5);
      return { title, heights: values.map(height), ticks: kinds.map((kind) => [height(kind), kind]) };
    });
    plot("parallel", () => ({
      traces: scored.map((run, i) => ({ type: "scatter", mode: "lines+markers", x: axes.map((_, at) => at), y: axes.map((axis) => axis.heights[i]), showlegend: false,
        line: { color: shade(axes[axes.length - 1].heights[i]), width: 2 }, hovertemplate: `run ${escaped(run.name)}<br>${escaped(overridesOf(run.name))}<br>${number(run.val)}<extra></extra>` })),
      layout: { xaxis: { tickvals: axes.map((_, at) => at), ticktext: axes.map((axis) => escaped(shortened(axis.title, 18))), range: [-0.3, axes.length - 0.8], zeroline: false }, yaxis: { visible: false, range: [-0.08, 1.08] },
        annotations: axes.flatMap((axis, at) => axis.ticks.map(([y, text]) => ({ x: at, y, text: escaped(shortened(text, 14)), showarrow: false, xanchor: "right", xshift: -7, font: { size: 11, color: css("--soft") } }))) },
    }));
  }
}
if (data.differences.length) {
  const fill = (at) => {
    const each = data.differences[at];
    byId("words").replaceChildren(...Object.entries(each.words).flatMap(([key, words]) => [el("b", {}, `${data.scores[key]}: `), words, el("br")]));
    table("differences", [
      { title: "AUROC of class", text: true, value: (row) => row.name, cell: (row) => row.name || "(no name)" },
      { title: `${each.a} − ${each.b} [95 % CI]`, value: (row) => row.difference, cell: (row) => [number(row.difference), el("small", {}, range(row.ci95))] },
      { title: "p (Holm)", value: (row) => row.p_holm, cell: (row) => (row.p_holm !== null && row.p_holm < 0.001 ? "< 0.001" : number(row.p_holm)) },
      { title: "better", text: true, value: (row) => (row.distinguishable ? (row.difference > 0 ? each.a : each.b) : ""), cell: (row) => (row.distinguishable ? (row.difference > 0 ? each.a : each.b) : "not distinguishable") },
    ], each.classes);
  };
  choose("differences-choices", "pair", data.differences.map((each, i) => [String(i), `${each.a} against ${each.b}`]), (value) => fill(Number(value)));
  fill(0);
}

let [group, shownClass] = [0, data.curves.length && data.curves[0].classes.length ? data.curves[0].classes[0][0] : 0];
let logarithmic = false;
const options = data.curves.flatMap((each, g) => each.classes.map(([c, name]) => [`${g}:${c}`, (data.curves.length > 1 ? `test set ${g + 1}: ` : "") + shortened(name, 40)]));
const lines = (x, y, keep) => (data.curves[group] ? data.curves[group].curves : []).filter((curve) => curve.class === shownClass).map((curve) => ({
  type: "scatter", mode: "lines", name: escaped(shortened(`run ${curve.run}`)), line: { color: tint(curve.run), dash: dashed(curve.run), width: 2 },
  x: curve.fp.map((_, i) => x(curve, i)).filter((_, i) => keep(curve, i)), y: curve.fp.map((_, i) => y(curve, i)).filter((_, i) => keep(curve, i)),
  hovertemplate: `run ${escaped(curve.run)}<br>${escaped(overridesOf(curve.run))}<br>%{x:.4f}, %{y:.4f}<extra></extra>` }));
const roc = plot("roc", () => ({
  traces: lines((curve, i) => curve.fp[i] / curve.n_negative, (curve, i) => curve.tp[i] / curve.n_positive, (curve, i) => !logarithmic || curve.fp[i] > 0),
  layout: { xaxis: { title: { text: "false positive rate" }, type: logarithmic ? "log" : "linear", ...(logarithmic ? {} : { range: [-0.01, 1.01] }) }, yaxis: { title: { text: "recall" }, range: [-0.01, 1.02] } },
}));
const pr = plot("pr", () => ({
  traces: lines((curve, i) => curve.tp[i] / curve.n_positive, (curve, i) => curve.tp[i] / (curve.tp[i] + curve.fp[i]), (curve, i) => curve.tp[i] + curve.fp[i] > 0),
  layout: { xaxis: { title: { text: "recall" }, range: [-0.01, 1.01] }, yaxis: { title: { text: "precision" }, range: [-0.01, 1.02] } },
}));
const describe = () => {
  const { runs_left_out: runs, classes_left_out: classes } = data.curves[group] || {};
  byId("roc-note").textContent = "One class against the rest, on test, the rarest first."
    + (runs ? ` The best runs are drawn, ${runs} are left out.` : "") + (classes ? ` ${classes} more common classes are left out.` : "");
};
if (options.length) choose("class-choices", "Curves of class", options, (value) => { [group, shownClass] = value.split(":").map(Number); roc(); pr(); describe(); });
toggle("roc-choices", "logarithmic false positive rate", (on) => { logarithmic = on; roc(); });
describe();
if (data.epochs.length) {
  plot("epochs", () => ({
    traces: data.epochs.map((each) => ({ type: "scatter", mode: each.epoch.length > 1 ? "lines" : "markers", x: each.epoch, y: each.auroc, name: escaped(shortened(`run ${each.run}`)), line: { color: tint(each.run), dash: dashed(each.run), width: 2 },
      hovertemplate: `run ${escaped(each.run)}<br>${escaped(overridesOf(each.run))}<br>epoch %{x}: %{y:.4f}<extra></extra>` })),
    layout: { xaxis: { title: { text: "epoch" }, tickformat: "d" }, yaxis: { title: { text: "val AUROC" } } },
  }));
}
document.body.dataset.ready = "yes";
