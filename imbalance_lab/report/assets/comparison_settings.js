// The settings, best first, each with its replicates; the data come from imbalance_lab/report/comparison_page.py.
const MAX_KEY_COLUMNS = window.innerWidth < 560 ? 1 : window.innerWidth < 1100 ? 2 : 3;
const MOST_SETTINGS = 15;
const scoreTitle = data.score_title;
/** What the others are compared with: the first setting, or the one that was asked for. */
const referenceName = data.settings.length && data.settings[0].is_reference ? "best" : "reference";
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

/** The name of a baseline, marked as one. @param {Object} row @returns {Node} */
const baselineName = (row) => el("span", {}, row.name, el("small", { className: "below" }, "baseline"));

/** One column for all swept values of a setting. @param {function(Object): Object} get - the setting of a row. */
const settingColumn = (get) => ({
  title: data.keys.length > 1 ? data.keys.map((key) => key.short).join(" · ") : data.keys[0]?.short || "setting",
  text: true,
  wrap: true,
  value: (row) => get(row).label,
  cell: (row) => {
    const { values, label, full } = get(row);
    if (get(row).is_baseline) return baselineName(get(row));
    return el("span", { title: full }, values.map(([short]) => short || "–").join(" · ") || label || "all runs");
  },
});

/** Fill the table of the settings. */
function fillSettings() {
  const scale = whiskerScale(data.settings.concat(data.baselines.filter((row) => row.test?.ci95)));
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
          value: (row) => (row.is_baseline ? (at ? null : row.name) : swept(row.values[at][1])),
          cell: (row) => {
            if (row.is_baseline) return at ? "" : baselineName(row);
            return hinted(row.values[at][0], row.values[at][1]);
          },
        }))
      : [settingColumn((row) => row)];
  table(
    "settings",
    [
      ...named,
      { title: "n", value: (row) => row.n },
      { title: `val ${scoreTitle}`, value: (row) => row.val?.value ?? null, cell: (row) => number(row.val?.value) },
      { title: "", value: (row) => row.test?.value ?? null, cell: (row) => whisker(row, scale) },
      scored(`test ${scoreTitle}`, (row) => row.test),
      ...(data.settings.concat(data.baselines).some((row) => row.difference)
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
    // The most settings that are shown at first, and below them the baselines.
    [...data.settings.slice(0, MOST_SETTINGS), ...data.baselines, ...data.settings.slice(MOST_SETTINGS)],
    MOST_SETTINGS + data.baselines.length,
  );
  const heads = byId("settings").querySelectorAll("th");
  heads[named.length + 2].append(whiskerAxis(scale));
  if (named.length === data.keys.length) for (const [at, key] of data.keys.entries()) heads[at].title = key.full;
}
fillSettings();
