/* The matrix by the arrow keys: one stop for the tab key, then from cell to cell. Every cell is a link without, too. */
"use strict";

(() => {
  const table = () => document.querySelector("table.matrix");
  const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

  function settle() {
    const found = table();
    if (!found) return;
    const links = found.querySelectorAll("td.m a");
    const now = document.activeElement && document.activeElement.closest("td.m") ? document.activeElement : links[0];
    links.forEach((link) => { link.tabIndex = link === now ? 0 : -1; });
  }
  function from(cell, row, column) {
    const rows = table().tBodies[0].rows;
    let y = cell.parentNode.sectionRowIndex, x = cell.cellIndex;
    for (;;) {
      y += row;
      x += column;
      const next = rows[y] && rows[y].cells[x];
      if (!next) return null;
      const link = next.querySelector("a");
      if (link) return link;
    }
  }
  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest && event.target.closest("td.m");
    const move = MOVES[event.key];
    if (!cell || !move || event.ctrlKey || event.altKey || event.metaKey) return;
    const link = from(cell, move[0], move[1]);
    event.preventDefault();
    if (!link) return;
    link.focus();
    settle();
  });
  document.addEventListener("focusin", (event) => { if (event.target.closest("td.m")) settle(); });
  document.addEventListener("DOMContentLoaded", () => {
    settle();
    const live = document.querySelector(".live");
    if (live) new MutationObserver(settle).observe(live, { childList: true, subtree: true });
  });
})();
