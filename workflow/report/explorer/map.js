// The map, drawn by BokehJS. Colours are numbers into a palette; what is drawn over the points has a source of its own.

const HUES = 36, STEPS = 64, LABELLED = 60, SCATTERED = 0.14, MANY = 50000;
const MARKERS = { // the sign that stands for each in the legend, and its size on the map
  square: ["■", 9], triangle: ["▲", 11], diamond: ["◆", 14], inverted_triangle: ["▼", 11], star: ["★", 17],
  hex: ["⬢", 11], plus: ["✚", 13], square_pin: ["✦", 14], triangle_pin: ["▴", 15], circle: ["●", 9],
};
const MARKED = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7b3294", "#a6761d", "#1b9e77", "#e7298a"];
const chart = { box: null, home: null };

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const isDark = () => document.documentElement.dataset.theme === "dark";

function hue(i) {
  const lightness = [[38, 52, 27], [62, 74, 52]][isDark() ? 1 : 0][Math.floor(i / 12) % 3];
  return hex(((i % 12) * 30 + Math.floor(i / 12) * 11) % 360, 70, lightness);
}

function hex(h, s, l) {
  const part = (n) => {
    const k = (n + h / 30) % 12, a = (s / 100) * Math.min(l / 100, 1 - l / 100);
    return Math.round(255 * (l / 100 - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)))).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

function ramp(stops) {
  const rgb = stops.map((stop) => [1, 3, 5].map((i) => parseInt(stop.slice(i, i + 2), 16)));
  return range(STEPS).map((step) => {
    const place = (step / (STEPS - 1)) * (stops.length - 1), at = Math.min(stops.length - 2, Math.floor(place));
    const mixed = rgb[at].map((from, i) => Math.round(from + (place - at) * (rgb[at + 1][i] - from)));
    return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  });
}

const diverging = () => ramp(isDark() ? ["#79b8ff", "#3f6ea5", "#454d54", "#a8622c", "#ffb070"] : ["#08519c", "#6baed6", "#d9dcdf", "#fd8d3c", "#a63603"]);
const rising = () => ramp(isDark() ? ["#3a434b", "#2f8f83", "#f4e66a"] : ["#d5dadd", "#3b9aa8", "#3f007d"]);

// BokehJS itself is a block: it becomes a script of the page.
async function loadBokeh() {
  const script = document.createElement("script");
  script.textContent = await block("bokeh");
  document.head.append(script);
}

async function openChart(host, listeners) {
  const { Plotting, Range1d, PanTool, WheelZoomTool, LassoSelectTool } = Bokeh;
  const sources = {
    points: ["x", "y", "colour"], placed: ["x", "y", "colour"], marked: ["x", "y", "colour", "marker", "size", "edge"], outlines: ["xs", "ys", "colour"],
    lines: ["x0", "y0", "x1", "y1"], near: ["x", "y"], chosen: ["x", "y"], numbers: ["x", "y", "text"], name: ["x", "y", "text"],
  };
  for (const [name, columns] of Object.entries(sources)) {
    chart[name] = new Bokeh.ColumnDataSource({ data: Object.fromEntries(columns.map((column) => [column, []])) });
  }
  chart.x = new Range1d({ start: 0, end: 1 });
  chart.y = new Range1d({ start: 0, end: 1 });
  chart.pan = new PanTool();
  chart.lasso = new LassoSelectTool({ continuous: false, renderers: [] });
  const wheel = new WheelZoomTool();
  chart.figure = Plotting.figure({
    sizing_mode: "stretch_both", toolbar_location: null, tools: [chart.pan, wheel, chart.lasso],
    x_range: chart.x, y_range: chart.y, lod_threshold: 20000, min_border: 4, outline_line_color: null,
  });
  Object.assign(chart.figure.toolbar, { active_drag: chart.pan, active_scroll: wheel });
  for (const axis of [...chart.figure.below, ...chart.figure.left]) axis.visible = false;
  for (const grid of chart.figure.center) grid.visible = false;
  draw();
  chart.view = await Plotting.show(chart.figure, host);
  chart.figure.on_event("mousemove", (at) => listeners.hover(pointAt(at), at));
  chart.figure.on_event("mouseleave", () => listeners.hover(null));
  chart.figure.on_event("tap", (at) => listeners.choose(pointAt(at)));
  chart.figure.on_event("selectiongeometry", ({ geometry, final }) => { if (final) listeners.lasso(inside(geometry)); });
  for (const bound of [chart.x, chart.y]) bound.properties.end.change.connect(() => later(listeners.moved));
}

let waiting = 0;
function later(call) {
  clearTimeout(waiting);
  waiting = setTimeout(call, 120);
}

function draw() {
  const { figure: f } = chart;
  const of = (field) => ({ field });
  chart.mapper = new Bokeh.LinearColorMapper({ palette: ["#888888"], low: -0.5, high: 0.5 });
  const colour = { field: "colour", transform: chart.mapper };
  f.patches(of("xs"), of("ys"), { source: chart.outlines, fill_color: of("colour"), fill_alpha: 0.07, line_color: of("colour"), line_width: 1.3 });
  chart.dots = f.scatter(of("x"), of("y"), { source: chart.points, size: 6, fill_color: colour, line_color: null });
  chart.hollow = f.scatter(of("x"), of("y"), { source: chart.placed, size: 6, marker: "triangle", fill_color: null, line_color: colour });
  const above = { level: "overlay" }; // a layer of its own: a choice does not draw all points again
  f.segment(of("x0"), of("y0"), of("x1"), of("y1"), { source: chart.lines, line_width: 1.2, ...above });
  f.scatter(of("x"), of("y"), { source: chart.marked, size: of("size"), marker: of("marker"), fill_color: of("colour"), line_color: of("edge"), line_width: 0.7 });
  f.scatter(of("x"), of("y"), { source: chart.near, size: 11, fill_color: null, line_width: 1.6, ...above });
  f.scatter(of("x"), of("y"), { source: chart.chosen, size: 17, fill_color: null, line_width: 3, ...above });
  const words = { text_font: "system-ui, Arial, sans-serif", text_align: "center", text_baseline: "middle", padding: 2, background_fill_alpha: 0.8 };
  f.text(of("x"), of("y"), of("text"), { source: chart.numbers, text_font_size: "11px", ...words });
  f.text(of("x"), of("y"), of("text"), { source: chart.name, text_font_size: "13px", text_font_style: "bold", y_offset: -20, ...words, ...above });
  dress();
}

// The theme's colours.
function dress() {
  const ink = css("ring"), back = css("back");
  Object.assign(chart.figure, { background_fill_color: back, border_fill_color: back });
  for (const renderer of chart.figure.renderers) {
    const glyph = renderer.glyph;
    if ([chart.lines, chart.near, chart.chosen].includes(renderer.data_source)) glyph.line_color = ink;
    if (glyph.text) Object.assign(glyph, { text_color: ink, background_fill_color: back });
  }
}

// Draw a map: `look` gives each drug's number in the palette, the drugs to mark, and what is drawn last.
function drawMap(map, look) {
  const order = range(map.n);
  if (look.above) order.sort((a, b) => look.above[a] - look.above[b]);
  const pick = (drugs) => ({ x: drugs.map((i) => map.x[i]), y: drugs.map((i) => map.y[i]), colour: drugs.map((i) => look.number[i]) });
  const size = Math.max(2.5, Math.min(7, 260 / Math.sqrt(map.n)));
  Object.assign(chart.mapper, { palette: look.palette, low: -0.5, high: look.palette.length - 0.5 });
  chart.dots.glyph.marker = { value: map.n > MANY ? "square" : "circle" }; // so small that none can tell, and faster
  chart.dots.glyph.size = chart.hollow.glyph.size = { value: size };
  chart.points.data = pick(order.filter((i) => !isPlaced(i)));
  chart.placed.data = pick(order.filter(isPlaced));
  const marks = look.marks || [];
  chart.marked.data = {
    x: marks.map((m) => map.x[m.drug]), y: marks.map((m) => map.y[m.drug]), marker: marks.map((m) => m.marker), size: marks.map((m) => MARKERS[m.marker][1]),
    colour: marks.map((m) => m.colour), edge: marks.map(() => css("back")),
  };
}

function drawChosen(map, drug, nearest) {
  const at = (drugs) => ({ x: drugs.map((i) => map.x[i]), y: drugs.map((i) => map.y[i]) });
  const shown = drug !== null && drug < map.n ? [drug] : [];
  const others = shown.length ? nearest.map((row) => row.drug) : [];
  chart.chosen.data = at(shown);
  chart.name.data = { ...at(shown), text: shown.map((i) => nameOf(i).slice(0, 60)) };
  chart.near.data = at(others);
  chart.lines.data = {
    x0: others.map(() => map.x[drug]), y0: others.map(() => map.y[drug]),
    x1: others.map((i) => map.x[i]), y1: others.map((i) => map.y[i]),
  };
}

// Outlines and numbers of communities: the largest in view, or one alone.
function drawCommunities(map, colours, only) {
  const seen = (i) => map.x[i] > chart.x.start && map.x[i] < chart.x.end && map.y[i] > chart.y.start && map.y[i] < chart.y.end;
  const centre = (c) => map.info.exemplars[c] ?? map.members.get(c)[0];
  let shown = [...map.members].filter(([c, drugs]) => c > 0 && drugs.length > 2 && seen(centre(c)));
  shown = shown.sort((a, b) => b[1].length - a[1].length).slice(0, LABELLED).map(([c]) => c);
  if (!colours) shown = [];
  if (only && map.members.has(only)) shown = [...shown.filter((c) => c !== only), only];
  const hulls = shown.map((c) => hull(core(map, map.members.get(c), centre(c))));
  chart.outlines.data = {
    xs: hulls.map((points) => points.map((p) => p[0])), ys: hulls.map((points) => points.map((p) => p[1])),
    colour: shown.map((c) => (c === only ? css("ring") : hue((c - 1) % HUES))),
  };
  chart.numbers.data = { x: shown.map((c) => map.x[centre(c)]), y: shown.map((c) => map.y[centre(c)]), text: shown.map(String) };
}

// The members around the exemplar, without those that t-SNE has put far off; none where most lie scattered.
function core(map, drugs, centre) {
  const away = (i) => Math.hypot(map.x[i] - map.x[centre], map.y[i] - map.y[centre]);
  const usual = drugs.map(away).sort((a, b) => a - b)[Math.floor(drugs.length / 2)];
  const [left, bottom, right, top] = map.info.box;
  if (usual > SCATTERED * Math.max(right - left, top - bottom)) return [];
  return drugs.filter((i) => away(i) <= 1.7 * usual).map((i) => [map.x[i], map.y[i]]);
}

function hull(points) { // Andrew's monotone chain
  const sorted = points.slice().sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (list) => {
    const chain = [];
    for (const p of list) {
      while (chain.length > 1 && turn(chain[chain.length - 2], chain[chain.length - 1], p) <= 0) chain.pop();
      chain.push(p);
    }
    return chain.slice(0, -1);
  };
  return sorted.length < 3 ? sorted : [...half(sorted), ...half(sorted.reverse())];
}

const turn = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

// The drug within 10 pixels of a place, or null.
function pointAt({ x, y }) {
  const map = chart.map, { width, height } = chart.view.frame.bbox;
  const sx = width / (chart.x.end - chart.x.start), sy = height / (chart.y.end - chart.y.start);
  let found = null, least = 100;
  for (let i = 0; i < map.n; i++) {
    const away = ((map.x[i] - x) * sx) ** 2 + ((map.y[i] - y) * sy) ** 2;
    if (away < least) { least = away; found = i; }
  }
  return found;
}

function inside({ x, y }) {
  const map = chart.map;
  return range(map.n).filter((i) => {
    let within = false;
    for (let a = 0, b = x.length - 1; a < x.length; b = a++) {
      const crosses = y[a] > map.y[i] !== y[b] > map.y[i];
      if (crosses && map.x[i] < ((x[b] - x[a]) * (map.y[i] - y[a])) / (y[b] - y[a]) + x[a]) within = !within;
    }
    return within;
  });
}

// Views: [left, bottom, right, top]. `fit` widens a box to the shape of the frame.
function fit([left, bottom, right, top], margin = 0.04) {
  const { width, height } = chart.view.frame.bbox;
  const unit = Math.max((right - left) / width, (top - bottom) / height) * (1 + 2 * margin) || 1;
  const x = (left + right) / 2, y = (bottom + top) / 2;
  return [x - (unit * width) / 2, y - (unit * height) / 2, x + (unit * width) / 2, y + (unit * height) / 2];
}

const view = () => [chart.x.start, chart.y.start, chart.x.end, chart.y.end];

function look([left, bottom, right, top]) {
  chart.x.setv({ start: left, end: right });
  chart.y.setv({ start: bottom, end: top });
}

function zoom(factor) {
  const [left, bottom, right, top] = view(), part = (1 - factor) / 2;
  look([left + part * (right - left), bottom + part * (top - bottom), right - part * (right - left), top - part * (top - bottom)]);
}

function move(x, y) {
  const [left, bottom, right, top] = view(), dx = x * (right - left), dy = y * (top - bottom);
  look([left + dx, bottom + dy, right + dx, top + dy]);
}

function useLasso(on) {
  chart.figure.toolbar.active_drag = on ? chart.lasso : chart.pan;
  chart.lasso.active = on;
  chart.pan.active = !on;
}

const picture = (kind) => chart.view.export(kind).to_blob();
