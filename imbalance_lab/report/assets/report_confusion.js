// The confusion matrix, as shares of the true class or as counts; not for multilabel.

const ruler = document.createElement("canvas").getContext("2d");
ruler.font = `12px ${getComputedStyle(document.body).fontFamily}`;
/** The width of the longest label of a tick, in pixels. @param {string[]} labels @returns {number} */
const labelWidth = (labels) => Math.max(...labels.map((label) => ruler.measureText(label).width));

/**
 * The axis of classes at 0, 1, …: names along it where they have room, else turned, else none rather than on each other.
 * @param {string[]} labels
 * @param {number} step - pixels from one class to the next.
 * @returns {Object} options of a Plotly axis; without `ticktext` if no name has room.
 */
function classAxis(labels, step) {
  const bare = { showgrid: false, zeroline: false, showticklabels: false, ticks: "", automargin: false };
  if (step < 14) return bare;
  const tickangle = labelWidth(labels) + 8 <= step ? 0 : step < 24 ? -90 : -40;
  const ticktext = labels.map(escaped);
  return { ...bare, showticklabels: true, tickvals: labels.map((_, i) => i), ticktext, tickangle, automargin: true };
}

if (data.confusion) {
  const names = data.confusion.classes.map((c) => shortened(name(c), 16));
  const room = 16 + labelWidth(names);
  let shares = true;
  const counts = data.confusion.counts,
    totals = data.confusion.totals;
  const matrix = plot("confusion", () => {
    const z = counts.map((row, i) => row.map((n) => (shares ? (totals[i] ? n / totals[i] : null) : n)));
    const n = names.length;
    const widest = byId("confusion-section").clientWidth - 42;
    const side = Math.min(n <= 3 ? 96 : n <= 12 ? 56 : 24, (widest - room - 40) / n); // of a cell
    const across = classAxis(names, side);
    const down = side < 14 ? across : { ...across, tickangle: 0 };
    const below = !across.ticktext
      ? 0
      : across.tickangle === 0
        ? 16
        : Math.abs(across.tickangle) === 90
          ? room
          : 0.7 * room;
    const margin = { l: (side < 14 ? 0 : room) + 34, r: 6, t: 6, b: below + 40 };
    const size = { width: margin.l + margin.r + n * side, height: margin.t + margin.b + n * side };
    const written = side >= 34;
    return {
      traces: [
        {
          type: "heatmap",
          z,
          customdata: counts.map((row, i) =>
            row.map((count, j) =>
              [name(data.confusion.classes[i]), name(data.confusion.classes[j])]
                .map((each) => shortened(each, 60))
                .concat([whole(count), whole(totals[i])])
                .map(escaped),
            ),
          ),
          hovertemplate:
            "true %{customdata[0]}<br>predicted %{customdata[1]}<br>%{customdata[2]} of %{customdata[3]}<extra></extra>",
          // Never so strong that the page's text color, in which the values are written, would be hard to read on it.
          colorscale: dark.matches
            ? [
                [0, "#1b1f29"],
                [0.02, "#232f4b"],
                [1, "#2f58b4"],
              ]
            : [
                [0, "#ffffff"],
                [0.02, "#eaf0fd"],
                [1, "#85a9f2"],
              ],
          showscale: false,
          xgap: side > 8 ? 1 : 0,
          ygap: side > 8 ? 1 : 0,
          zmin: 0,
          zmax: shares ? 1 : Math.max(1, ...counts.flat()),
          text: written ? z.map((row) => row.map((v) => (!v ? "" : shares ? number(v, 2) : whole(v)))) : undefined,
          texttemplate: written ? "%{text}" : undefined,
          textfont: { color: css("--ink") },
        },
      ],
      layout: {
        ...size,
        margin,
        xaxis: { ...across, automargin: false, title: { text: "predicted", standoff: 6 } },
        yaxis: { ...down, automargin: false, title: { text: "true", standoff: 6 }, autorange: "reversed" },
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
