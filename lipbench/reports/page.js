// Sorts a table by the column whose head is pressed, and shows only rows that hold every word of the filter.
for (const box of document.querySelectorAll(".sortable")) {
  const table = box.querySelector("table"), body = table.tBodies[0];
  const rows = [...body.rows].map(row => ({ row, cells: [...row.cells].map(cell => cell.textContent), text: row.textContent.toLowerCase() }));
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const sort = () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const numbers = rows.every(({ cells }) => cells[column] === "" || Number.isFinite(+cells[column]));
      const key = ({ cells }) => numbers ? +cells[column] : cells[column];
      rows.sort((a, b) => {
        // What was not measured comes last, whichever way.
        if (a.cells[column] === "" || b.cells[column] === "") return (a.cells[column] === "") - (b.cells[column] === "");
        return (key(a) < key(b) ? -1 : key(a) > key(b)) * (rising ? 1 : -1);
      });
      body.append(...rows.map(({ row }) => row));
    };
    head.tabIndex = 0;
    head.addEventListener("click", sort);
    head.addEventListener("keydown", event => event.key === "Enter" && sort());
  });
  const filter = box.querySelector("input"), count = box.querySelector("output");
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach(({ row, text }) => { row.hidden = !words.every(word => text.includes(word)); });
    count.textContent = `${rows.filter(({ row }) => !row.hidden).length} of ${rows.length} runs`;
  });
}
