// Colors that follow the light or dark theme; their values come from imbalance_lab/report/palette.py as PALETTES.
const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** The colors of the theme. @returns {{cycle: string[], rarity: string[], chosen: string}} */
const palette = () => (dark.matches ? PALETTES.dark : PALETTES.light);

/**
 * The color of a class by its rarity: common ones are quiet, rare ones stand out.
 * @param {number} share - from 0, the most common class, to 1, the rarest.
 * @returns {string}
 */
function shade(share) {
  const stops = palette().rarity.map((color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)));
  const at = share * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  const mixed = stops[low].map((value, i) => Math.round(value + (stops[low + 1][i] - value) * (at - low)));
  return `rgb(${mixed.join(",")})`;
}

/** The colors of a few things without an order, which can be told apart with any color vision. @type {string[]} */
const CYCLE = [...palette().cycle];
dark.addEventListener("change", () => CYCLE.splice(0, CYCLE.length, ...palette().cycle)); // before plots are redrawn

/** A color with an opacity. @param {string} color - #rrggbb. @param {number} opacity @returns {string} */
const faint = (color, opacity) =>
  `${color}${Math.round(opacity * 255)
    .toString(16)
    .padStart(2, "0")}`;

/** The value of a CSS variable. @param {string} name @returns {string} */
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
