const [PRINT_WIDTH, PRINT_HEIGHT] = [940, 520]; // of paper that lies, within its margins and below what is said of a chart
const NARROW = 600; // pixels, below which panels have no room beside each other
// What the colours of a figure become on a dark screen: paper, ink, grid, greys, and the shades from none to all.
const ON_DARK = {
  "#ffffff": "#14181d",
  "#222222": "#e3e7eb",
  "#e3e6e8": "#333c46",
  "#57606a": "#a9b3bd",
  "#808080": "#98a2ad",
  "#000000": "#ffffff",
  "#6baed6": "#2b6ea8",
  "#08306b": "#c6dbef",
};
const darkScreen = matchMedia("(prefers-color-scheme: dark)");
let printing = false;
const CONFIG = {
  displaylogo: false,
  showSendToCloud: false, // results stay here
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
};

function recoloured(colour) {
  return Array.isArray(colour) ? colour.map(recoloured) : (ON_DARK[colour] ?? colour);
}

function figureOf(chart) {
  const dark = darkScreen.matches && !printing;
  const inScheme = (key, value) => (dark && /color(scale)?$/.test(key) ? recoloured(value) : value);
  const text = document.querySelector(`script[data-figures="${chart.id}"]`).textContent;
  return JSON.parse(text, inScheme)[chart.dataset.chosen || 0];
}

// Panels go below each other where there is no room beside each other.
function laidOut(layout, width) {
  const narrow = width < NARROW ? layout.meta?.narrow : undefined;
  const changed = Object.entries(narrow || {}).map(([key, value]) => [
    key,
    typeof value === "object" ? { ...layout[key], ...value } : value,
  ]);
  return { ...layout, ...Object.fromEntries(changed) };
}

function widthOf(chart) {
  return printing ? PRINT_WIDTH : chart.clientWidth;
}

// The height in a figure is that without its legend, which has more rows on a narrow screen: a chart is first drawn with
// room for the largest legend, since plotly fails where there is too little, and then gets what it needs.
function roomy(chart) {
  return chart.plainHeight + chart.largestLegend;
}

function tighten(chart) {
  const legend = chart.querySelector(".legend .bg");
  const height = Math.ceil(chart.plainHeight + (legend ? legend.getBBox().height + 16 : 0));
  if (height !== chart.layout.height) return Plotly.relayout(chart, { height });
}

function isDrawn(chart) {
  return chart.classList.contains("js-plotly-plot");
}

async function draw(chart) {
  const { data, layout } = figureOf(chart);
  const fresh = !isDrawn(chart);
  const width = widthOf(chart);
  const laid = laidOut(layout, width);
  chart.isNarrow = width < NARROW;
  chart.style.zoom = ""; // in which plotly would measure wrongly
  chart.plainHeight = laid.height;
  chart.largestLegend = laid.legend.maxheight;
  await Plotly.react(chart, data, { ...laid, width, height: roomy(chart) }, CONFIG);
  if (fresh) {
    chart.on("plotly_afterplot", () => tighten(chart));
    resized.observe(chart);
  }
  // Its letters, one by one, say nothing to who hears them; the table of its numbers does.
  for (const svg of chart.querySelectorAll(".main-svg")) svg.ariaHidden = "true";
  await tighten(chart);
  if (printing) chart.style.zoom = Math.min(1, PRINT_HEIGHT / chart.layout.height);
}

function fit(chart, width) {
  if (!width || printing || width === chart.layout.width) return;
  if (chart.isNarrow !== width < NARROW) draw(chart);
  else Plotly.relayout(chart, { width, height: roomy(chart) });
}

const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => fit(target, target.clientWidth)));
const charts = [...document.querySelectorAll(".chart")];
const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) {
        seen.unobserve(target);
        if (!isDrawn(target)) draw(target);
      }
    }
  },
  { rootMargin: "300px" }
);
charts.forEach((chart) => seen.observe(chart));

const pictures = JSON.parse(document.getElementById("pictures").textContent);
function showPictures(place) {
  for (const image of place.querySelectorAll("img[data-image]")) image.src = pictures[image.dataset.image];
}

function showNumbers(details) {
  if (!details?.open) return;
  const chart = document.getElementById(details.dataset.numbersOf);
  const chosen = document.querySelector(`[data-chosen-for="${chart.id}"]`)?.textContent;
  details.querySelector(".scroll").replaceChildren(numbersTable(figureOf(chart), chosen || "The numbers of this chart"));
}

for (const details of document.querySelectorAll("[data-numbers-of]")) {
  details.addEventListener("toggle", () => showNumbers(details));
}

function choose(select) {
  const chart = document.getElementById(select.dataset.for);
  if (chart.classList.contains("chart")) {
    chart.dataset.chosen = select.value;
    draw(chart);
    document.querySelector(`[data-chosen-for="${chart.id}"]`).textContent = select.selectedOptions[0].textContent;
    showNumbers(document.querySelector(`[data-numbers-of="${chart.id}"]`));
    return;
  }
  document.querySelectorAll(`[data-choice="${select.dataset.for}"]`).forEach((part, number) => {
    part.hidden = number !== Number(select.value);
    if (!part.hidden) showPictures(part);
  });
}

for (const select of document.querySelectorAll("select[data-for]")) {
  select.value = "0"; // a browser that reloads a page keeps what was chosen
  select.addEventListener("change", () => choose(select));
}
document.querySelectorAll("[data-choice]:not([hidden])").forEach(showPictures);

function sortBy(heading) {
  const table = heading.closest("table");
  const column = heading.cellIndex;
  const rows = [...table.tBodies[0].rows];
  const numeric = rows.some((row) => row.cells[column].dataset.value);
  const before = heading.getAttribute("aria-sort");
  const first = numeric ? "descending" : "ascending";
  const second = numeric ? "ascending" : "descending";
  const direction = before === first ? second : first;
  const sign = direction === "ascending" ? 1 : -1;
  const known = (cell) => !numeric || cell.dataset.value !== "";
  rows.sort((one, other) => {
    const [a, b] = [one.cells[column], other.cells[column]];
    if (known(a) !== known(b)) return known(a) ? -1 : 1;
    if (!known(a)) return 0;
    if (numeric) return sign * (a.dataset.value - b.dataset.value);
    return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
  });
  for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", direction);
  table.tBodies[0].append(...rows);
}

for (const heading of document.querySelectorAll("table.sortable thead th")) {
  heading.addEventListener("click", () => sortBy(heading));
}

darkScreen.addEventListener("change", () => charts.filter(isDrawn).forEach(draw));

// On paper charts are light and as wide as it is, and tables are not folded in.
let unfolded = [];
let printed;
window.addEventListener("beforeprint", () => {
  printing = true;
  unfolded = [...document.querySelectorAll("main details:not([open], .numbers, #configurations *)")];
  for (const details of unfolded) details.open = true;
  printed = Promise.all(charts.map(draw));
});
window.addEventListener("afterprint", () => {
  printing = false;
  for (const details of unfolded) details.open = false;
  charts.forEach(draw);
});
