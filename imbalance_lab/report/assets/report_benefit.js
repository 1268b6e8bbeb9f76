// Decision curve, gains and enrichment of a binary task; the scores of probabilities of any.
if (data.benefit) {
  const { decision, gains, flagged, enrichment } = data.benefit;
  const each = 1000;
  const scaled = (values) => values.map((value) => each * value);
  const bounds = [-0.25 * decision.prevalence, Math.max(decision.prevalence, ...decision.high) * 1.05].map(
    (y) => each * y,
  );
  const at = decision.chosen;
  const ring = (x, y, text) => ({
    type: "scatter",
    mode: "markers",
    x: [x],
    y: [y],
    name: "operating point",
    marker: { size: 11, color: "rgba(0,0,0,0)", line: { color: css("--warn"), width: 2.5 } },
    hovertemplate: `${text}<extra>operating point</extra>`,
  });
  /** A percentage with two digits. @param {number} share @returns {string} */
  const percent = (share) => `${Number((100 * share).toPrecision(2))} %`;
  plot("benefit", () => ({
    traces: [
      {
        type: "scatter",
        mode: "lines",
        x: [...decision.threshold, ...[...decision.threshold].reverse()],
        y: scaled([...decision.high, ...[...decision.low].reverse()]),
        fill: "toself",
        fillcolor: `${css("--accent")}2e`,
        line: { width: 0 },
        hoverinfo: "skip",
        showlegend: false,
      },
      {
        type: "scatter",
        mode: "lines",
        x: decision.threshold,
        y: scaled(decision.flag_all),
        name: "flag all",
        line: { color: css("--soft"), width: 1.5, dash: "dash" },
        hoverinfo: "skip",
      },
      {
        type: "scatter",
        mode: "lines",
        x: decision.threshold.slice(0, 1).concat(decision.threshold.slice(-1)),
        y: [0, 0],
        name: "flag none",
        line: { color: css("--soft"), width: 1.5, dash: "dot" },
        hoverinfo: "skip",
      },
      {
        type: "scatter",
        mode: "lines",
        x: decision.threshold,
        y: scaled(decision.net_benefit),
        name: "model",
        line: { color: css("--accent"), width: 2.5 },
        text: decision.threshold.map(
          (t, i) =>
            `threshold ${percent(t)}: ${number(each * decision.net_benefit[i], 2)} ` +
            `[${number(each * decision.low[i], 2)}, ${number(each * decision.high[i], 2)}]<br>flags ${percent(decision.flagged[i])}`,
        ),
        hovertemplate: "%{text}<extra></extra>",
      },
      ...(at === null
        ? []
        : [
            ring(
              decision.threshold[at],
              each * decision.net_benefit[at],
              `threshold ${percent(decision.threshold[at])}`,
            ),
          ]),
    ],
    layout: {
      xaxis: {
        title: { text: "threshold probability" },
        type: "log",
        range: [Math.log10(decision.threshold[0]), Math.log10(decision.threshold.at(-1))],
        tickformat: "~p",
        dtick: byId("benefit").clientWidth < 520 ? 1 : "D2",
      },
      yaxis: { title: { text: "net benefit per 1,000" }, range: bounds },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    },
  }));
  let near = false;
  const drawGains = plot("gains", () => {
    const shown = gains.flagged.map((x, i) => [x, gains.recall[i]]).filter(([x]) => !near || x > 0);
    const line = Array.from({ length: 61 }, (_, i) => 10 ** (-6 + i / 10));
    return {
      traces: [
        {
          type: "scatter",
          mode: "lines",
          x: near ? line : [0, 1],
          y: near ? line : [0, 1],
          name: "at random",
          line: { color: css("--soft"), width: 1.5, dash: "dash" },
          hoverinfo: "skip",
        },
        {
          type: "scatter",
          mode: "lines",
          x: shown.map(([x]) => x),
          y: shown.map(([, y]) => y),
          name: "model",
          line: { color: css("--accent"), width: 2.5 },
          hovertemplate: "flagging %{x:.2%} finds %{y:.1%}<extra></extra>",
        },
        ...(flagged === null ? [] : [ring(flagged[0], flagged[1], "flagging %{x:.2%} finds %{y:.1%}")]),
      ],
      layout: {
        xaxis: {
          title: { text: "share flagged" },
          type: near ? "log" : "linear",
          range: near ? [Math.log10(0.7 / gains.n), 0.02] : [-0.01, 1.01],
          tickformat: "~p",
          ...(near ? { dtick: 1 } : {}),
        },
        yaxis: { title: { text: "recall" }, range: [-0.01, 1.02], tickformat: "~p" },
        legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      },
    };
  });
  toggle("gains-choices", "logarithmic share", (on) => {
    near = on;
    drawGains();
  });
  table(
    "enrichment",
    [
      { title: "flagged", value: (row) => row.share, cell: (row) => percent(row.share) },
      { title: "examples", value: (row) => row.n_flagged, cell: (row) => whole(row.n_flagged) },
      { title: "found", value: (row) => row.found, cell: (row) => number(row.found, row.found % 1 ? 1 : 0) },
      { title: "recall [95 % CI]", value: (row) => row.recall.value, cell: (row) => scored(row.recall) },
      {
        title: "× as many as at random [95 % CI]",
        value: (row) => row.lift.value,
        cell: (row) => [
          number(row.lift.value, 1),
          el("small", {}, `[${row.lift.ci95.map((end) => number(end, 1)).join(", ")}]`),
        ],
      },
    ],
    enrichment,
  );
}
if (data.probability_scores) {
  table(
    "probability_scores",
    [
      { title: "score", text: true, wrap: true, value: (row) => row.score },
      { title: "raw", value: (row) => row.raw, cell: (row) => number(row.raw, 4) },
      { title: "after post-processing", value: (row) => row.processed, cell: (row) => number(row.processed, 4) },
    ],
    data.probability_scores.rows,
  );
}
