// The picture of the cost: each module as wide as its share, what it consists of below it.

const LEVELS = 9;
const LEAST = 3; // pixels: what is narrower is drawn together with its neighbors

// The cells below a module; left and width are parts of that of the picture.
function cellsOf(zoomed, sizeIn, least) {
  const cells = [];
  const waiting = [{ row: zoomed, left: 0, width: 1, level: 0 }];
  while (waiting.length) {
    const cell = waiting.pop();
    cells.push(cell);
    if (cell.level + 1 < LEVELS) waiting.push(...cellsBelow(cell, sizeIn, least, cells).reverse());
  }
  return cells;
}

// The cells of a module's parts; runs of parts too narrow to be seen become one that names no module.
function cellsBelow({ row, left, width, level }, sizeIn, least, cells) {
  const whole = sizeIn(row);
  const found = [];
  let at = left;
  let narrow = null;
  for (const child of row.children) {
    const part = width * ratioOf(sizeIn(child), whole);
    if (part <= 0) continue;
    if (part >= least) {
      found.push({ row: child, left: at, width: part, level: level + 1 });
      narrow = null;
    } else if (narrow) {
      narrow.width += part;
      narrow.number += 1;
    } else {
      narrow = { row: child, left: at, width: part, level: level + 1, number: 1 };
      cells.push(narrow);
    }
    at += part;
  }
  return found;
}

class Icicle {
  constructor(place, side, choose) {
    this.place = place;
    this.side = side;
    this.choose = choose;
    place.addEventListener("click", (event) => this.onClick(event));
    place.addEventListener("keydown", (event) => this.onKey(event));
  }

  // ``scale`` is what the whole width stands for: two networks are drawn by one.
  draw(scale) {
    const { rows, zoomed, measure, selected } = view;
    const key = keyOf(measure);
    const sizeIn = (row) => rows.size(row, key, this.side);
    const whole = sizeIn(zoomed);
    const part = ratioOf(whole, scale);
    this.cells = whole > 0n ? cellsOf(zoomed, sizeIn, LEAST / (part * this.place.clientWidth)) : [];
    this.elements = new Map();
    this.place.style.setProperty("--levels", Math.max(2, ...this.cells.map((cell) => cell.level + 1)));
    const total = wholeOf(key, this.side);
    const made = this.cells.map((cell) => this.cell(cell, part, sizeIn(cell.row), total));
    const nothing = element("p", { class: "nothing" }, `Nothing here has ${titleOf(measure)}.`);
    this.place.replaceChildren(...(made.length ? made : [nothing]));
    this.select(selected);
  }

  cell(cell, part, size, total) {
    const { row, number = 1 } = cell;
    const { columns } = view.rows.networks[this.side];
    const kind = row.children.length ? "" : view.rows.networks[this.side].kind(row.places[this.side]);
    const several = number > 1;
    const family = kind && !several ? FAMILY_CLASSES.get(data.families[kind]) : several ? "several" : "module";
    const name = row.name || view.rows.networks[this.side].entry.target;
    const label = several ? `${number} small parts of ${row.parent.path || "the whole"}` : nameOf(row, name);
    const told = `${seen(label)}: ${exact(size)} ${titleOf(view.measure)}, ${percent(size, total)}`;
    const beside = several || row === view.zoomed ? null : row.parent.children;
    const made = element("div", {
      class: `cell ${family}${row.state && row.state !== "within" ? " differs" : ""}`,
      role: "treeitem",
      tabindex: "-1",
      "aria-level": cell.level + 1,
      "aria-posinset": beside && beside.indexOf(row) + 1,
      "aria-setsize": beside?.length,
      "aria-label": several ? seen(label) : told,
      title: several ? seen(label) : `${told}\n${seen(columns.operation[row.places[this.side]])}`,
    });
    made.style.left = `${100 * part * cell.left}%`;
    made.style.width = `${100 * part * cell.width}%`;
    made.style.setProperty("--level", cell.level);
    if (!several) made.append(nameElement(name));
    made.dataset.row = row.id;
    if (several) made.dataset.parent = row.parent.id;
    else this.elements.set(row.id, made);
    return made;
  }

  select(row) {
    this.place.querySelectorAll("[aria-selected]").forEach((each) => each.removeAttribute("aria-selected"));
    this.place.querySelectorAll('[tabindex="0"]').forEach((each) => each.setAttribute("tabindex", "-1"));
    const shown = around(row).reverse().find((each) => this.elements?.has(each.id));
    const target = shown && this.elements.get(shown.id);
    if (!target) return;
    target.setAttribute("tabindex", "0");
    if (shown === row) target.setAttribute("aria-selected", "true");
  }

  rowOf(target) {
    const cell = target.closest(".cell");
    return cell && view.rows.all[cell.dataset.parent ?? cell.dataset.row];
  }

  onClick(event) {
    const row = this.rowOf(event.target);
    if (row) this.choose(row, row === view.zoomed ? row.parent ?? row : row);
  }

  onKey(event) {
    const row = this.rowOf(event.target);
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const near = this.neighbor(row, event.key);
    const zoom = { Enter: row, " ": row, Escape: view.zoomed.parent, Backspace: view.zoomed.parent }[event.key];
    if (!near && !zoom) return;
    event.preventDefault();
    this.choose(near ?? zoom, zoom);
    this.focus();
  }

  // The module that an arrow leads to, among those that are drawn.
  neighbor(row, key) {
    const drawn = (rows) => rows.filter((each) => this.elements.has(each.id));
    if (key === "ArrowUp") return row === view.zoomed ? null : row.parent;
    if (key === "ArrowDown") return drawn(row.children)[0];
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (!step || row === view.zoomed) return null;
    const level = this.cells.filter((cell) => (cell.number ?? 1) === 1 && cell.row.level === row.level);
    level.sort((one, other) => one.left - other.left);
    return level[level.findIndex((cell) => cell.row === row) + step]?.row;
  }

  focus() {
    this.place.querySelector('[tabindex="0"]')?.focus();
  }
}

const nameOf = (row, root) => row.path || root;
