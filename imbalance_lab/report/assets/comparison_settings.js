// The settings, best first, each with its replicates; the data come from imbalance_lab/report/comparison_page.py.
const MAX_KEY_COLUMNS = window.innerWidth < 560 ? 1 : window.innerWidth < 1100 ? 2 : 3;
const scoreTitle = data.score_title;
/** What the others are compared with: the first setting, or the baseline that was asked for. */
const referenceName = data.settings.length && data.settings[0].is_reference ? "best" : "baseline";
/** A p-value, never 0. @param {?number} p @returns {string} */
const pValue = (p) => (p !== null && p < 0.001 ? "< 0.001" : number(p));
/** A number with its sign: a true minus, a plus. @param {?number} value @returns {string} */
const signed = (value) =>
  value === null ? "–" : `${value < 0 ? "−" : "+"}${number(Math.abs(value))}`.replace(/^[+−](?=0\.000$)/, "");
/** An interval of signed numbers. @param {?number[]} ends @returns {string} */
const signedRange = (ends) => (ends ? `[${signed(ends[0])}, ${signed(ends[1])}]` : "");
/** A small second line of a cell. @param {string} text @returns {Node} */
const below = (text) => el("small", { className: "below" }, text);
/** Whether a difference speaks for the first of two. @param {number} difference @param {boolean} lower - is better. */
const isBetter = (difference, lower) => (lower ? difference < 0 : difference > 0);
/** A text that may be shortened, with the whole on hover. @param {string} short @param {string} full @returns {Node} */
const hinted = (short, full) => el("span", short === full ? {} : { title: full }, short || "–");

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

/**
 * The chart that runs down a column of the table: in each row a mean with its interval, and its runs as small dots.
 * @param {Object[]} settings
 * @returns {{head: function(): Node, cell: function(Object): Node}}
 */
function whiskers(settings) {
  const [width, height, inset] = [
    window.innerWidth < 560 ? 130 : window.innerWidth < 1100 || data.keys.length > 2 ? 150 : 190,
    42,
    8,
  ];
  const shown = settings.filter((each) => each.test !== null);
  const values = shown.flatMap((each) => [each.test.value, ...each.runs.map((run) => run.value)]);
  const points = values.filter((value) => value !== null);
  const [least, greatest] = [Math.min(...points), Math.max(...points)];
  const spare = Math.max(greatest - least, 0.004) * 0.5;
  const ends = shown.flatMap((each) => each.test.ci95 || []);
  // Two replicates have intervals many times as wide as what sets the settings apart: those leave the picture.
  const low = Math.max(Math.min(least, ...ends), least - spare);
  const high = Math.min(Math.max(greatest, ...ends), greatest + spare);
  const x = (value) => inset + ((value - low) / Math.max(high - low, 1e-9)) * (width - 2 * inset);
  const reference = shown.find((each) => each.is_reference);
  const vertical = (at, color) =>
    svg("line", { x1: at, x2: at, y1: 0, y2: height, stroke: color, "stroke-width": 1, "stroke-dasharray": "2 3" });
  const color = (each) =>
    !each.difference?.distinguishable
      ? "var(--accent)"
      : isBetter(each.difference.difference, data.lower_is_better)
        ? "var(--good)"
        : "var(--soft)";
  const frame = (label) =>
    svg("svg", {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": label,
      class: "whisker",
    });
  return {
    head: () => {
      const node = frame(`${number(low)} to ${number(high)}`);
      const { ticks, digits } = roundTicks(low, high, width < 190 ? 3 : 5);
      for (const tick of ticks) {
        const at = Math.min(Math.max(x(tick), 14), width - 14);
        node.append(
          svg("line", { x1: x(tick), x2: x(tick), y1: height - 5, y2: height, stroke: "var(--soft)" }),
          svg(
            "text",
            { x: at, y: height - 9, "text-anchor": "middle", "font-size": 11, fill: "var(--soft)" },
            tick.toFixed(digits),
          ),
        );
      }
      return node;
    },
    cell: (each) => {
      if (each.test === null) return "–";
      const label = `${number(each.test.value)} ${range(each.test.ci95)}`;
      const node = frame(label);
      node.append(
        svg("title", {}, [label, ...each.runs.map((run) => `${run.label}: ${number(run.value)}`)].join("\n")),
      );
      if (reference) node.append(vertical(x(reference.test.value), "var(--soft)"));
      if (each.test.ci95) {
        const [from, to] = each.test.ci95.map((end) => Math.min(Math.max(x(end), 1), width - 1));
        node.append(svg("line", { x1: from, x2: to, y1: 16, y2: 16, stroke: color(each), "stroke-width": 2 }));
        if (each.test.ci95[0] < low)
          node.append(svg("path", { d: "M7 12L1 16L7 20", fill: "none", stroke: color(each), "stroke-width": 2 }));
        if (each.test.ci95[1] > high)
          node.append(
            svg("path", {
              d: `M${width - 7} 12L${width - 1} 16L${width - 7} 20`,
              fill: "none",
              stroke: color(each),
              "stroke-width": 2,
            }),
          );
      }
      node.append(svg("circle", { cx: x(each.test.value), cy: 16, r: 5, fill: color(each) }));
      if (each.n > 1)
        for (const run of each.runs.filter((run) => run.value !== null))
          node.append(svg("circle", { cx: x(run.value), cy: 30, r: 2.5, fill: color(each), "fill-opacity": 0.65 }));
      return node;
    },
  };
}

/** One column for all swept values of a setting. @param {function(Object): Object} get - the setting of a row. */
const settingColumn = (get) => ({
  title: data.keys.length > 1 ? data.keys.map((key) => key.short).join(" · ") : data.keys[0]?.short || "setting",
  text: true,
  wrap: true,
  value: (row) => get(row).label,
  cell: (row) => {
    const { values, label, full } = get(row);
    return el("span", { title: full }, values.map(([short]) => short || "–").join(" · ") || label || "all runs");
  },
});

/** Fill the table of the settings. */
function fillSettings() {
  const chart = whiskers(data.settings);
  const scored = (title, get) => ({
    title,
    value: (row) => get(row)?.value ?? null,
    cell: (row) => [number(get(row)?.value), get(row)?.ci95 ? below(range(get(row).ci95)) : null],
  });
  const named =
    data.keys.length && data.keys.length <= MAX_KEY_COLUMNS
      ? data.keys.map((key, at) => ({
          title: key.short,
          text: true,
          value: (row) => swept(row.values[at][1]),
          cell: (row) => hinted(row.values[at][0], row.values[at][1]),
        }))
      : [settingColumn((row) => row)];
  table(
    "settings",
    [
      ...named,
      { title: "n", value: (row) => row.n },
      { title: `val ${scoreTitle}`, value: (row) => row.val?.value ?? null, cell: (row) => number(row.val?.value) },
      { title: "", value: (row) => row.test?.value ?? null, cell: chart.cell },
      scored(`test ${scoreTitle}`, (row) => row.test),
      ...(data.settings.some((each) => each.difference)
        ? [
            {
              title: `to the ${referenceName}`,
              value: (row) => row.difference?.difference ?? null,
              cell: (row) =>
                row.difference
                  ? [signed(row.difference.difference), below(signedRange(row.difference.ci95))]
                  : row.is_reference
                    ? el("small", {}, `the ${referenceName}`)
                    : "–",
            },
            {
              title: "p (Holm)",
              value: (row) => row.difference?.p_holm ?? null,
              cell: (row) => pValue(row.difference?.p_holm ?? null),
            },
          ]
        : []),
      ...data.further.map(({ key, title }) => ({
        title,
        value: (row) => row.further[key]?.value ?? null,
        cell: (row) => number(row.further[key]?.value),
      })),
    ],
    data.settings,
    15,
  );
  const heads = byId("settings").querySelectorAll("th");
  heads[named.length + 2].append(chart.head());
  if (named.length === data.keys.length) for (const [at, key] of data.keys.entries()) heads[at].title = key.full;
}
fillSettings();
