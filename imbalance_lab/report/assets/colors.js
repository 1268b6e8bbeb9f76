// Colors that follow the light or dark theme.
const dark = window.matchMedia("(prefers-color-scheme: dark)");

// Viridis, as in the figures: common classes are faint, rare ones stand out.
const VIRIDIS = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [110, 206, 88],
  [181, 222, 43],
  [253, 231, 37],
];

/**
 * The color of a class.
 * @param {number} share - from 0, the most common class, to 1, the rarest.
 * @returns {string}
 */
function shade(share) {
  const at = (dark.matches ? share * 0.9 + 0.1 : (1 - share) * 0.88) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  const mixed = VIRIDIS[low].map((value, i) => Math.round(value + (VIRIDIS[low + 1][i] - value) * (at - low)));
  return `rgb(${mixed.join(",")})`;
}

// Okabe and Ito's palette, distinguishable with any color vision.
const CYCLE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7a00", "#7f7f7f"];

/** The value of a CSS variable. @param {string} name @returns {string} */
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
