// The chart that runs down a column of the table: in each row a mean with its interval, and its runs as small dots.
const [ROW, MEAN, RUNS, INSET] = [42, 16, 30, 8]; // heights of a row, of its two lines, and the space beside them

/**
 * @typedef {Object} WhiskerScale
 * @property {number} width - of the column in pixels.
 * @property {number} low - the smallest value that is shown.
 * @property {number} high
 * @property {function(number): number} x - where a value stands, in pixels.
 * @property {?Object} reference - the setting that the others are compared with.
 */

/**
 * The scale that all rows share.
 * @param {Object[]} settings
 * @returns {WhiskerScale}
 */
function whiskerScale(settings) {
  const isNarrow = window.innerWidth < 1100 || data.keys.length > 2;
  const width = window.innerWidth < 560 ? 130 : isNarrow ? 150 : 190;
  const shown = settings.filter((each) => each.test !== null);
  const points = shown.flatMap((each) => [each.test.value, ...each.runs.flatMap((run) => run.value ?? [])]);
  const [low, high] = clippedRange(
    shown.map((each) => each.test).concat(points.map((value) => ({ value, ci95: null }))),
  );
  const x = (value) => INSET + ((value - low) / (high - low)) * (width - 2 * INSET);
  return { width, low, high, x, reference: shown.find((each) => each.is_reference) };
}

/**
 * A range that shows all values, and as much of their intervals as leaves the values apart: the intervals of two
 * replicates are many times as wide as what sets the settings apart.
 * @param {Array<{value: number, ci95: ?number[]}>} scores
 * @param {number} most - of the values' own range that is added on either side.
 * @returns {number[]}
 */
function clippedRange(scores, most = 0.5) {
  const values = scores.map((each) => each.value);
  const ends = scores.flatMap((each) => each.ci95 || []);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const spare = Math.max(high - low, 0.01) * most;
  const bounds = [Math.max(Math.min(low, ...ends), low - spare), Math.min(Math.max(high, ...ends), high + spare)];
  return bounds[1] > bounds[0] ? bounds : [low - spare, high + spare];
}

/**
 * Round places for ticks.
 * @param {number} low
 * @param {number} high
 * @param {number} most - how many ticks there may be.
 * @returns {{ticks: number[], digits: number}} in [low, high], and the decimals that they need.
 */
function roundTicks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough);
  const ticks = [];
  for (let at = Math.ceil(low / step); at * step <= high; at += 1) ticks.push(at * step);
  return { ticks, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/** An empty drawing as wide as the column. @param {number} width @param {string} label @returns {SVGElement} */
const whiskerFrame = (width, label) =>
  svg("svg", {
    width,
    height: ROW,
    viewBox: `0 0 ${width} ${ROW}`,
    role: "img",
    "aria-label": label,
    class: "whisker",
  });

/** The axis in the heading. @param {WhiskerScale} scale @returns {SVGElement} */
function whiskerAxis({ width, low, high, x }) {
  const node = whiskerFrame(width, `${number(low)} to ${number(high)}`);
  const { ticks, digits } = roundTicks(low, high, width < 190 ? 3 : 5);
  for (const tick of ticks) {
    const at = Math.min(Math.max(x(tick), 14), width - 14);
    const text = { x: at, y: ROW - 9, "text-anchor": "middle", "font-size": 11, fill: "var(--soft)" };
    node.append(
      svg("line", { x1: x(tick), x2: x(tick), y1: ROW - 5, y2: ROW, stroke: "var(--soft)" }),
      svg("text", text, tick.toFixed(digits)),
    );
  }
  return node;
}

/** The color of a setting by its difference to the reference. @param {Object} setting @returns {string} */
function whiskerColor({ difference }) {
  if (!difference?.distinguishable) return "var(--accent)";
  return isBetter(difference.difference, data.lower_is_better) ? "var(--good)" : "var(--soft)";
}

/** The mean, the interval and the runs of a setting. @param {Object} setting @param {WhiskerScale} scale @returns {Node|string} */
function whisker(setting, { width, low, high, x, reference }) {
  const { test, runs, n } = setting;
  if (test === null) return "–";
  const [color, label] = [whiskerColor(setting), `${number(test.value)} ${range(test.ci95)}`];
  const line = { stroke: color, "stroke-width": 2, fill: "none" };
  const node = whiskerFrame(width, label);
  node.append(svg("title", {}, [label, ...runs.map((run) => `${run.label}: ${number(run.value)}`)].join("\n")));
  if (reference) {
    const at = x(reference.test.value);
    node.append(svg("line", { x1: at, x2: at, y1: 0, y2: ROW, stroke: "var(--soft)", "stroke-dasharray": "2 3" }));
  }
  if (test.ci95) {
    const [from, to] = test.ci95.map((end) => Math.min(Math.max(x(end), 1), width - 1));
    node.append(svg("line", { x1: from, x2: to, y1: MEAN, y2: MEAN, ...line }));
    // An arrow: the interval goes on.
    if (test.ci95[0] < low) node.append(svg("path", { d: `M7 ${MEAN - 4}l-6 4l6 4`, ...line }));
    if (test.ci95[1] > high) node.append(svg("path", { d: `M${width - 7} ${MEAN - 4}l6 4l-6 4`, ...line }));
  }
  if (test.value < low) node.append(svg("path", { d: `M7 ${MEAN - 4}l-6 4l6 4`, ...line }));
  else if (test.value > high) node.append(svg("path", { d: `M${width - 7} ${MEAN - 4}l6 4l-6 4`, ...line }));
  else node.append(svg("circle", { cx: x(test.value), cy: MEAN, r: 5, fill: color }));
  for (const { value } of n > 1 ? runs : [])
    if (value !== null)
      node.append(svg("circle", { cx: x(value), cy: RUNS, r: 2.5, fill: color, "fill-opacity": 0.65 }));
  return node;
}
