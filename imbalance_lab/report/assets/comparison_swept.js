// One swept value against the score, and all of them in parallel coordinates; replicates are averaged.
const MAX_LINES = 8;

/** The settings that share all values but that of one key, as lines; many become one cloud. @param {number} at */
function linesOf(at) {
  const lines = new Map();
  for (const each of scoredSettings) {
    const rest = each.values.filter((_, i) => i !== at).map(([, full]) => full);
    const key = JSON.stringify(rest);
    if (!lines.has(key)) lines.set(key, { name: restName(each, at), members: [] });
    lines.get(key).members.push(each);
  }
  return [...lines.values()];
}

/** What sets a line apart from the others. @param {Object} setting @param {number} at */
const restName = (setting, at) =>
  data.keys
    .map((key, i) => (i === at ? null : `${key.short}=${setting.values[i][0]}`))
    .filter((part) => part !== null)
    .join(" ");

/** The score of a setting in the split shown. */
const scoreIn = (setting, split) => (split === "val" ? setting.val : setting.test);

const scoredSettings = data.settings.filter((each) => each.val !== null);
// One category at a time is what the table shows already.
const isSwept =
  scoredSettings.length > 2 &&
  (data.keys.length > 1 ||
    (data.keys.length && sweptAxis(scoredSettings.map((each) => each.values[0])).type !== "category"));
if (isSwept) {
  let [chosen, split] = [0, "val"];
  const draw = plot("swept", () => {
    const axis = sweptAxis(scoredSettings.map((each) => each.values[chosen]));
    const lines = linesOf(chosen);
    const isCloud = lines.length > MAX_LINES;
    const isCategory = axis.type === "category";
    const view = { axis, chosen, split };
    const entries = lines.map(({ name }, i) => ({ setting: i, name, full: name, note: "" }));
    lineLegend("swept-legend", isCloud || lines.length < 2 ? [] : entries);
    const traces = isCloud || isCategory ? pointTraces(lines, view) : meanTraces(lines, view);
    const y = scoredSettings.flatMap((each) => scoreIn(each, split) ?? []);
    return {
      traces,
      layout: {
        xaxis: {
          title: { text: escaped(data.keys[chosen].short) },
          type: axis.type === "log" ? "log" : "linear",
          tickvals: axis.ticks.map(([place]) => place),
          ...tickTexts(axis, isCategory ? byId("swept").clientWidth - 80 : 0),
          ...(isCategory ? { range: [-0.5, axis.ticks.length - 0.5] } : {}),
          zeroline: false,
        },
        yaxis: { title: { text: `${split} ${scoreTitle}` }, range: padded(clippedRange(y, 1.2)), zeroline: false },
      },
    };
  });
  if (data.keys.length > 1)
    choose(
      "swept-choices",
      "value",
      data.keys.map((each, i) => [String(i), each.short]),
      (value) => {
        chosen = Number(value);
        draw();
      },
    );
  choose(
    "swept-choices",
    "score on",
    [
      ["val", "validation"],
      ["test", "test"],
    ],
    (value) => {
      split = value;
      draw();
    },
  );
  if (data.keys.length > 1) drawParallel();
} else if (data.keys.length) byId("swept-section").hidden = true;

/**
 * The texts of the ticks, shortened to the room that each has; upright if it has none.
 * @param {{ticks: Array}} axis
 * @param {number} width - of the axis in pixels; 0 for an axis of numbers.
 */
function tickTexts({ ticks }, width) {
  const each = width / ticks.length;
  const most = width === 0 ? 14 : each < 50 ? 16 : Math.floor(each / 6.5) - 1;
  return {
    ticktext: ticks.map(([, text]) => escaped(shortened(text, most))),
    tickangle: width > 0 && each < 50 ? -90 : 0,
    ticklabeloverflow: "allow",
  };
}

/** The members of a line with a score, along the axis. */
function along(line, { axis, chosen, split }) {
  const place = (setting) => axis.place(setting.values[chosen][1]);
  return line.members.filter((each) => scoreIn(each, split)).sort((a, b) => place(a) - place(b));
}

/** Lines over a numeric axis: means with their intervals as bands. */
function meanTraces(lines, view) {
  const means = lines.map((line, place) => {
    const members = along(line, view);
    const scores = members.map((each) => scoreIn(each, view.split));
    const hasBand = scores.some((each) => each.ci95);
    return {
      setting: place,
      name: line.name || data.keys[view.chosen].short,
      x: members.map((each) => view.axis.place(each.values[view.chosen][1])),
      mean: scores.map((each) => each.value),
      low: hasBand ? scores.map((each) => (each.ci95 ? each.ci95[0] : each.value)) : null,
      high: hasBand ? scores.map((each) => (each.ci95 ? each.ci95[1] : each.value)) : null,
    };
  });
  return bandTraces(means, { hover: `%{x}: ${view.split} %{y:.4f}`, mode: "lines+markers" });
}

/** Points over categories, beside each other with their intervals; a cloud, without them, if there are many lines. */
function pointTraces(lines, view) {
  const isCloud = lines.length > MAX_LINES;
  return lines.map((line, place) => {
    const members = along(line, view);
    const scores = members.map((each) => scoreIn(each, view.split));
    const beside = isCloud ? ((place % 9) - 4) * 0.04 : ((place + 0.5) / lines.length - 0.5) * 0.4;
    const color = isCloud ? css("--accent") : tint(place);
    return {
      type: "scatter",
      mode: "markers",
      x: members.map((each) => view.axis.place(each.values[view.chosen][1]) + beside),
      y: scores.map((each) => each.value),
      marker: { color, size: 8, opacity: isCloud ? 0.6 : 1 },
      error_y: {
        type: "data",
        symmetric: false,
        array: scores.map((each) => (each.ci95 ? each.ci95[1] - each.value : 0)),
        arrayminus: scores.map((each) => (each.ci95 ? each.value - each.ci95[0] : 0)),
        thickness: isCloud ? 0 : 1.5,
        width: 0,
      },
      text: members.map(hoverText),
      hovertemplate: `%{text}<br>${view.split} %{y:.4f}<extra></extra>`,
      showlegend: false,
    };
  });
}

/** A range with a little room at both ends. @param {number[]} ends @returns {number[]} */
function padded([low, high]) {
  const room = 0.05 * (high - low);
  return [low - room, high + room];
}

/** What a setting is, for hovering. @param {Object} setting */
function hoverText(setting) {
  const lines = data.keys.map((key, i) => `${key.short}=${shortened(setting.values[i][0], 60)}`);
  return [...lines, setting.n > 1 ? `mean of ${setting.n} runs` : ""]
    .filter((each) => each)
    .map(escaped)
    .join("<br>");
}

/** Parallel coordinates, a line a setting. Drawn with lines: Plotly's own need WebGL, which not every browser has. */
function drawParallel() {
  byId("parallel-frame").hidden = false;
  const axes = data.keys.map((key, i) => {
    const axis = sweptAxis(scoredSettings.map((each) => each.values[i]));
    const height = unitScale(axis);
    return {
      title: key.short,
      heights: scoredSettings.map((each) => height(axis.place(each.values[i][1]))),
      ticks: axis.ticks.map(([place, text]) => [height(place), text]),
    };
  });
  const values = scoredSettings.map((each) => each.val.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  axes.push({
    title: `val ${scoreTitle}`,
    heights: values.map(share),
    ticks: [low, high].map((value) => [share(value), number(value)]),
  });
  byId("parallel").style.minWidth = `${axes.length * 110}px`;
  const last = axes.length - 1;
  plot("parallel", () => ({
    // The best is drawn last, over the others.
    traces: scoredSettings
      .map((each, i) => ({
        type: "scatter",
        mode: "lines+markers",
        x: axes.map((_, at) => at),
        y: axes.map((axis) => axis.heights[i]),
        showlegend: false,
        line: {
          color: shade(data.lower_is_better ? 1 - axes[last].heights[i] : axes[last].heights[i]),
          width: i === 0 ? 4 : 2,
        },
        marker: { size: i === 0 ? 7 : 5 },
        hovertemplate: `${hoverText(each)}<br>val ${number(each.val.value)}<extra></extra>`,
      }))
      .reverse(),
    layout: {
      margin: { l: 60, r: 60, t: 12, b: 30 },
      xaxis: {
        tickvals: axes.map((_, at) => at),
        ticktext: axes.map((axis) => escaped(shortened(axis.title, 22))),
        range: [-0.05 * last, last * 1.05],
        zeroline: false,
        showgrid: false,
      },
      yaxis: { visible: false, range: [-0.06, 1.08] },
      shapes: axes.map((_, at) => ({
        type: "line",
        layer: "below",
        x0: at,
        x1: at,
        y0: 0,
        y1: 1,
        line: { color: css("--soft"), width: 1 },
      })),
      annotations: axes.flatMap((axis, at) =>
        thinned(axis.ticks).map(([y, text]) => ({
          x: at,
          y,
          text: escaped(shortened(text, 18)),
          showarrow: false,
          xanchor: at ? "left" : "right",
          xshift: at ? 7 : -7,
          bgcolor: css("--sheet"),
          borderpad: 1,
          font: { size: 11, color: css("--soft") },
        })),
      ),
    },
  }));
}

/** Ticks of a parallel axis that do not touch each other: the first and the last, and what fits between. */
function thinned(ticks) {
  const kept = [];
  const ascending = [...ticks].sort((a, b) => a[0] - b[0]);
  const last = ascending[ascending.length - 1];
  for (const tick of ascending)
    if (tick === last || ((!kept.length || tick[0] - kept[kept.length - 1][0] >= 0.07) && last[0] - tick[0] >= 0.07))
      kept.push(tick);
  return kept;
}
