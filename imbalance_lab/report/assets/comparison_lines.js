// Lines of settings: their colors, means with bands over the replicates, and their legend.
const MAX_BANDS = 3;

/** A setting in at most so many characters. @param {Object} setting @param {number} most @returns {string} */
const settingName = (setting, most = 64) => shortened(setting.label || "all runs", most);
/** The color of a setting by its place among those drawn. @param {number} at @returns {string} */
const tint = (at) => CYCLE[at % CYCLE.length];
/** The dash of a setting, which sets more than eight of them apart. @param {number} at @returns {string} */
const dashed = (at) => ["solid", "dash", "dot", "dashdot"][Math.floor(at / CYCLE.length) % 4];

/**
 * @typedef {Object} MeanLine
 * @property {number} setting - its place, which decides the color.
 * @property {string} name - shown on hover.
 * @property {number[]} x
 * @property {number[]} mean
 * @property {?number[]} low - null with one replicate.
 * @property {?number[]} high
 */

/**
 * The traces of mean lines: a band from low to high below each.
 * @param {MeanLine[]} means - the best first.
 * @param {{hover: string, keep: function(number): boolean, mode: string}} options - a template for hovering; which
 *   places to draw; Plotly's mode of the lines.
 */
function bandTraces(means, { hover, keep = () => true, mode = "lines" }) {
  const chosen = (each, values) => values.filter((_, i) => keep(each.x[i]));
  // Many bands hide each other: of more than three settings only the best has one.
  const banded = means.filter((each, i) => each.low !== null && (i === 0 || means.length <= MAX_BANDS));
  const bands = banded.map((each) => {
    const x = chosen(each, each.x);
    return {
      type: "scatter",
      mode: "lines",
      x: [...x, ...[...x].reverse()],
      y: [...chosen(each, each.high), ...chosen(each, each.low).reverse()],
      fill: "toself",
      fillcolor: tint(each.setting),
      opacity: 0.16,
      line: { width: 0 },
      hoverinfo: "skip",
      showlegend: false,
    };
  });
  // The best is drawn last, over the others.
  const lines = [...means].reverse().map((each) => ({
    type: "scatter",
    mode,
    x: chosen(each, each.x),
    y: chosen(each, each.mean),
    line: { color: tint(each.setting), dash: dashed(each.setting), width: 2 },
    marker: { color: tint(each.setting), size: 6 },
    hovertemplate: `${escaped(shortened(each.name, 60))}<br>${hover}<extra></extra>`,
    showlegend: false,
  }));
  return [...bands, ...lines];
}

/**
 * A legend in the colors of lines; with `hidden` each is a button that switches its lines off and on.
 * @param {string} id
 * @param {Array<{setting: number, name: string, full: string, note: string}>} entries - the place that decides the
 *   color, the name, what is shown on hover, and a remark.
 * @param {?Set<number>} hidden - the places that are switched off.
 * @param {function(): void} [redrawn] - called after a switch.
 */
function lineLegend(id, entries, hidden = null, redrawn = () => {}) {
  const entry = ({ setting: at, name, full, note }) => {
    const sample = svg("svg", { width: 26, height: 10, "aria-hidden": "true" });
    const dashes = { solid: "none", dash: "6 4", dot: "2 3", dashdot: "6 3 2 3" }[dashed(at)];
    const [color, thickness] = [tint(at), 3];
    sample.append(
      svg("line", {
        x1: 1,
        x2: 25,
        y1: 5,
        y2: 5,
        stroke: color,
        "stroke-width": thickness,
        "stroke-dasharray": dashes,
      }),
    );
    const parts = [sample, shortened(name, 64), el("small", {}, note)];
    if (!hidden) return el("span", { title: full }, ...parts);
    const button = el("button", { type: "button", title: full, "aria-pressed": String(!hidden.has(at)) }, ...parts);
    button.onclick = () => {
      hidden[hidden.has(at) ? "delete" : "add"](at);
      button.setAttribute("aria-pressed", String(!hidden.has(at)));
      redrawn();
    };
    return button;
  };
  byId(id).replaceChildren(...entries.map(entry));
}

/** The entry of a setting in a legend. @param {number} at @param {string} note */
const settingEntry = (at, note = "") => ({
  setting: at,
  name: data.settings[at].label || "all runs",
  full: data.settings[at].full,
  note,
});
