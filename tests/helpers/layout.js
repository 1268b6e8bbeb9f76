// What is wrong with the layout of the page as it is drawn now, a line each; the last expression is the function.
() => {
  const MIN_CONTRAST = 4.5;
  const MIN_OF_SIGNS = 3; // a swatch in a legend is a graphic, not a text
  const found = [];
  const described = (node) => {
    const id = node.closest("[id]")?.id;
    const text = (node.textContent || "").replace(/\s+/g, " ").trim().slice(0, 40);
    return `${node.tagName.toLowerCase()}${node.className?.baseVal === undefined && node.className ? `.${node.className}` : ""}${id ? ` in #${id}` : ""} "${text}"`;
  };
  const seen = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const scrolls = (style) => ["auto", "scroll"].includes(style.overflowX);
  const elements = [...document.body.querySelectorAll("*")].filter(
    (node) => !(node instanceof SVGElement) && !node.closest(".js-plotly-plot") && seen(node),
  );

  // Wider than the place it has: clipped, or over its neighbors.
  for (const node of elements) {
    const style = getComputedStyle(node);
    if (style.display === "inline" || scrolls(style) || !node.clientWidth || node.scrollWidth <= node.clientWidth + 1) continue;
    const byDesign = style.textOverflow === "ellipsis" && (node.title || node.querySelector("[title]"));
    const hiddenForEyes = node.clientWidth <= 1;
    if (!byDesign && !hiddenForEyes) found.push(`clipped: ${node.scrollWidth} in ${node.clientWidth} px: ${described(node)}`);
  }

  // Beyond the screen, and not in a container that scrolls.
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  const inScroller = (node) => {
    for (let above = node.parentElement; above && above !== document.body; above = above.parentElement) {
      if (getComputedStyle(above).overflowX !== "visible") return true;
    }
    return false;
  };
  for (const node of elements) {
    const box = node.getBoundingClientRect();
    if (box.width > 1 && (box.right > width + 1 || box.left < -1) && !inScroller(node)) {
      found.push(`beyond the screen: ${Math.round(box.left)} to ${Math.round(box.right)} px: ${described(node)}`);
    }
  }

  // Texts of a plot that lie on each other, or outside of it; the corners are those of the turned text.
  const corners = (text) => {
    const box = text.getBBox(),
      to = text.getScreenCTM();
    const at = (x, y) => ({ x: to.a * x + to.c * y + to.e, y: to.b * x + to.d * y + to.f });
    const [left, top, right, bottom] = [box.x, box.y + 0.15 * box.height, box.x + box.width, box.y + 0.85 * box.height];
    return [at(left, top), at(right, top), at(right, bottom), at(left, bottom)];
  };
  const apart = (one, two) =>
    [one, two].some((shape) =>
      shape.some((point, i) => {
        const next = shape[(i + 1) % 4];
        const along = (p) => p.x * (next.y - point.y) - p.y * (next.x - point.x);
        const [a, b] = [one.map(along), two.map(along)];
        return Math.max(...a) <= Math.min(...b) || Math.max(...b) <= Math.min(...a);
      }),
    );
  const MARKS = [".xaxislayer-above text", ".yaxislayer-above text", ".infolayer text"].join(", ");
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    if (!seen(plot)) continue;
    const frame = plot.getBoundingClientRect();
    const texts = [...plot.querySelectorAll(MARKS)].filter(
      (text) => text.textContent.trim() && !text.closest(".scrollbox") && seen(text) && text.getBBox().width,
    );
    const shapes = texts.map(corners);
    shapes.forEach((shape, i) => {
      const outside = shape.some((p) => p.x < frame.left - 2 || p.x > frame.right + 2 || p.y < frame.top - 2 || p.y > frame.bottom + 2);
      if (outside) found.push(`outside its plot: "${texts[i].textContent}" in #${plot.id}`);
      for (let j = 0; j < i; j++) {
        if (!apart(shape, shapes[j])) found.push(`on each other: "${texts[j].textContent}" and "${texts[i].textContent}" in #${plot.id}`);
      }
    });
  }

  // Texts too faint for what is behind them (WCAG 2.2, 1.4.3; here for large text too).
  const parsed = (color) => {
    const values = (color.match(/-?[\d.]+(e-?\d+)?/g) || [0, 0, 0, 0]).map(Number);
    const scale = color.startsWith("color(") ? 255 : 1;
    return [values[0] * scale, values[1] * scale, values[2] * scale, values[3] ?? 1];
  };
  const over = (above, below) => {
    const alpha = above[3] + below[3] * (1 - above[3]);
    if (!alpha) return [0, 0, 0, 0];
    const mixed = [0, 1, 2].map((i) => (above[i] * above[3] + below[i] * below[3] * (1 - above[3])) / alpha);
    return [...mixed, alpha];
  };
  const backgrounds = new Map();
  const background = (node) => {
    if (!node) return [255, 255, 255, 1];
    if (!backgrounds.has(node)) {
      backgrounds.set(node, over(parsed(getComputedStyle(node).backgroundColor), background(node.parentElement)));
    }
    return backgrounds.get(node);
  };
  const opacity = (node) => (node ? Number(getComputedStyle(node).opacity) * opacity(node.parentElement) : 1);
  const luminance = (color) => {
    const [r, g, b] = color.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  /** The color of a cell of a heat map, on which Plotly writes its value. */
  const cell = (label, plot) => {
    const trace = plot._fullData.find((each) => each.type === "heatmap");
    const share = Math.min(1, Math.max(0, (label.__data__.z - trace.zmin) / (trace.zmax - trace.zmin)));
    const at = Math.max(1, trace.colorscale.findIndex(([place]) => place >= share));
    const [[low, from], [high, to]] = [trace.colorscale[at - 1], trace.colorscale[at]];
    const hex = (text) => (text.startsWith("#") ? [1, 3, 5].map((i) => Number.parseInt(text.slice(i, i + 2), 16)) : parsed(text));
    return [...[0, 1, 2].map((i) => hex(from)[i] + ((hex(to)[i] - hex(from)[i]) * (share - low)) / (high - low)), 1];
  };
  const behind = (node) => {
    const label = node.closest?.(".heatmap-label");
    if (label && label.__data__) return cell(label, node.closest(".js-plotly-plot"));
    return background(node.closest("svg")?.parentElement ?? node);
  };
  const judge = (color, node, text) => {
    const ground = behind(node);
    const drawn = over([...color.slice(0, 3), color[3] * opacity(node)], ground);
    const [light, dark] = [luminance(drawn), luminance(ground)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const least = /[\p{L}\p{N}]/u.test(text) ? MIN_CONTRAST : MIN_OF_SIGNS;
    if (ratio < least) found.push(`contrast ${ratio.toFixed(2)}: "${text.trim().slice(0, 40)}" ${described(node)}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement,
      text = walker.currentNode.textContent;
    if (!text.trim() || node.closest("script, style, noscript, option, .modebar, .hoverlayer") || !seen(node)) continue;
    if (node.closest(".legend .traces")?.style.opacity < 1) continue; // a line that is switched off: WCAG exempts it
    const style = getComputedStyle(node);
    const color = parsed(node instanceof SVGElement ? style.fill : style.color);
    if (node instanceof SVGElement) color[3] *= Number(style.fillOpacity);
    judge(color, node, text);
  }
  for (const field of document.querySelectorAll("input[placeholder]")) {
    if (seen(field)) judge(parsed(getComputedStyle(field, "::placeholder").color), field, field.placeholder);
  }
  return [...new Set(found)];
};
