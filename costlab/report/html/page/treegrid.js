// The table of modules: a treegrid that opens, closes and sorts, of which only what is in sight is made.

const ALL_AT_ONCE = 600; // rows up to which all are made, so that the browser's own search finds them
const AROUND = 40; // rows above and below those in sight
const ROW_HEIGHT = 30;
const MOST_PRINTED = 3000; // rows
const PAPER = 108; // characters of a page
const PADDING = "1.3rem";

class TreeGrid {
  constructor(table, choose, sorted, resized) {
    this.table = table;
    this.body = table.tBodies[0];
    this.choose = choose;
    this.sorted = sorted;
    this.isPrinting = false;
    this.shown = [];
    table.addEventListener("click", (event) => this.onClick(event));
    table.addEventListener("dblclick", (event) => this.onDoubleClick(event));
    table.addEventListener("keydown", (event) => this.onKey(event));
    addEventListener("scroll", () => this.fill(), { passive: true });
    addEventListener("resize", () => this.drawnFor !== this.width() && resized());
  }

  width() {
    return this.isPrinting ? PAPER * characterWidth() : this.table.parentElement.clientWidth;
  }

  draw() {
    this.drawnFor = this.width();
    const { columns, isShort, leftOut } = fitted(columnsOf(), this.drawnFor);
    this.columns = columns;
    this.leftOut = leftOut;
    this.table.classList.toggle("short", isShort);
    const { rows, beside, found, isFiltered } = visibleRows(columnsOf());
    this.beside = beside;
    this.shown = this.isPrinting ? rows.slice(0, MOST_PRINTED) : rows;
    this.notPrinted = rows.length - this.shown.length;
    this.places = new Map(this.shown.map((row, place) => [row.id, place]));
    const deepest = this.shown.reduce((most, row) => Math.max(most, row.level - 1), 1);
    this.table.style.setProperty("--deepest", deepest);
    this.table.setAttribute("aria-rowcount", this.shown.length + 1);
    this.table.classList.toggle("flat", view.isFlat);
    this.table.classList.toggle("pair", view.rows.isPair);
    this.head();
    this.filled = null;
    this.fill();
    return { found, isFiltered };
  }

  head() {
    const cells = this.columns.map((column) => {
      const isSorted = view.sort?.key === column.key;
      const direction = view.sort?.descending ? "descending" : "ascending";
      const button = element("button", { type: "button", "data-sort": column.key }, column.title);
      const attributes = {
        role: "columnheader",
        scope: "col",
        class: classOf(column),
        "aria-sort": isSorted ? direction : "none",
        title: column.isName ? column.title : null,
      };
      const made = element("th", attributes, button);
      if (column.characters) made.style.width = `calc(${column.characters}ch + ${PADDING})`;
      return made;
    });
    this.table.tHead.replaceChildren(element("tr", { role: "row" }, ...cells));
  }

  // Make the rows in sight; the others are empty space of their height.
  fill() {
    const [from, to] = this.inSight();
    if (this.filled && this.filled[0] === from && this.filled[1] === to) return;
    this.filled = [from, to];
    const hadFocus = this.table === document.activeElement || this.body.contains(document.activeElement);
    const made = this.shown.slice(from, to).map((row, place) => this.row(row, from + place));
    this.body.replaceChildren(...this.space(from), ...made, ...this.space(this.shown.length - to));
    if (!this.shown.length) this.body.append(this.empty());
    this.select(view.selected, hadFocus);
  }

  inSight() {
    const number = this.shown.length;
    if (number <= ALL_AT_ONCE || this.isPrinting) return [0, number];
    const above = -this.body.getBoundingClientRect().top;
    const first = Math.floor(above / ROW_HEIGHT) - AROUND;
    const size = Math.ceil(innerHeight / ROW_HEIGHT) + 2 * AROUND;
    const from = Math.max(0, Math.min(first - (first % AROUND), number - size));
    return [from, Math.min(number, from + size + AROUND)];
  }

  space(number) {
    if (!number) return [];
    const row = element("tr", { class: "space", "aria-hidden": "true" }, element("td"));
    row.style.height = `${number * ROW_HEIGHT}px`;
    return [row];
  }

  empty() {
    const cell = element("td", { role: "gridcell", colspan: this.columns.length }, "Nothing fits.");
    return element("tr", { role: "row", class: "empty" }, cell);
  }

  row(row, place) {
    const isParent = row.children.length > 0 && !view.isFlat;
    const beside = this.beside.get(row.id);
    const made = element("tr", {
      role: "row",
      "data-row": row.id,
      "data-state": row.state || null,
      tabindex: "-1",
      "aria-rowindex": place + 2,
      "aria-level": view.isFlat ? 1 : row.level,
      "aria-posinset": beside?.place,
      "aria-setsize": beside?.number,
      "aria-expanded": isParent ? String(isOpen(row)) : null,
    });
    made.append(...this.columns.map((column) => cellOf(row, column)));
    return made;
  }

  // The module, or the nearest around it that is shown.
  near(row) {
    return around(row).reverse().find((each) => this.places.has(each.id)) ?? this.shown[0];
  }

  // Mark the row of a module, or of the nearest around it that is shown.
  select(row, withFocus = false) {
    for (const each of this.body.querySelectorAll('[tabindex="0"]')) {
      each.setAttribute("tabindex", "-1");
      each.removeAttribute("aria-selected");
    }
    const near = this.near(row);
    const target = near && this.body.querySelector(`[data-row="${near.id}"]`);
    target?.setAttribute("aria-selected", "true");
    // Where that is out of sight, the keys still lead into the table, and the focus stays in it.
    (target ?? this.body.querySelector("[data-row]"))?.setAttribute("tabindex", "0");
    if (withFocus) (target ?? this.table).focus({ preventScroll: true });
  }

  // Bring a module into sight, with what is around it opened.
  reveal(row, withFocus = false) {
    let isNew = false;
    for (const each of around(row).slice(0, -1)) {
      isNew ||= !view.opened.has(each.id);
      view.opened.add(each.id);
    }
    if (isNew) this.draw();
    const place = this.places.get(row.id);
    if (place === undefined) return;
    this.scrollTo(place);
    this.fill();
    this.select(row, withFocus);
  }

  scrollTo(place) {
    const head = this.table.tHead.offsetHeight;
    const top = this.body.getBoundingClientRect().top + place * ROW_HEIGHT;
    if (top < head) scrollBy(0, top - head);
    else if (top + ROW_HEIGHT > innerHeight) scrollBy(0, top + 2 * ROW_HEIGHT - innerHeight);
  }

  rowOf(target) {
    const made = target.closest("[data-row]");
    return made && view.rows.all[made.dataset.row];
  }

  onClick(event) {
    const sort = event.target.closest("[data-sort]");
    if (sort) return this.sortBy(sort.dataset.sort);
    const row = this.rowOf(event.target);
    if (!row) return undefined;
    if (event.target.closest(".toggle")) this.toggle(row);
    return this.choose(row, event.target.closest("[role=row]"));
  }

  onDoubleClick(event) {
    const row = this.rowOf(event.target);
    if (row && !event.target.closest(".toggle")) this.toggle(row);
  }

  // First what is largest, or of words what comes first; then the other way round; then as it runs.
  sortBy(key) {
    const column = this.columns.find((each) => each.key === key);
    const first = !column.text;
    if (view.sort?.key !== key) view.sort = { key, descending: first };
    else view.sort = view.sort.descending === first ? { key, descending: !first } : null;
    this.sorted();
    this.table.querySelector(`[data-sort="${key}"]`)?.focus();
  }

  toggle(row, open = !view.opened.has(row.id)) {
    if (!row.children.length || view.isFlat) return;
    if (open) view.opened.add(row.id);
    else view.opened.delete(row.id);
    this.draw();
  }

  // The keys of a treegrid.
  onKey(event) {
    const row = event.target === this.table ? this.near(view.selected) : this.rowOf(event.target);
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const go = this.goal(row, event.key);
    if (go === undefined) return;
    event.preventDefault();
    this.choose(go ?? row);
    this.reveal(go ?? row, true);
  }

  // The row that a key leads to, null if it stays; undefined for keys of no meaning.
  goal(row, key) {
    const place = this.places.get(row.id);
    const at = (number) => this.shown[Math.max(0, Math.min(number, this.shown.length - 1))];
    const page = Math.max(1, Math.floor(innerHeight / ROW_HEIGHT) - 4);
    const isOpened = isOpen(row) && !view.isFlat;
    switch (key) {
      case "ArrowDown": return at(place + 1);
      case "ArrowUp": return at(place - 1);
      case "PageDown": return at(place + page);
      case "PageUp": return at(place - page);
      case "Home": return at(0);
      case "End": return at(this.shown.length - 1);
      case "ArrowRight": return isOpened ? at(place + 1) : this.stay(() => this.toggle(row, true));
      case "ArrowLeft":
        return isOpened && view.opened.has(row.id) ? this.stay(() => this.toggle(row, false)) : row.parent;
      case "Enter": case " ": return this.stay(() => this.toggle(row));
      case "*": return this.stay(() => this.openBeside(row));
      default: return undefined;
    }
  }

  stay(act) {
    act();
    return null;
  }

  openBeside(row) {
    for (const each of row.parent?.children ?? [row]) if (each.children.length) view.opened.add(each.id);
    this.draw();
  }
}
