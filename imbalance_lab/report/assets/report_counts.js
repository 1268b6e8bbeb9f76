// The examples of each class by split.
plot("counts", () => {
  const { classes: shown, splits } = data.counts;
  const labels = shown.map((c) => shortened(name(c), 16));
  const counts = splits.flatMap((split) => split.counts).filter((n) => n > 0);
  const axis = classAxis(labels, (byId("counts").clientWidth - 80) / labels.length);
  const named = Boolean(axis.ticktext);
  return {
    traces: splits.map((split, i) => ({
      type: "bar",
      name: split.split,
      x: shown.map((_, at) => at),
      y: split.counts.map((n) => n || null),
      customdata: shown.map((c) => escaped(shortened(name(c), 40))),
      marker: { color: CYCLE[i] },
      hovertemplate: `%{customdata}<br>%{y:,} in ${split.split}<extra></extra>`,
    })),
    layout: {
      barmode: "group",
      bargap: 0.25,
      xaxis: {
        ...axis,
        title: { text: named ? "" : "classes, the most common first" },
        range: [-0.6, labels.length - 0.4],
      },
      yaxis: {
        type: "log",
        title: { text: "examples" },
        dtick: 1,
        tickformat: ",d",
        range: [-0.3, Math.log10(Math.max(...counts, 1)) + 0.1],
      },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    },
  };
});
