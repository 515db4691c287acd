"use strict";
const table = document.querySelector("table.cases, table.class");
const filters = document.querySelector(".filters");
if (table && filters) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const shown = document.querySelector("#shown");
  const text = filters.querySelector("input");
  const selects = Array.from(filters.querySelectorAll("select"));
  const show = () => {
    const wanted = text.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = selects.every((one) => one.value === "" || row.dataset[one.name] === one.value);
      row.hidden = !(fits && row.textContent.toLowerCase().includes(wanted));
      count += row.hidden ? 0 : 1;
    }
    shown.textContent = count + " of " + rows.length + " shown";
  };
  text.addEventListener("input", show);
  selects.forEach((one) => one.addEventListener("change", show));
  const key = (row, at) => row.cells[at].dataset.k ?? row.cells[at].textContent;
  Array.from(table.tHead.rows[0].cells).forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const sorted = rows.slice().sort((a, b) => key(a, at).localeCompare(key(b, at), undefined, { numeric: true }));
      body.append(...(up ? sorted : sorted.reverse()));
    });
  });
  filters.hidden = false;
  show();
}
const open = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", open);
open();
