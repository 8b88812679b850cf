/* The tree of sites: larger and smaller, pulled about, and walked through by the arrow keys. The picture reads and leads on without. */
"use strict";

(() => {
  const LEAST = 0.2, MOST = 2.5;
  const root = document.documentElement;
  const map = () => document.querySelector(".map");
  let zoom = 1;

  function set(value, at) {
    const box = map();
    if (!box) return;
    const before = zoom;
    zoom = Math.min(MOST, Math.max(LEAST, value));
    root.style.setProperty("--map-zoom", zoom);
    const x = at ? at.x : box.clientWidth / 2, y = at ? at.y : box.clientHeight / 2;
    box.scrollLeft = (box.scrollLeft + x) * zoom / before - x;
    box.scrollTop = (box.scrollTop + y) * zoom / before - y;
  }
  function fit() {
    const box = map();
    const svg = box && box.querySelector("svg");
    if (!svg) return;
    set(Math.min(1, (box.clientWidth - 26) / svg.width.baseVal.value, (window.innerHeight * 0.72 - 26) / svg.height.baseVal.value));
  }
  const ACTS = { in: () => set(zoom * 1.25), out: () => set(zoom / 1.25), one: () => set(1), fit };

  document.addEventListener("DOMContentLoaded", () => {
    const tools = document.querySelector(".map-tools");
    if (tools) tools.hidden = false;
    const asked = new URLSearchParams(location.search).getAll("open").pop();
    const box = map();
    if (!box) return;
    const node = (asked && box.querySelector(`.node[data-code="${CSS.escape(asked)}"]`)) || box.querySelector(".node");
    if (!node) return;
    const at = node.getBoundingClientRect(), edge = box.getBoundingClientRect();
    box.scrollTop += at.top + at.height / 2 - edge.top - box.clientHeight / 2;
    box.scrollLeft += Math.max(0, at.left - edge.left - 40);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (button) ACTS[button.dataset.zoom]();
  });
  document.addEventListener("wheel", (event) => {
    const box = event.target.closest && event.target.closest(".map");
    if (!box || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const edge = box.getBoundingClientRect();
    set(zoom * (event.deltaY < 0 ? 1.12 : 1 / 1.12), { x: event.clientX - edge.left, y: event.clientY - edge.top });
  }, { passive: false });

  /* Pulling with the mouse; a finger scrolls by itself. */
  let pull = null;
  document.addEventListener("pointerdown", (event) => {
    const box = event.target.closest && event.target.closest(".map");
    if (!box || event.pointerType !== "mouse" || event.button !== 0 || event.target.closest("a")) return;
    pull = { box, x: event.clientX + box.scrollLeft, y: event.clientY + box.scrollTop };
    box.classList.add("pulled");
  });
  document.addEventListener("pointermove", (event) => {
    if (!pull) return;
    pull.box.scrollLeft = pull.x - event.clientX;
    pull.box.scrollTop = pull.y - event.clientY;
  });
  document.addEventListener("pointerup", () => {
    if (pull) pull.box.classList.remove("pulled");
    pull = null;
  });

  /* From site to site: left to the parent, right to the first child, up and down among those of one parent. */
  function next(node, key) {
    const all = [...map().querySelectorAll(".node")];
    if (key === "ArrowLeft") return all.find((one) => one.dataset.code === node.dataset.parent);
    if (key === "ArrowRight") return all.find((one) => one.dataset.parent === node.dataset.code);
    const beside = all.filter((one) => one.dataset.parent === node.dataset.parent);
    return beside[beside.indexOf(node) + (key === "ArrowDown" ? 1 : -1)];
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.closest) return;
    const box = event.target.closest(".map");
    if (!box) return;
    if (event.key === "+" || event.key === "=") return ACTS.in();
    if (event.key === "-") return ACTS.out();
    if (event.key === "0") return ACTS.one();
    const node = event.target.closest(".node");
    if (!node || !event.key.startsWith("Arrow")) return;
    const found = next(node, event.key);
    event.preventDefault();
    if (found) {
      found.focus({ preventScroll: true });
      found.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  });
})();
