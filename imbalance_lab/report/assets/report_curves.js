// ROC and PR curves: vertices (fp, tp, threshold) of the full data, less those that make no visible difference.
let logarithmic = false;
const visible = new Set(data.curves.slice(0, 12).map((curve) => curve.class));
/** The hover text of a vertex. @param {Object} curve @param {number} i @returns {string} */
const vertex = (curve, i) =>
  `threshold ${curve.threshold[i] === null ? "–" : number(1 / (1 + Math.exp(-curve.threshold[i])), 4)}` +
  `<br>${whole(curve.tp[i])} of ${whole(curve.n_positive)} found<br>${whole(curve.fp[i])} false alarms`;
/** The trace of a curve; `keep` chooses among its vertices. */
const line = (curve, x, y, keep) => ({
  type: "scatter",
  mode: "lines",
  name: escaped(shortened(name(curve.class))),
  x: x.filter(keep),
  y: y.filter(keep),
  text: curve.tp.map((_, i) => vertex(curve, i)).filter(keep),
  line: { color: color(curve.class), width: 2 },
  visible: visible.has(curve.class) ? true : "legendonly",
  hovertemplate: `<b>${escaped(shortened(name(curve.class)))}</b><br>%{text}<extra></extra>`,
});
const roc = plot("roc", () => ({
  traces: [
    {
      type: "scatter",
      mode: "lines",
      x: logarithmic ? Array.from({ length: 61 }, (_, i) => 10 ** (-6 + i / 10)) : [0, 1],
      y: logarithmic ? Array.from({ length: 61 }, (_, i) => 10 ** (-6 + i / 10)) : [0, 1],
      line: { color: css("--line"), width: 1.5 },
      hoverinfo: "skip",
      showlegend: false,
    },
    ...data.curves.map((curve) =>
      line(
        curve,
        curve.fp.map((fp) => fp / curve.n_negative),
        curve.tp.map((tp) => tp / curve.n_positive),
        (_, i) => !logarithmic || curve.fp[i] > 0,
      ),
    ),
  ],
  layout: {
    xaxis: {
      title: { text: "false positive rate" },
      type: logarithmic ? "log" : "linear",
      range: logarithmic
        ? [Math.log10(0.7 / Math.max(...data.curves.map((curve) => curve.n_negative), 1)), 0.02]
        : [-0.01, 1.01],
    },
    yaxis: { title: { text: "recall" }, range: [-0.01, 1.02] },
  },
}));
toggle("roc-choices", "logarithmic false positive rate", (on) => {
  logarithmic = on;
  roc();
});
plot("pr", () => ({
  traces: data.curves.map((curve) =>
    line(
      curve,
      curve.tp.map((tp) => tp / curve.n_positive),
      curve.tp.map((tp, i) => tp / (tp + curve.fp[i])),
      (_, i) => curve.tp[i] + curve.fp[i] > 0,
    ),
  ),
  layout: {
    xaxis: { title: { text: "recall" }, range: [-0.01, 1.01] },
    yaxis: { title: { text: "precision" }, range: [-0.01, 1.02] },
  },
}));
