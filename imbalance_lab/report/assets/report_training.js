// The scores of the epochs.
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
