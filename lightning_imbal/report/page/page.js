"use strict";
const PRINT_WIDTH = 680;
const CONFIG = {
  displaylogo: false,
  showSendToCloud: false, // results stay here
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
};

function figuresOf(chart) {
  return JSON.parse(document.querySelector(`script[data-figures="${chart.id}"]`).textContent);
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
  const { data, layout } = figuresOf(chart)[chart.dataset.chosen || 0];
  const fresh = !isDrawn(chart);
  chart.plainHeight = layout.height;
  chart.largestLegend = layout.legend.maxheight;
  await Plotly.react(chart, data, { ...layout, width: chart.clientWidth, height: roomy(chart) }, CONFIG);
  if (fresh) {
    chart.on("plotly_afterplot", () => tighten(chart));
    resized.observe(chart);
  }
  await tighten(chart);
}

function fit(chart, width) {
  if (width && width !== chart.layout.width) Plotly.relayout(chart, { width, height: roomy(chart) });
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

function choose(select) {
  const chart = document.getElementById(select.dataset.for);
  if (chart.classList.contains("chart")) {
    chart.dataset.chosen = select.value;
    draw(chart);
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

window.addEventListener("beforeprint", () => {
  for (const chart of charts) {
    if (!isDrawn(chart)) draw(chart);
    fit(chart, PRINT_WIDTH);
  }
});
window.addEventListener("afterprint", () => charts.forEach((chart) => fit(chart, chart.clientWidth)));
