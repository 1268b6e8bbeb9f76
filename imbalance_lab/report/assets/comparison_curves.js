// ROC and PR curves of the best settings for one class, and their epochs: means over replicates with their range.
let [group, shownClass] =
  data.curves.length && data.curves[0].classes.length ? [0, data.curves[0].classes[0][0]] : [0, 0];
let logarithmic = false;
const hidden = new Set();
const classOptions = data.curves.flatMap((each, g) =>
  each.classes.map(([c, name]) => [
    `${g}:${c}`,
    (data.curves.length > 1 ? `test set ${g + 1}: ` : "") + shortened(name, 40),
  ]),
);
/** The curves of the chosen class, without the settings that are switched off. */
const shownCurves = () =>
  (data.curves[group]?.curves || []).filter((curve) => curve.class === shownClass && !hidden.has(curve.setting));

/** One kind of the curves as lines. @param {Object[]} curves @param {string} kind - "roc" or "pr". @returns {MeanLine[]} */
const meanLines = (curves, kind) =>
  curves.map((each) => ({ setting: each.setting, name: settingName(data.settings[each.setting], 60), ...each[kind] }));

const roc = plot("roc", () => {
  const curves = shownCurves();
  const ends = logarithmic ? Array.from({ length: 61 }, (_, i) => 10 ** (-6 + i / 10)) : [0, 1];
  const smallest = Math.log10(0.7 / Math.max(...curves.map((each) => each.n_negative), 1));
  return {
    traces: [
      {
        type: "scatter",
        mode: "lines",
        x: ends,
        y: ends,
        line: { color: css("--soft"), width: 1, dash: "dot" },
        hoverinfo: "skip",
        showlegend: false,
      },
      ...bandTraces(meanLines(curves, "roc"), {
        hover: "false positive rate %{x:.4f}<br>recall %{y:.4f}",
        keep: (x) => !logarithmic || x > 0,
      }),
    ],
    layout: {
      margin: { l: 56, r: 14, t: 8, b: 46 },
      xaxis: {
        title: { text: "false positive rate" },
        type: logarithmic ? "log" : "linear",
        range: logarithmic ? [smallest, 0.02] : [-0.01, 1.01],
      },
      yaxis: { title: { text: "recall" }, range: [-0.01, 1.02] },
    },
  };
});
const pr = plot("pr", () => {
  const curves = shownCurves();
  const prevalence = curves.length ? curves[0].n_positive / (curves[0].n_positive + curves[0].n_negative) : null;
  return {
    traces: [
      {
        type: "scatter",
        mode: "lines",
        x: [0, 1],
        y: [prevalence, prevalence],
        line: { color: css("--soft"), width: 1, dash: "dot" },
        hoverinfo: "skip",
        showlegend: false,
      },
      ...bandTraces(meanLines(curves, "pr"), { hover: "recall %{x:.4f}<br>precision %{y:.4f}" }),
    ],
    layout: {
      margin: { l: 56, r: 14, t: 8, b: 46 },
      xaxis: { title: { text: "recall" }, range: [-0.01, 1.01] },
      yaxis: { title: { text: "precision" }, range: [-0.01, 1.02] },
    },
  };
});

/** The legend of both plots, with the scores of the chosen class. */
function fillLegend() {
  const curves = (data.curves[group]?.curves || []).filter((curve) => curve.class === shownClass);
  const scores = (each) => `${number(each.auroc)} · ${number(each.average_precision)}`;
  const entries = curves.map((each) => settingEntry(each.setting, scores(each)));
  lineLegend("curves-legend", entries, hidden, () => {
    roc();
    pr();
  });
}

/** Say what the plots show and what they leave out. */
function describeCurves() {
  const { settings_left_out: settings, classes_left_out: classes, of_folds: ofFolds } = data.curves[group] || {};
  const repeated = shownCurves().some((each) => each.n > 1);
  byId("curves-note").textContent =
    "One class against the rest, on test." +
    (repeated ? " Lines are means over the replicates, bands run from the lowest to the highest." : "") +
    " Beside each setting: AUROC · average precision of this class." +
    (ofFolds
      ? " Of a cross-validation the curve is that of all out-of-fold predictions in one ranking: where the folds' models" +
        " differ in their scale it can lie below the mean of the folds, which the tables show."
      : "") +
    (settings ? ` The best settings are drawn, ${whole(settings)} are left out.` : "") +
    (classes ? ` ${whole(classes)} more common classes are left out.` : "");
}
if (classOptions.length) {
  choose("curves-choices", "class", classOptions, (value) => {
    [group, shownClass] = value.split(":").map(Number);
    hidden.clear();
    roc();
    pr();
    fillLegend();
    describeCurves();
  });
  toggle("curves-choices", "logarithmic false positive rate", (on) => {
    logarithmic = on;
    roc();
  });
  drawn.push(fillLegend); // its colors follow the theme
  fillLegend();
  describeCurves();
} else byId("curves-section").hidden = true;

if (data.epochs.length) {
  const last = Math.max(...data.epochs.flatMap((each) => each.x));
  const first = Math.min(...data.epochs.flatMap((each) => each.x));
  const isShort = last - first < 12;
  plot("epochs", () => {
    const entries = data.epochs.map(({ setting }) => settingEntry(setting));
    lineLegend("epochs-legend", entries.length > 1 ? entries : []);
    const means = data.epochs.map((each) => ({ ...each, name: settingName(data.settings[each.setting], 60) }));
    return {
      traces: bandTraces(means, {
        hover: "epoch %{x}<br>val AUROC %{y:.4f}",
        mode: isShort ? "lines+markers" : "lines",
      }),
      layout: {
        xaxis: { title: { text: "epoch" }, tickformat: "d", ...(isShort ? { dtick: 1 } : {}), zeroline: false },
        yaxis: { title: { text: "val AUROC" }, zeroline: false },
      },
    };
  });
}
