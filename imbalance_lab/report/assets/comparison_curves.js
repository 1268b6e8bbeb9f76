// ROC and PR curves of the runs, one class at a time, and their epochs.
let [group, shownClass] = [0, data.curves.length && data.curves[0].classes.length ? data.curves[0].classes[0][0] : 0];
let logarithmic = false;
const options = data.curves.flatMap((each, g) =>
  each.classes.map(([c, name]) => [
    `${g}:${c}`,
    (data.curves.length > 1 ? `test set ${g + 1}: ` : "") + shortened(name, 40),
  ]),
);
/** The traces of all runs for the class shown. */
const lines = (x, y, keep) =>
  (data.curves[group] ? data.curves[group].curves : [])
    .filter((curve) => curve.class === shownClass)
    .map((curve) => ({
      type: "scatter",
      mode: "lines",
      name: escaped(shortened(`run ${curve.run}`)),
      line: { color: tint(curve.run), dash: dashed(curve.run), width: 2 },
      x: curve.fp.map((_, i) => x(curve, i)).filter((_, i) => keep(curve, i)),
      y: curve.fp.map((_, i) => y(curve, i)).filter((_, i) => keep(curve, i)),
      hovertemplate: `run ${escaped(curve.run)}<br>${escaped(overridesOf(curve.run))}<br>%{x:.4f}, %{y:.4f}<extra></extra>`,
    }));
const roc = plot("roc", () => ({
  traces: lines(
    (curve, i) => curve.fp[i] / curve.n_negative,
    (curve, i) => curve.tp[i] / curve.n_positive,
    (curve, i) => !logarithmic || curve.fp[i] > 0,
  ),
  layout: {
    xaxis: {
      title: { text: "false positive rate" },
      type: logarithmic ? "log" : "linear",
      ...(logarithmic ? {} : { range: [-0.01, 1.01] }),
    },
    yaxis: { title: { text: "recall" }, range: [-0.01, 1.02] },
  },
}));
const pr = plot("pr", () => ({
  traces: lines(
    (curve, i) => curve.tp[i] / curve.n_positive,
    (curve, i) => curve.tp[i] / (curve.tp[i] + curve.fp[i]),
    (curve, i) => curve.tp[i] + curve.fp[i] > 0,
  ),
  layout: {
    xaxis: { title: { text: "recall" }, range: [-0.01, 1.01] },
    yaxis: { title: { text: "precision" }, range: [-0.01, 1.02] },
  },
}));
/** Say what the plots leave out. */
const describe = () => {
  const { runs_left_out: runs, classes_left_out: classes } = data.curves[group] || {};
  byId("roc-note").textContent =
    "One class against the rest, on test, the rarest first." +
    (runs ? ` The best runs are drawn, ${runs} are left out.` : "") +
    (classes ? ` ${classes} more common classes are left out.` : "");
};
if (options.length)
  choose("class-choices", "Curves of class", options, (value) => {
    [group, shownClass] = value.split(":").map(Number);
    roc();
    pr();
    describe();
  });
toggle("roc-choices", "logarithmic false positive rate", (on) => {
  logarithmic = on;
  roc();
});
describe();
if (data.epochs.length) {
  plot("epochs", () => ({
    traces: data.epochs.map((each) => ({
      type: "scatter",
      mode: each.epoch.length > 1 ? "lines" : "markers",
      x: each.epoch,
      y: each.auroc,
      name: escaped(shortened(`run ${each.run}`)),
      line: { color: tint(each.run), dash: dashed(each.run), width: 2 },
      hovertemplate: `run ${escaped(each.run)}<br>${escaped(overridesOf(each.run))}<br>epoch %{x}: %{y:.4f}<extra></extra>`,
    })),
    layout: { xaxis: { title: { text: "epoch" }, tickformat: "d" }, yaxis: { title: { text: "val AUROC" } } },
  }));
}
