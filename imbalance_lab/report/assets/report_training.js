// The scores of the epochs, and the examples of each class by split.
if (data.epochs) {
  const { epoch, auroc, val_loss, train_loss, best } = data.epochs;
  const along = (y, label, tint, axis, dash) => ({
    type: "scatter",
    mode: epoch.length > 1 ? "lines" : "markers",
    x: epoch,
    y,
    name: label,
    yaxis: axis,
    line: { color: tint, width: 2, dash },
    hovertemplate: `epoch %{x}: %{y:.4f}<extra>${label}</extra>`,
  });
  plot("epochs", () => ({
    traces: [
      along(auroc, "val AUROC", CYCLE[0], "y"),
      along(val_loss, "val loss", CYCLE[1], "y2"),
      along(train_loss, "train loss", CYCLE[1], "y2", "dot"),
    ],
    layout: {
      xaxis: { title: { text: "epoch" }, tickformat: "d", anchor: "y2" },
      yaxis: { title: { text: "AUROC" }, domain: [0.55, 1] },
      yaxis2: { title: { text: "loss" }, domain: [0, 0.45] },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      shapes: [
        {
          type: "line",
          x0: epoch[best],
          x1: epoch[best],
          yref: "paper",
          y0: 0,
          y1: 1,
          line: { color: css("--soft"), dash: "dot", width: 1.2 },
        },
      ],
    },
  }));
}
plot("counts", () => {
  const { classes: shown, splits } = data.counts,
    labels = shown.map((c) => escaped(shortened(name(c), 16)));
  return {
    traces: splits.map((split, i) => ({
      type: "bar",
      name: split.split,
      x: shown.map((_, at) => at),
      y: split.counts.map((n) => n || null),
      marker: { color: CYCLE[i] },
      hovertemplate: `%{y:,} in ${split.split}<extra></extra>`,
    })),
    layout: {
      barmode: "group",
      bargap: 0.25,
      xaxis: {
        tickvals: labels.map((_, i) => i),
        ticktext: labels,
        tickangle: labels.some((each) => each.length > 3) ? -40 : 0,
      },
      yaxis: { type: "log", title: { text: "examples" }, dtick: 1 },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    },
  };
});
