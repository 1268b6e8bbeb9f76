// The scores of the epochs.
/** A round step, in whole epochs, with at most eight of them in a span. @param {number} span @returns {number} */
function wholeStep(span) {
  const steps = [1, 2, 5].flatMap((first) => [0, 1, 2, 3, 4, 5, 6].map((zeros) => first * 10 ** zeros));
  return steps.sort((a, b) => a - b).find((step) => span / step <= 8);
}
if (data.epochs) {
  const { epoch, auroc, val_loss, train_loss, best, is_validated } = data.epochs;
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
  const last = epoch[epoch.length - 1];
  const room = Math.max((last - epoch[0]) * 0.03, 0.3);
  const isLate = epoch[best] > (epoch[0] + last) / 2;
  plot("epochs", () => ({
    traces: [
      ...(is_validated ? [along(auroc, "val AUROC", CYCLE[0], "y"), along(val_loss, "val loss", CYCLE[1], "y2")] : []),
      along(train_loss, "train loss", CYCLE[1], "y2", "dot"),
    ],
    layout: {
      xaxis: {
        title: { text: "epoch" },
        tick0: last - epoch[0] < 8 ? epoch[0] : 0,
        dtick: wholeStep(last - epoch[0]),
        tickformat: "d",
        range: [epoch[0] - room, last + room],
        zeroline: false,
        anchor: "y2",
      },
      yaxis: is_validated ? { title: { text: "AUROC" }, domain: [0.56, 1] } : { visible: false },
      yaxis2: { title: { text: "loss" }, domain: [0, is_validated ? 0.44 : 1] },
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
      annotations: [
        {
          x: epoch[best],
          yref: "paper",
          y: 0.5,
          text: is_validated ? `best: epoch ${epoch[best]}` : `last: epoch ${epoch[best]}`,
          showarrow: false,
          xanchor: isLate ? "right" : "left",
          xshift: isLate ? -4 : 4,
          font: { color: css("--soft"), size: 12 },
        },
      ],
    },
  }));
}
