/* What pages do beyond what a browser does by itself. Everything can be read and done without it. */
"use strict";

/* Live parts say so, and say when they are not. */
document.addEventListener("htmx:sse:after:connection", () => document.documentElement.setAttribute("data-live", "on"));
for (const lost of ["htmx:sse:error", "htmx:sse:close"]) {
  document.addEventListener(lost, () => document.documentElement.setAttribute("data-live", "off"));
}

/* A filter applies when it is chosen. */
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

/* Empty fields stay out of the address. */
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".filters")) return;
  for (const field of event.target.elements) if (field.name && field.value === "") field.disabled = true;
});
window.addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll(".filters :disabled")) field.disabled = false;
});

/* "/" goes to the field at the top, as in many places. */
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = document.getElementById("find");
  if (field) { event.preventDefault(); field.focus(); }
});

/* A path or command that is to be taken along. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.dataset.done = "yes";
  setTimeout(() => delete button.dataset.done, 1500);
});

/* Charts: the table beside one is its data; without uPlot or without script its bars stay. */
const SIZES = ["bytes", "KiB", "MiB", "GiB", "TiB"];
function inWords(value, unit) {
  if (unit !== "bytes") return String(value);
  let step = 0;
  while (value >= 1024 && step < SIZES.length - 1) { value /= 1024; step += 1; }
  return `${step ? value.toFixed(1) : value} ${SIZES[step]}`;
}
function hour(seconds) {
  const at = new Date(seconds * 1000).toISOString();
  return at.slice(11, 16) === "00:00" ? at.slice(5, 10) : at.slice(11, 16);
}
function draw(figure) {
  const source = figure.querySelector("[data-series]");
  if (!source) return;
  const { times, values } = JSON.parse(source.dataset.series);
  const style = getComputedStyle(figure);
  const colour = style.getPropertyValue("--accent").trim(), quiet = style.getPropertyValue("--quiet").trim(), line = style.getPropertyValue("--line").trim();
  const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui" };
  const box = document.createElement("div");
  box.className = "chart-drawn";
  const unit = figure.dataset.chart;
  const chart = new uPlot({
    width: figure.clientWidth, height: 180, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: { y: { range: (_chart, _low, high) => [0, Math.max(high, 1) * 1.05] } },
    axes: [{ ...axis, values: (_chart, ticks) => ticks.map(hour) }, { ...axis, size: 80, values: (_chart, ticks) => ticks.map((tick) => inWords(tick, unit)) }],
    series: [{ label: "From", value: (_chart, seconds) => (seconds == null ? "" : new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")) }, { label: "Amount", fill: colour, stroke: colour, paths: uPlot.paths.bars({ size: [0.8, 60] }), points: { show: false }, value: (_chart, value) => (value == null ? "" : inWords(value, unit)) }],
  }, [times, values], box);
  figure.querySelector("svg").replaceWith(box);
  new ResizeObserver(() => chart.setSize({ width: figure.clientWidth, height: 180 })).observe(figure);
}
document.addEventListener("DOMContentLoaded", () => {
  if (typeof uPlot === "undefined") return;
  for (const figure of document.querySelectorAll("figure[data-chart]")) draw(figure);
});
