// Swept values against the score, and all of them in parallel coordinates.

/**
 * One of the parallel axes: where each run crosses it, and its ticks.
 * @param {string} title
 * @param {Array<number|string>} values - one a run.
 * @param {boolean} isScore - of the ranking score; its ends are its only ticks.
 * @returns {{title: string, heights: number[], ticks: Array}} heights and ticks from 0 to 1.
 */
function parallelAxis(title, values, isScore) {
  if (values.every((value) => typeof value === "number")) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const distinct = [...new Set(values)];
    return {
      title,
      heights: values.map((value) => (high > low ? (value - low) / (high - low) : 0.5)),
      ticks:
        !isScore && distinct.length <= 8
          ? distinct.map((value) => [high > low ? (value - low) / (high - low) : 0.5, String(value)])
          : [
              [0, isScore ? number(low) : String(low)],
              [1, isScore ? number(high) : String(high)],
            ],
    };
  }
  const kinds = [...new Set(values.map(String))];
  const height = (value) => (kinds.length > 1 ? kinds.indexOf(String(value)) / (kinds.length - 1) : 0.5);
  return { title, heights: values.map(height), ticks: kinds.map((kind) => [height(kind), kind]) };
}

if (data.varied.length) {
  const scored = data.runs.filter((run) => run.val !== null);
  let key = data.varied[0];
  const scatter = plot("swept", () => {
    const numeric = scored.every((run) => typeof swept(run.overrides[key]) === "number");
    const x = scored.map((run) => (numeric ? swept(run.overrides[key]) : escaped(shortened(run.overrides[key]))));
    const text = scored.map((run) => `run ${escaped(run.name)}<br>${escaped(overridesOf(run.name))}`);
    const test = scored.map((run) => run.test[data.score]);
    return {
      traces: [
        {
          type: "scatter",
          mode: "markers",
          name: "validation",
          x,
          y: scored.map((run) => run.val),
          text,
          marker: { size: 9, color: CYCLE[0] },
          hovertemplate: "%{text}<br>val %{y:.4f}<extra></extra>",
        },
        {
          type: "scatter",
          mode: "markers",
          name: "test, 95 % interval",
          x,
          y: test.map((each) => each?.value),
          text,
          marker: { size: 8, color: CYCLE[1], symbol: "diamond" },
          hovertemplate: "%{text}<br>test %{y:.4f}<extra></extra>",
          error_y: {
            type: "data",
            symmetric: false,
            array: test.map((each) => (each?.ci95 ? each.ci95[1] - each.value : 0)),
            arrayminus: test.map((each) => (each?.ci95 ? each.value - each.ci95[0] : 0)),
            thickness: 1.2,
            width: 0,
          },
        },
      ],
      layout: {
        xaxis: { title: { text: escaped(key) }, type: numeric ? "linear" : "category" },
        yaxis: { title: { text: data.scores[data.score] } },
        legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      },
    };
  });
  choose(
    "swept-choices",
    "value",
    data.varied.map((each) => [each, each]),
    (value) => {
      key = value;
      scatter();
    },
  );
  if (data.varied.length > 1 && scored.length > 2) {
    byId("parallel").hidden = false;
    // Drawn with lines: Plotly's own parallel coordinates need WebGL, which not every browser has.
    const axes = [
      ...data.varied.map((key) =>
        parallelAxis(
          key,
          scored.map((run) => swept(run.overrides[key])),
          false,
        ),
      ),
      parallelAxis(
        `val ${data.scores[data.score]}`,
        scored.map((run) => run.val),
        true,
      ),
    ];
    plot("parallel", () => ({
      traces: scored.map((run, i) => ({
        type: "scatter",
        mode: "lines+markers",
        x: axes.map((_, at) => at),
        y: axes.map((axis) => axis.heights[i]),
        showlegend: false,
        line: { color: shade(axes[axes.length - 1].heights[i]), width: 2 },
        hovertemplate: `run ${escaped(run.name)}<br>${escaped(overridesOf(run.name))}<br>${number(run.val)}<extra></extra>`,
      })),
      layout: {
        xaxis: {
          tickvals: axes.map((_, at) => at),
          ticktext: axes.map((axis) => escaped(shortened(axis.title, 18))),
          range: [-0.3, axes.length - 0.8],
          zeroline: false,
        },
        yaxis: { visible: false, range: [-0.08, 1.08] },
        annotations: axes.flatMap((axis, at) =>
          axis.ticks.map(([y, text]) => ({
            x: at,
            y,
            text: escaped(shortened(text, 14)),
            showarrow: false,
            xanchor: "right",
            xshift: -7,
            font: { size: 11, color: css("--soft") },
          })),
        ),
      },
    }));
  }
}
