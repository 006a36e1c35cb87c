// Sorts, filters and saves tables. What only a script can serve is made by the script: without one there is no dead
// control, and every row can be read.
{
  const MANY = 8; // rows: a longer table can be filtered
  const hidden = (text) => Object.assign(document.createElement("span"), { className: "hidden-label", textContent: text });

  // The text of a cell without what stands below its value; pictures by what they show.
  const plain = (node) => {
    const copy = node.cloneNode(true);
    copy.querySelectorAll(".bounds").forEach((part) => part.remove());
    copy.querySelectorAll("svg").forEach((svg) => svg.replaceWith(svg.getAttribute("aria-label") ?? ""));
    copy.querySelectorAll("br").forEach((line) => line.replaceWith("; "));
    copy.querySelectorAll("sup").forEach((power) => power.prepend("^"));
    // A typeset minus, as no other program would read it.
    const text = copy.textContent.replace(/\s+/g, " ").replace(/−(?=\d)/g, "-").trim();
    return text === "–" ? "" : text;
  };
  const value = (cell) => {
    const found = cell?.dataset.value;
    return found === undefined ? plain(cell ?? document.createElement("td")) : found === "–" ? "" : found;
  };
  const number = (text) => (text === "" ? NaN : Number(text.replaceAll(",", "")));
  const spread = (row) => [...row.cells].flatMap((cell) => [cell, ...Array(cell.colSpan - 1).fill(cell)]);
  const below = (cell) => cell?.querySelector(".bounds");

  const sortable = (table) => {
    const headers = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    headers.forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const bodies = [...table.tBodies].map((body) => [body, [...body.rows].filter((row) => !row.matches(".group"))]);
        const texts = bodies.flatMap(([, rows]) => rows.map((row) => value(spread(row)[column]))).filter((text) => text);
        const numeric = texts.every((text) => !isNaN(number(text)));
        const now = header.getAttribute("aria-sort");
        const down = now === null ? numeric : now === "ascending";
        headers.forEach((other) => other.removeAttribute("aria-sort"));
        header.setAttribute("aria-sort", down ? "descending" : "ascending");
        for (const [body, rows] of bodies) {
          rows.sort((one, other) => {
            const [a, b] = [value(spread(one)[column]), value(spread(other)[column])];
            if (a === "" || b === "") return Number(a === "") - Number(b === "");
            const order = numeric ? number(a) - number(b) : a.localeCompare(b, "en", { numeric: true });
            return down ? -order : order;
          });
          body.append(...rows);
        }
      });
    });
  };

  const filter = (table, name) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "search", className: "filter" });
    const shown = document.createElement("output");
    label.append("Show rows with ", input, hidden(` in ${name}`));
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => !row.matches(".group"));
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/);
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      });
      for (const group of table.querySelectorAll("tr.group")) {
        group.hidden = rows.every((row) => row.hidden || row.parentNode !== group.parentNode);
      }
      shown.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    });
    return [label, shown];
  };

  // All rows, whatever the filter shows; what stands below a value is a column of its own.
  const asTsv = (table) => {
    const headRows = [...table.tHead.rows].map(spread);
    const rows = [];
    for (const body of table.tBodies) {
      const group = [...body.rows].find((row) => row.matches(".group"));
      for (const row of body.rows) if (row !== group) rows.push([group ? plain(group) : "", spread(row)]);
    }
    const columns = [];
    if (table.querySelector("tr.group")) columns.push(["group", (group) => group]);
    headRows.at(-1).forEach((header, column) => {
      const above = headRows.slice(0, -1).map((row) => (row[column] ? plain(row[column]) : ""));
      const name = [...above, header.dataset.name ?? plain(header)].filter(Boolean).join(" ");
      columns.push([name, (_, cells) => (cells[column] ? value(cells[column]) : "")]);
      const further = rows.map(([, cells]) => below(cells[column])).find(Boolean);
      if (further) {
        const told = (cell) => (below(cell) ? below(cell).textContent.replace(/\s+/g, " ").trim() : "");
        columns.push([`${name} ${further.dataset.name ?? "note"}`, (_, cells) => told(cells[column])]);
      }
    });
    const lines = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, cell]) => cell(...row)))];
    return lines.map((line) => line.join("\t") + "\n").join("");
  };

  for (const table of document.querySelectorAll("table")) {
    const region = table.closest(".scroll") ?? table;
    const name = region.getAttribute("aria-label") ?? plain(table.caption ?? region);
    const rows = table.querySelectorAll("tbody tr:not(.group)").length;
    if (table.matches(".sortable")) sortable(table);
    const save = Object.assign(document.createElement("button"), { type: "button", className: "save" });
    save.append("Save as TSV", hidden(`: ${name}`));
    save.addEventListener("click", () => saveFile(asTsv(table), "text/tab-separated-values", name, ".tsv"));
    const controls = Object.assign(document.createElement("div"), { className: "controls" });
    controls.append(...(rows > MANY ? filter(table, name) : []), save);
    const framed = Object.assign(document.createElement("div"), { className: "framed" });
    region.replaceWith(framed);
    framed.append(controls, region);
  }
}
