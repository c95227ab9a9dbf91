"use strict";
// The numbers of a chart as a table, for who cannot see it, or wants to copy them.
const ARRAYS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u4: Uint32Array, i2: Int16Array, u2: Uint16Array, i1: Int8Array, u1: Uint8Array };
const MOST_ROWS = 40;

// What plotly's Python library writes of an array.
function valuesOf(array) {
  if (!array || Array.isArray(array)) return array || [];
  const bytes = Uint8Array.from(atob(array.bdata), (sign) => sign.charCodeAt(0));
  const flat = [...new ARRAYS[array.dtype](bytes.buffer)];
  const width = Number((array.shape || "").split(",")[1]);
  return width ? flat.filter((_, place) => place % width === 0).map((_, row) => flat.slice(row * width, (row + 1) * width)) : flat;
}

function plain(text) {
  return text.replaceAll("<br>", " ").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function written(number) {
  if (typeof number !== "number") return String(number ?? "");
  return Number.isInteger(number) ? number.toLocaleString("en") : String(Number(number.toPrecision(3)));
}

function axisOf(layout, name) {
  return layout[`${name[0]}axis${name.slice(1)}`];
}

function titleOf(axis) {
  return plain(axis.title.text);
}

function pointsOf(trace, layout) {
  const y = valuesOf(trace.y);
  const x = trace.x ? valuesOf(trace.x) : y.map((_, place) => trace.x0 + place * trace.dx);
  const axis = axisOf(layout, trace.xaxis || "x");
  const ticks = valuesOf(axis.tickvals);
  const named = (value) => (ticks.includes(value) ? plain(axis.ticktext[ticks.indexOf(value)]) : written(value));
  const [above, below] = [valuesOf(trace.error_y?.array), valuesOf(trace.error_y?.arrayminus)];
  const interval = (place) =>
    Number.isFinite(above[place]) ? ` [${written(y[place] - below[place])}, ${written(y[place] + above[place])}]` : "";
  return x.map((value, place) => [named(value), written(y[place]) + interval(place)]);
}

function matrixRows(trace, layout) {
  const names = layout.xaxis.ticktext.map(plain);
  const [shares, images] = [valuesOf(trace.z), valuesOf(trace.customdata)];
  const cells = (row) => images[row].map((n, column) => `${written(n)} (${Math.round(100 * shares[row][column])} %)`);
  return [[`${titleOf(layout.yaxis)} \\ ${titleOf(layout.xaxis)}`, ...names], ...names.map((name, row) => [name, ...cells(row)])];
}

// A row for each place on the horizontal axis if most curves share them, else a row for each point.
function curveRows(traces, layout) {
  const points = traces.map((trace) => pointsOf(trace, layout));
  const several = new Set(traces.map((trace) => trace.yaxis)).size > 1;
  const names = traces.map((trace) => {
    const title = titleOf(axisOf(layout, trace.yaxis || "y"));
    return [plain(trace.name || ""), several || !trace.name ? title : ""].filter(Boolean).join(", ");
  });
  const [x, y] = [titleOf(layout.xaxis), titleOf(layout.yaxis)];
  const places = [...new Set(points.flatMap((each) => each.map(([place]) => place)))];
  if (places.length > 1.5 * Math.max(...points.map((each) => each.length))) {
    return [["curve", x, y], ...points.flatMap((each, curve) => each.map((point) => [names[curve], ...point]))];
  }
  const known = points.map((each) => new Map(each));
  return [[x, ...names], ...places.map((place) => [place, ...known.map((each) => each.get(place) ?? "")])];
}

function numbersOf({ data, layout }) {
  if (data[0].type === "heatmap") return matrixRows(data[0], layout);
  // Without a name: a line to compare with, and bars that say which curve is the highest.
  return curveRows(data.filter((trace) => trace.name || data.length === 1), layout);
}

function numbersTable(figure, caption) {
  const [headings, ...all] = numbersOf(figure);
  const step = Math.ceil(all.length / MOST_ROWS);
  const rows = all.filter((_, place) => place % step === 0 || place === all.length - 1);
  const table = document.createElement("table");
  const shown = table.createCaption().appendChild(document.createElement("span"));
  shown.textContent = step > 1 ? `${caption} (every ${step}th of ${all.length} rows)` : caption;
  const cell = (row, kind, text) => {
    const made = document.createElement(kind);
    made.textContent = text;
    if (kind === "th") made.scope = row.parentNode.tagName === "THEAD" ? "col" : "row";
    row.append(made);
  };
  const head = table.createTHead().insertRow();
  headings.forEach((text) => cell(head, "th", text));
  const body = table.createTBody();
  for (const texts of rows) {
    const row = body.insertRow();
    texts.forEach((text, place) => cell(row, place ? "td" : "th", text));
  }
  return table;
}
