// Swept values on an axis: numbers on a linear or a logarithmic one, anything else evenly spaced.

/** An override as a number if it is one. @param {string} value @returns {(number|string)} */
const swept = (value) => (value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value);

/** How unequal the gaps between ascending numbers are: 1 if they are equal. @param {number[]} values @returns {number} */
function unevenness(values) {
  const gaps = values.slice(1).map((value, i) => value - values[i]);
  return gaps.length ? Math.max(...gaps) / Math.min(...gaps) : 1;
}

/** Different numbers that are taken for values of an interval, as a search tries them. */
const MANY = 12;

/**
 * An axis for many numbers, with a few round ticks; settings without the key have a place of their own below.
 * @param {number[]} numbers
 * @param {boolean} hasOther - whether some settings have another value, as "default".
 */
function continuousAxis(numbers, hasOther) {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const isLog = low > 0 && high / low >= 100;
  const at = (share) => (isLog ? low * (high / low) ** share : low + (high - low) * share);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => [at(share), String(+at(share).toPrecision(3))]);
  if (hasOther) ticks.unshift([at(-0.15), "default"]);
  const place = (value) => (typeof swept(value) === "number" ? swept(value) : at(-0.15));
  return { type: isLog ? "log" : "linear", place, ticks };
}

/**
 * Where the values of a swept key stand.
 * @param {Array<string[]>} pairs - the value of each setting, as shown and in full.
 * @returns {{type: string, place: function(string): (number|string), ticks: Array}} type "linear", "log" or "category"
 *   of Plotly; the place of a full value on that axis; and the values as [place, text], in order.
 */
function sweptAxis(pairs) {
  const shown = new Map(pairs.map(([short, full]) => [full, short]));
  const full = [...shown.keys()];
  const numbers = full.map(swept);
  const known = numbers.filter((value) => typeof value === "number");
  if (known.length > MANY && known.length >= numbers.length - 1)
    return continuousAxis(known, known.length < numbers.length);
  if (numbers.every((value) => typeof value === "number")) {
    const ascending = [...new Set(numbers)].sort((a, b) => a - b);
    const ticks = ascending.map((value) => [value, shown.get(full[numbers.indexOf(value)])]);
    const isPositive = ascending[0] > 0;
    const geometric = isPositive ? unevenness(ascending.map(Math.log)) : Number.POSITIVE_INFINITY;
    const isWide = isPositive && ascending[ascending.length - 1] / ascending[0] >= 10;
    if (geometric < unevenness(ascending) || (isWide && ascending.length === 2))
      return { type: "log", place: swept, ticks };
    if (unevenness(ascending) <= 8) return { type: "linear", place: swept, ticks };
    const order = new Map(ascending.map((value, i) => [value, i])); // 0 beside powers of ten: no scale has both
    return {
      type: "category",
      place: (value) => order.get(swept(value)),
      ticks: ticks.map(([, text], i) => [i, text]),
    };
  }
  const order = new Map(
    full.sort((a, b) => a.localeCompare(b, undefined, { numeric: true })).map((value, i) => [value, i]),
  );
  return { type: "category", place: (value) => order.get(value), ticks: full.map((value, i) => [i, shown.get(value)]) };
}

/**
 * The heights, from 0 to 1, of places on such an axis.
 * @param {{type: string, ticks: Array}} axis
 * @returns {function(number): number}
 */
function unitScale({ type, ticks }) {
  const scale = type === "log" ? Math.log : (value) => value;
  const [low, high] = [scale(ticks[0][0]), scale(ticks[ticks.length - 1][0])];
  return (place) => (high > low ? (scale(place) - low) / (high - low) : 0.5);
}
