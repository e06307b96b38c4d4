// The cells of the table: names with their marks, sizes, shares and changes.

const SIGNS = { added: "+", removed: "\u2212", changed: "~" };

function classOf(column) {
  const isNumber = !column.text && !column.isBar;
  return [`c-${column.key}`, isNumber ? "number" : ""].join(" ").trim();
}

function cellOf(row, column) {
  const made = element("td", { role: "gridcell", class: classOf(column) });
  if (column.key === "name") nameCell(made, row);
  else if (column.key === "operation") {
    made.append(operationOf(row));
    made.title = made.textContent;
  } else if (column.text) made.append(nameElement(column.text(row)));
  else if (column.isBar) made.append(...shareBar(row, column));
  else if (column.isShares) made.append(sharesOf(row));
  else if (column.isChange) made.append(changeText(row));
  else made.append(...sizeElements(valueOf(row, column), column.signed));
  return made;
}

function nameCell(cell, row) {
  const shown = row.parent ? (view.isFlat ? row.path : row.name) : view.rows.networks[0].entry.target;
  cell.style.setProperty("--depth", view.isFlat ? 0 : row.level - 1);
  cell.title = seen(nameOf(row, shown));
  const marks = [];
  if (row.about.trainingOnly) marks.push(element("span", { class: "badge" }, "training only"));
  if (row.about.sides.some((side) => side && !side.isCounted)) {
    marks.push(element("span", { class: "badge warn" }, "not counted"));
  }
  const toggle = element("span", { class: "toggle", "aria-hidden": "true" });
  const name = [toggle, ...signOf(row), nameElement(shown, view.query), ...marks];
  cell.append(element("span", { class: "name" }, ...name));
}

// Whether a module was added, removed or changed.
function signOf(row) {
  const sign = SIGNS[row.state];
  if (!sign) return [];
  const attributes = { class: `sign ${row.state}`, role: "img", "aria-label": row.state, title: row.state };
  return [element("span", attributes, sign)];
}

function operationOf(row) {
  const [before, after] = row.words ?? [];
  if (before && after) return element("span", {}, nameElement(before), " \u2192 ", nameElement(after));
  return nameElement(before || after || row.about.operation || "", view.query);
}

function shareBar(row, column) {
  const key = keyOf(column.measure);
  const [size, whole] = [sizeOf(row, key), wholeOf(key)];
  const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("span"));
  bar.firstChild.style.width = `${100 * ratioOf(size, whole)}%`;
  return [bar, element("span", { class: "of" }, percent(size, whole))];
}

// The share of a module in each of two networks.
function sharesOf(row) {
  const key = keyOf(view.measure);
  const sides = [0, 1].map((side) => percent(sizeOf(row, key, side), wholeOf(key, side)));
  return sides.join(" \u2192 ");
}

function changeText(row) {
  const key = keyOf(view.measure);
  return percentMore(sizeOf(row, key, 0), sizeOf(row, key, 1));
}
