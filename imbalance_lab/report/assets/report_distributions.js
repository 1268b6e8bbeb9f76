// Reliability curves and score histograms, one class at a time.
let calibrated = 0;
const reliability = plot("reliability", () => {
  const { bins } = data.reliability[calibrated] || { bins: [] };
  const raw = data.raw_reliability[calibrated];
  const end = Math.min(1, 1.1 * Math.max(0.05, ...bins.map((bin) => Math.max(bin.mean, bin.high)))); // of a rare class all lie near 0
  return {
    traces: [
      {
        type: "scatter",
        mode: "lines",
        x: [0, 1],
        y: [0, 1],
        line: { color: css("--soft"), width: 1, dash: "dot" },
        hoverinfo: "skip",
        showlegend: false,
      },
      ...(raw
        ? [
            {
              type: "scatter",
              mode: "lines",
              name: "raw",
              x: raw.bins.map((bin) => bin.mean),
              y: raw.bins.map((bin) => bin.share),
              line: { color: css("--soft"), width: 1.2, dash: "dot" },
              hovertemplate: "raw: mean probability %{x:.3f}, observed share %{y:.3f}<extra></extra>",
            },
          ]
        : []),
      {
        type: "scatter",
        mode: "markers+lines",
        name: "after post-processing",
        x: bins.map((bin) => bin.mean),
        y: bins.map((bin) => bin.share),
        showlegend: raw !== undefined,
        line: { color: CYCLE[0], width: 2 },
        marker: { size: 7 },
        error_y: {
          type: "data",
          symmetric: false,
          array: bins.map((bin) => bin.high - bin.share),
          arrayminus: bins.map((bin) => bin.share - bin.low),
          thickness: 1.2,
          width: 0,
        },
        text: bins.map((bin) => `${whole(bin.n)} examples`),
        hovertemplate: "%{text}<br>mean probability %{x:.3f}, observed share %{y:.3f}<extra></extra>",
      },
    ],
    layout: {
      xaxis: { title: { text: "mean probability" }, range: [-0.02 * end, 1.02 * end] },
      yaxis: { title: { text: "observed share" }, range: [-0.02 * end, 1.02 * end] },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    },
  };
});
choose(
  "reliability-choices",
  "of",
  data.reliability.map((each, i) => [String(i), each.class === null ? "predicted class" : shortened(name(each.class))]),
  (value) => {
    calibrated = Number(value);
    reliability();
  },
);

let distributed = 0;
const scores = plot("scores", () => {
  const { edges, positive, negative, threshold } = data.scores[distributed] || {
    edges: [],
    positive: [],
    negative: [],
  };
  const steps = (counts, label, tint) => {
    const total = counts.reduce((sum, n) => sum + n, 0) || 1;
    return {
      type: "scatter",
      mode: "lines",
      line: { shape: "hv", color: tint, width: 1.5 },
      fill: "tozeroy",
      fillcolor: faint(tint, 0.25),
      name: label,
      x: edges,
      y: [...counts.map((n) => n / total), 0],
      customdata: [...counts, 0],
      hovertemplate: `${label}: %{customdata} examples<extra></extra>`,
    };
  };
  return {
    traces: [steps(negative, "negatives", palette().rarity[0]), steps(positive, "positives", CYCLE[0])],
    layout: {
      xaxis: { title: { text: "log-odds" } },
      yaxis: { title: { text: "share" }, rangemode: "tozero" },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      shapes:
        threshold === undefined || threshold === null
          ? []
          : [
              {
                type: "line",
                x0: threshold,
                x1: threshold,
                yref: "paper",
                y0: 0,
                y1: 1,
                line: { color: palette().chosen, dash: "dot", width: 1.5 },
              },
            ],
      annotations:
        threshold === undefined || threshold === null
          ? []
          : [
              {
                x: threshold,
                yref: "paper",
                y: 1,
                text: "threshold",
                showarrow: false,
                xanchor: "left",
                yanchor: "top",
                font: { color: css("--ink"), size: 11 },
              },
            ],
    },
  };
});
choose(
  "scores-choices",
  "class",
  data.scores.map((each, i) => [String(i), shortened(name(each.class))]),
  (value) => {
    distributed = Number(value);
    scores();
  },
);
