// The confusion matrix, as shares of the true class or as counts; not for multilabel.
if (data.confusion) {
  const names = data.confusion.classes.map((c) => escaped(shortened(name(c), 16)));
  const ticks = { tickvals: names.map((_, i) => i), ticktext: names, showgrid: false, zeroline: false };
  let shares = true;
  const counts = data.confusion.counts,
    totals = data.confusion.totals;
  const matrix = plot("confusion", () => {
    const z = counts.map((row, i) => row.map((n) => (shares ? (totals[i] ? n / totals[i] : null) : n)));
    const few = names.length <= 20;
    return {
      traces: [
        {
          type: "heatmap",
          z,
          customdata: counts.map((row, i) =>
            row.map((n, j) =>
              [name(data.confusion.classes[i]), name(data.confusion.classes[j]), whole(n), whole(totals[i])].map(
                escaped,
              ),
            ),
          ),
          hovertemplate:
            "true %{customdata[0]}<br>predicted %{customdata[1]}<br>%{customdata[2]} of %{customdata[3]}<extra></extra>",
          colorscale: dark.matches
            ? [
                [0, "#1b1f29"],
                [0.02, "#22304f"],
                [1, "#8fb2ff"],
              ]
            : [
                [0, "#ffffff"],
                [0.02, "#eaf0fd"],
                [1, "#1d4fbf"],
              ],
          showscale: false,
          xgap: 1,
          ygap: 1,
          zmin: 0,
          zmax: shares ? 1 : Math.max(1, ...counts.flat()),
          text: few ? z.map((row) => row.map((v) => (!v ? "" : shares ? number(v, 2) : whole(v)))) : undefined,
          texttemplate: few ? "%{text}" : undefined,
        },
      ],
      layout: {
        xaxis: { ...ticks, title: { text: "predicted" }, tickangle: names.some((each) => each.length > 3) ? -40 : 0 },
        yaxis: { ...ticks, title: { text: "true" }, autorange: "reversed" },
        height: Math.max(380, Math.min(900, 26 * names.length + 140)),
      },
    };
  });
  choose(
    "confusion-choices",
    "show",
    [
      ["shares", "shares of the true class"],
      ["counts", "counts"],
    ],
    (value) => {
      shares = value === "shares";
      matrix();
    },
  );
}
