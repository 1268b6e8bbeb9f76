// Plots that follow the theme and the width of the screen.
const drawn = [];
let isLoaded = false; // Plotly: it comes last in the page, so that tables and texts do not wait for it

/** Merge nested options; those of `above` win. @param {Object} below @param {Object} above @returns {Object} */
function merged(below, above) {
  const result = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const both = value && result[key] && typeof value === "object" && !Array.isArray(value);
    result[key] = both ? merged(result[key], value) : value;
  }
  return result;
}

/**
 * Draw a plot as soon as Plotly is there, and again when the theme or the width changes.
 * @param {string} id - of its element.
 * @param {function(): {traces: Object[], layout: Object}} make - called at each drawing.
 * @returns {function(): void} draws again, after a choice has changed.
 */
function plot(id, make) {
  const node = byId(id);
  const draw = () => {
    const { traces, layout } = make();
    const axis = { gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line"), automargin: true };
    const narrow = node.clientWidth < 520;
    const base = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      hovermode: "closest",
      dragmode: narrow ? false : "zoom",
      font: { color: css("--ink"), size: 12, family: "inherit" },
      margin: { l: 52, r: 12, t: 10, b: 46 },
      hoverlabel: { align: "left" },
      legend: narrow ? { orientation: "h", y: -0.3, yanchor: "top" } : { itemwidth: 30 },
      xaxis: axis,
      yaxis: axis,
      xaxis2: axis,
      yaxis2: axis,
    };
    Plotly.react(node, traces, merged(base, layout), {
      responsive: true,
      displaylogo: false,
      displayModeBar: narrow ? false : "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    });
  };
  drawn.push(draw);
  return () => {
    if (isLoaded) draw();
  };
}

/** Draw all plots, one after the other, so that the page answers in between; called when Plotly is there. */
function drawAll() {
  isLoaded = true;
  const waiting = [...drawn];
  const next = () => {
    const draw = waiting.shift();
    if (!draw) {
      document.body.dataset.drawn = "yes";
      return;
    }
    draw();
    setTimeout(next);
  };
  next();
}

/** Draw all plots again. */
function redraw() {
  if (isLoaded) for (const draw of drawn) draw();
}
dark.addEventListener("change", redraw);
window.addEventListener("resize", redraw);
