for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  headers.forEach((header) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const down = header.getAttribute("aria-sort") !== "descending";
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      const column = Number(header.dataset.column ?? header.cellIndex);
      const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
      for (const body of table.tBodies) {
        const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
        rows.sort((one, other) => {
          const [a, b] = [value(one), value(other)];
          const [x, y] = [parseFloat(a), parseFloat(b)];
          const missing = Number(a === "") - Number(b === "");
          if (missing) return missing;
          const order = isNaN(x) || isNaN(y) ? b.localeCompare(a, "en", { numeric: true }) : y - x;
          return down ? order : -order;
        });
        body.append(...rows);
      }
    });
  });
}
for (const input of document.querySelectorAll("input.filter")) {
  const rows = [...document.getElementById(input.getAttribute("aria-controls")).tBodies[0].rows];
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    rows.forEach((row) => { row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted); });
  });
}
