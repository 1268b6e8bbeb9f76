// Select lists and check boxes.

/**
 * Append a select list.
 * @param {string} id - of the element that it is appended to.
 * @param {string} label
 * @param {string[][]} options - [value, text] of each.
 * @param {function(string): void} onchange - gets the value chosen.
 */
function choose(id, label, options, onchange) {
  const select = el("select", { className: "choice", onchange: () => onchange(select.value) });
  select.append(...options.map(([value, text]) => el("option", { value }, text)));
  byId(id).append(el("label", {}, label, select));
}

/**
 * Append a check box.
 * @param {string} id - of the element that it is appended to.
 * @param {string} label
 * @param {function(boolean): void} onchange - gets whether it is checked.
 */
function toggle(id, label, onchange) {
  const box = el("input", { type: "checkbox", className: "choice", onchange: () => onchange(box.checked) });
  byId(id).append(el("label", {}, box, label));
}
