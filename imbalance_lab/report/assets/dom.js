// The data of the page, and elements and texts made from it. All scripts of a page share one scope.
const data = JSON.parse(document.getElementById("data").textContent);

/**
 * Make an element. Names come from users: they enter the page as text nodes only.
 * @param {string} tag
 * @param {Object} properties - of the node, or else its attributes.
 * @param {...(Node|string|null|undefined)} children - null and undefined are left out.
 * @returns {HTMLElement}
 */
function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * Make an element of a drawing in the page.
 * @param {string} tag
 * @param {Object} attributes
 * @param {...(Node|string)} children
 * @returns {SVGElement}
 */
function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** @param {string} id @returns {HTMLElement} */
const byId = (id) => document.getElementById(id);

/** Escape a text for Plotly, which reads a little HTML. @param {*} text @returns {string} */
const escaped = (text) =>
  String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\$/g, "&#36;");

/**
 * A name in at most so many characters: its middle is left out, since names often differ at the end.
 * @param {string} text
 * @param {number} most
 * @returns {string}
 */
function shortened(text, most = 22) {
  const letters = [...text]; // no emoji is cut in two
  if (letters.length <= most) return text || "(no name)";
  const end = Math.floor((most - 1) / 2);
  return `${letters.slice(0, most - 1 - end).join("")}…${letters.slice(letters.length - end).join("")}`;
}

/** A number with fixed digits; a dash for null. @param {?number} value @param {number} digits @returns {string} */
const number = (value, digits = 3) => (value === null || value === undefined ? "–" : value.toFixed(digits));

/** A count with thousands separators; a dash for null. @param {?number} value @returns {string} */
const whole = (value) => (value === null || value === undefined ? "–" : value.toLocaleString("en"));

/** An interval in brackets; empty for null. @param {?number[]} ends @returns {string} */
const range = (ends) => (ends ? `[${number(ends[0])}, ${number(ends[1])}]` : "");
