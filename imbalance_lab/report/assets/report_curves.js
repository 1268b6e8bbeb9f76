// ROC and PR curves: vertices (fp, tp, threshold) of the full data, less those that make no visible difference. One class
// is chosen: it is on top, with its band and its operating point. The data come from imbalance_lab/report/payload.py.
const FEW_CURVES = 5; // so many have a color of their own, and are named in the plot
const fewCurves = data.curves.length <= FEW_CURVES;
const GROUPS = ["many", "medium", "few"];
const groups = GROUPS.filter((group) => data.curves.some((curve) => curve.group === group));
let chosen = data.curves.length ? data.curves[0] : null; // the rarest
let isolated = null; // the shot group that is shown alone
let logarithmic = false;

/** The color of a curve. @param {Object} curve @returns {string} */
function tint(curve) {
  if (fewCurves) return CYCLE[data.curves.indexOf(curve)];
  return curve === chosen ? palette().chosen : palette().rarity[GROUPS.indexOf(curve.group)];
}
/** A threshold's log-odds as a probability. @param {?number} logOdds @returns {string} */
const probability = (logOdds) => (logOdds === null ? "–" : number(1 / (1 + Math.exp(-logOdds)), 4));
/** What a threshold does, for hovering. @param {Object} curve @param {number} tp @param {number} fp @returns {string} */
const counted = (curve, tp, fp) =>
  `${whole(tp)} of ${whole(curve.n_positive)} found<br>${whole(tp + fp)} alarms, ${whole(fp)} of them false`;

// The two plots: where a threshold with these counts stands, and the ends of the band.
const ROC = {
  at: (curve, tp, fp) => [fp / curve.n_negative, tp / curve.n_positive],
  band: ({ fpr, recall_low, recall_high }) => [fpr, recall_low, recall_high],
  keep: (x) => !logarithmic || x > 0,
};
const PR = {
  at: (curve, tp, fp) => [tp / curve.n_positive, tp + fp ? tp / (tp + fp) : NaN],
  band: ({ recall, precision_low, precision_high }) => [recall, precision_low, precision_high],
  keep: (_, y) => !Number.isNaN(y),
};

/** The trace of a curve. @param {Object} kind - ROC or PR. @param {Object} curve @returns {Object} */
function line(kind, curve) {
  const points = curve.tp.map((tp, i) => [...kind.at(curve, tp, curve.fp[i]), i]).filter(([x, y]) => kind.keep(x, y));
  const isChosen = curve === chosen;
  const label = `<b>${escaped(shortened(name(curve.class)))}</b>`;
  return {
    type: "scatter",
    mode: "lines",
    meta: { class: curve.class },
    x: points.map(([x]) => x),
    y: points.map(([, y]) => y),
    text: points.map(
      ([, , i]) => `threshold ${probability(curve.threshold[i])}<br>${counted(curve, curve.tp[i], curve.fp[i])}`,
    ),
    line: { color: tint(curve), width: isChosen ? 3 : fewCurves ? 1.6 : 1 },
    opacity: isChosen || fewCurves ? 1 : data.curves.length > 15 ? 0.4 : 0.6,
    hovertemplate: `${label}<br>%{text}<extra></extra>`,
  };
}

/** The band of the chosen class, as one filled outline. @param {Object} kind @returns {Object} */
function band(kind) {
  const [x, low, high] = kind.band(chosen.band);
  const kept = x.map((_, i) => i).filter((i) => kind.keep(x[i], low[i]));
  const back = [...kept].reverse();
  return {
    type: "scatter",
    mode: "lines",
    meta: { band: chosen.class },
    x: [...kept.map((i) => x[i]), ...back.map((i) => x[i])],
    y: [...kept.map((i) => high[i]), ...back.map((i) => low[i])],
    fill: "toself",
    fillcolor: faint(tint(chosen), dark.matches ? 0.24 : 0.16),
    line: { width: 0 },
    hoverinfo: "skip",
  };
}

/** A ring at the operating point of the chosen class, if it has one that flags anything. @param {Object} kind */
function ring(kind) {
  const { threshold, tp, fp } = chosen.point || { tp: 0, fp: 0 };
  const [x, y] = kind.at(chosen, tp, fp);
  if (!chosen.point || !kind.keep(x, y)) return [];
  const shown = number(threshold, 4);
  return [
    {
      type: "scatter",
      mode: "markers",
      meta: { ring: chosen.class },
      x: [x],
      y: [y],
      cliponaxis: false,
      marker: { size: 12, color: css("--sheet"), line: { color: tint(chosen), width: 3 } },
      hovertemplate: `<b>operating point</b><br>threshold ${shown}<br>${counted(chosen, tp, fp)}<extra></extra>`,
    },
  ];
}

/** The curves from quiet to strong: the chosen one is drawn last. @returns {Object[]} */
function shown() {
  const others = data.curves.filter((each) => each !== chosen && (!isolated || each.group === isolated)).reverse();
  return chosen ? [...others, chosen] : [];
}

/** A line that a curve without skill follows. @param {number[]} x @param {number[]} y @returns {Object} */
const chance = (x, y) => ({
  type: "scatter",
  mode: "lines",
  meta: "chance",
  x,
  y,
  line: { color: css("--soft"), width: 1, dash: "dot" },
  hoverinfo: "skip",
});

/** Names of the few curves, or of the chosen one, in the corner that fewer points of the curves lie in. */
function key(traces, corners) {
  const inside = ({ x, y }) =>
    traces.reduce((sum, trace) => sum + trace.x.filter((_, i) => x(trace.x[i]) && y(trace.y[i])).length, 0);
  const corner = corners.reduce((best, each) => (inside(each) < inside(best) ? each : best));
  const named = fewCurves ? data.curves : [chosen];
  const rows = named.map((curve) => {
    const label = escaped(shortened(name(curve.class), 28));
    return `<span style="color:${tint(curve)}"><b>━</b></span> ${curve === chosen ? `<b>${label}</b>` : label}`;
  });
  const { anchor } = corner;
  return {
    xref: "paper",
    yref: "paper",
    x: anchor[0] === "left" ? 0.02 : 0.98,
    y: anchor[1] === "bottom" ? 0.03 : 0.98,
    xanchor: anchor[0],
    yanchor: anchor[1],
    align: "left",
    showarrow: false,
    bgcolor: faint(css("--sheet"), 0.85),
    text: rows.join("<br>"),
  };
}
const LOWER_RIGHT = { anchor: ["right", "bottom"], x: (x) => x > 0.55, y: (y) => y < 0.3 };
const LOWER_LEFT = { anchor: ["left", "bottom"], x: (x) => x < 0.45, y: (y) => y < 0.3 };
const UPPER_RIGHT = { anchor: ["right", "top"], x: (x) => x > 0.55, y: (y) => y > 0.7 };

/** Traces and layout of a plot. */
function drawing(kind, guide, corners, xaxis, yaxis, notes = []) {
  if (!chosen) return { traces: [], layout: { xaxis, yaxis } };
  const lines = shown().map((curve) => line(kind, curve));
  const fixed = { automargin: false, tickformat: "~g", zeroline: false };
  return {
    traces: [guide, band(kind), ...lines, ...ring(kind)],
    layout: {
      showlegend: false,
      margin: { l: 52, r: 14, t: 10, b: 46 },
      annotations: [key(lines, corners), ...notes],
      xaxis: { ...fixed, ...xaxis },
      yaxis: { ...fixed, range: [-0.01, 1.02], ...yaxis },
    },
  };
}
const roc = plot("roc", () => {
  const most = Math.max(...data.curves.map((curve) => curve.n_negative), 1);
  const along = logarithmic ? Array.from({ length: 61 }, (_, i) => 10 ** (-6 + i / 10)) : [0, 1];
  return drawing(
    ROC,
    chance(along, along),
    [LOWER_RIGHT],
    {
      title: { text: "false positive rate" },
      type: logarithmic ? "log" : "linear",
      dtick: logarithmic ? 1 : 0.2,
      range: logarithmic ? [Math.log10(0.7 / most), 0.02] : [-0.01, 1.01],
    },
    { title: { text: "recall" }, dtick: 0.2 },
  );
});
const pr = plot("pr", () => {
  const prevalence = chosen ? chosen.n_positive / (chosen.n_positive + chosen.n_negative) : 0;
  const note = {
    x: 0,
    y: prevalence,
    xanchor: "left",
    yanchor: "bottom",
    showarrow: false,
    text: `prevalence ${Number((100 * prevalence).toPrecision(2))} %`,
    font: { color: css("--soft"), size: 11 },
  };
  return drawing(
    PR,
    chance([0, 1], [prevalence, prevalence]),
    [UPPER_RIGHT, LOWER_LEFT],
    { title: { text: "recall" }, range: [-0.01, 1.01], dtick: 0.2 },
    { title: { text: "precision" }, dtick: 0.2 },
    [note],
  );
});

/** Draw both plots again, and show which group is pressed. */
function drawCurves() {
  for (const chip of document.querySelectorAll("#curves-choices .chip"))
    chip.setAttribute("aria-pressed", chip.dataset.group === isolated);
  roc();
  pr();
}
if (data.curves.length > 1) {
  choose(
    "curves-choices",
    "class",
    data.curves.map((curve) => [String(curve.class), shortened(name(curve.class), 40)]),
    (value) => {
      chosen = data.curves.find((curve) => String(curve.class) === value);
      drawCurves();
    },
  );
}
if (!fewCurves && groups.length > 1) {
  for (const group of groups) {
    const n = data.curves.filter((curve) => curve.group === group).length;
    const swatch = el("i", { className: `swatch ${group}` });
    const chip = el(
      "button",
      { type: "button", className: "chip", title: "show only these" },
      swatch,
      `${group} (${n})`,
    );
    chip.dataset.group = group;
    chip.onclick = () => {
      isolated = isolated === group ? null : group;
      drawCurves();
    };
    byId("curves-choices").append(chip);
  }
  const paint = () => {
    for (const swatch of document.querySelectorAll("#curves-choices .swatch"))
      swatch.style.background = palette().rarity[GROUPS.indexOf(swatch.parentNode.dataset.group)];
  };
  dark.addEventListener("change", paint);
  paint();
}
toggle("curves-choices", "logarithmic false positive rate", (on) => {
  logarithmic = on;
  roc();
});
drawCurves();
