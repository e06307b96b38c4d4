// The page: what is chosen in its controls, and what is drawn then.

const FAMILY_CLASSES = new Map(
  ["convolution", "matrix products", "attention", "recurrent", "normalization", "pooling",
    "activation functions"].map((name, at) => [name, `f${at}`]),
);
for (const family of Object.values(data.families)) {
  if (!FAMILY_CLASSES.has(family)) FAMILY_CLASSES.set(family, "f7");
}
const find = (name) => document.getElementById(name);

const grid = new TreeGrid(find("modules"), chooseInGrid, drawTable, draw);
const icicles = [0, 1].map((side) => new Icicle(find(`icicle-${side}`), side, chooseInIcicle));

function chooseInGrid(row) {
  view.selected = row;
  const isDrawn = around(row).includes(view.zoomed);
  if (!isDrawn) view.zoomed = view.rows.root;
  drawPictures();
  grid.select(row, true);
}

function chooseInIcicle(row, zoomed) {
  view.selected = row;
  if (zoomed) view.zoomed = zoomed.children.length ? zoomed : zoomed.parent ?? zoomed;
  drawPictures();
  revealInGrid(row);
}

// The table follows the picture, and the page stays where it is.
function revealInGrid(row) {
  for (const each of around(row).slice(0, -1)) view.opened.add(each.id);
  grid.draw();
}

function draw() {
  drawTable();
  drawPictures();
  drawTotals();
}

function drawTable() {
  const { found, isFiltered } = grid.draw();
  find("found").textContent = isFiltered ? `${found} ${found === 1 ? "module" : "modules"}` : "";
  const leftOut = grid.leftOut.length ? [`No room for: ${grid.leftOut.join(", ")}.`] : [];
  if (grid.notPrinted) leftOut.push(`${exact(BigInt(grid.notPrinted))} more rows are not printed.`);
  find("left-out").textContent = leftOut.join(" ");
  find("open-all").disabled = find("close-all").disabled = view.isFlat || isFiltered;
}

function drawPictures() {
  const { rows, zoomed } = view;
  const key = keyOf(view.measure);
  const sizes = rows.networks.map((_, side) => rows.size(zoomed, key, side));
  const scale = sizes.reduce((one, other) => (one > other ? one : other));
  icicles.forEach((icicle, side) => {
    find(`picture-${side}`).hidden = side >= rows.networks.length;
    if (side < rows.networks.length) icicle.draw(scale);
  });
  rows.networks.forEach(({ entry }, side) => {
    const label = rows.isPair ? `${seen(entry.shown)}: ` : "";
    find(`label-${side}`).textContent = `${label}${exact(sizes[side])} ${titleOf(view.measure)}`;
  });
  drawPath();
  drawLegend();
  showDetails(find("details"));
}

function drawPath() {
  const parts = around(view.zoomed).map((row) => {
    const name = nameElement(row.name || view.rows.networks[0].entry.target);
    const isLast = row === view.zoomed;
    const button = element("button", { type: "button", "aria-current": isLast ? "true" : null }, name);
    button.addEventListener("click", () => {
      chooseInIcicle(row, row);
      icicles[0].focus();
    });
    return element("li", {}, button);
  });
  find("path").replaceChildren(...parts);
}

// What the colors mean, with the share of each family in what is zoomed in on, in each network.
function drawLegend() {
  const { rows, zoomed } = view;
  const key = keyOf(view.measure);
  const sides = rows.networks.map((_, side) => familiesIn(zoomed, key, side));
  const names = new Set(sides.flatMap((sizes) => [...sizes.keys()]));
  const largest = (name) => sides.reduce((most, sizes) => ((sizes.get(name) ?? 0n) > most ? sizes.get(name) : most), 0n);
  const sorted = [...names].sort((one, other) => (largest(one) < largest(other) ? 1 : -1));
  const items = sorted.map((name) => {
    const swatch = element("span", { class: `swatch ${FAMILY_CLASSES.get(name) ?? "f7"}`, "aria-hidden": "true" });
    const shares = sides.map((sizes, side) => percent(sizes.get(name) ?? 0n, rows.size(zoomed, key, side)));
    return element("li", {}, swatch, `${name} ${shares.join(" \u2192 ")}`);
  });
  const module = element("li", {}, element("span", { class: "swatch module", "aria-hidden": "true" }), "a module of parts");
  find("legend").replaceChildren(...items, ...(items.length ? [module] : []));
}

// What the operations of each family have of a measure, in a module with all below it.
function familiesIn(module, key, side) {
  const sizes = new Map();
  const network = view.rows.networks[side];
  for (const row of below(module)) {
    const size = view.rows.ownSize(row, key, side);
    if (size === 0n) continue;
    const family = data.families[network.kind(row.places[side])];
    const name = FAMILY_CLASSES.get(family) === "f7" ? "other" : family;
    sizes.set(name, (sizes.get(name) ?? 0n) + size);
  }
  return sizes;
}

function* below(row) {
  const waiting = [row];
  while (waiting.length) {
    const each = waiting.pop();
    yield each;
    for (const child of each.children) waiting.push(child); // there may be more than a call takes
  }
}

function drawTotals() {
  const cells = ["cost", "parameters", "activations"].map((measure) => {
    const sizes = view.rows.networks.map((_, side) => wholeOf(keyOf(measure), side));
    const { isPair, networks: shown } = view.rows;
    const parts = sizes.flatMap((size, side) => [
      ...(isPair ? [element("dd", { class: "whose" }, nameElement(shown[side].entry.shown))] : []),
      element("dd", { class: "few" }, human(size)),
      element("dd", { class: "exact", "data-total": measure }, exact(size)),
    ]);
    if (isPair) {
      const more = `${signed(exact)(sizes[1] - sizes[0])} (${percentMore(...sizes)})`;
      parts.push(element("dd", { class: "more" }, more));
    }
    return element("div", {}, element("dt", {}, titleOf(measure)), ...parts);
  });
  find("totals").replaceChildren(...cells);
  find("totals").classList.toggle("pair", view.rows.isPair);
  drawUnits();
}

// What the convention counts, and what it has no rule for.
function drawUnits() {
  const { unit, measured_on: tool } = conventionOf(view.convention);
  const unknown = new Map();
  for (const { entry } of view.rows.networks) {
    for (const [kind, number] of Object.entries(entry.unknown[view.convention] ?? {})) {
      unknown.set(kind, (unknown.get(kind) ?? 0) + number);
    }
  }
  const kinds = [...unknown].map(([kind, number]) => `${kind} (${number})`).join(", ");
  const parts = [`${unit}${tool ? `, as ${tool} counts` : ""}`];
  if (kinds) parts.push(`; it has no rule for: ${seen(kinds)}`);
  find("unit").textContent = parts.join("");
}

function fillChoices() {
  const usable = data.conventions.filter(({ name }) => networks.every((each) => each.isCounted(name)));
  const conventions = usable.map(({ name, column }) => {
    return element("option", { value: name, selected: name === view.convention }, column);
  });
  find("convention").replaceChildren(...conventions);
  fillMeasures();
  const others = networks.slice(1).map(({ entry }, at) => element("option", { value: at + 1 }, seen(entry.shown)));
  const alone = element("option", { value: 0 }, "nothing");
  find("beside").replaceChildren(alone, ...others);
  find("beside").value = String(view.other);
  find("beside").closest("label").hidden = networks.length < 2;
  fillColumns();
}

function fillMeasures() {
  const measures = ["cost", ...MEASURES].map((each) => element("option", { value: each }, titleOf(each)));
  find("measure").replaceChildren(...measures);
  find("measure").value = view.measure;
}

function fillColumns() {
  const keys = ["operation", "output", "cost", "share", ...MEASURES, "operations"];
  const choices = keys.map((key) => {
    const box = element("input", { type: "checkbox", value: key, checked: view.shown.has(key) });
    box.addEventListener("change", () => {
      if (box.checked) view.shown.add(key);
      else view.shown.delete(key);
      drawTable();
    });
    const title = key === "cost" ? "cost" : TITLES[key] ?? inWords(key);
    return element("label", {}, box, ` ${title}`);
  });
  find("columns").replaceChildren(...choices);
}

function lookAt(other) {
  look(other);
  find("columns-choice").hidden = view.rows.isPair;
  const isKnown = differencesOf(other) !== null;
  find("only").closest("label").hidden = !isKnown;
  if (!isKnown) view.onlyDifferent = find("only").checked = false;
}

function listen() {
  const on = (name, event, act, drawn = drawTable) => find(name).addEventListener(event, (happened) => {
    act(happened.target);
    drawn();
  });
  on("convention", "change", ({ value }) => {
    view.convention = value;
    fillMeasures();
  }, draw);
  on("measure", "change", ({ value }) => { view.measure = value; }, draw);
  on("beside", "change", ({ value }) => lookAt(Number(value)), draw);
  on("search", "input", ({ value }) => { view.query = value.trim().toLowerCase(); });
  on("flat", "change", ({ checked }) => { view.isFlat = checked; });
  on("only", "change", ({ checked }) => { view.onlyDifferent = checked; });
  on("open-all", "click", () => view.rows.all.forEach((row) => view.opened.add(row.id)));
  on("close-all", "click", () => { view.opened = new Set([view.rows.root.id]); });
  const columns = find("columns-choice");
  addEventListener("click", ({ target }) => columns.contains(target) || (columns.open = false));
  columns.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !columns.open) return;
    columns.open = false;
    columns.querySelector("summary").focus();
  });
  find("search").addEventListener("keydown", (event) => event.key === "ArrowDown" && grid.select(view.selected, true));
}

// On paper everything is open; the table says how many rows it leaves out.
let before = null;

function print(isPrinting) {
  if (isPrinting === Boolean(before)) return;
  if (isPrinting) {
    before = view.opened;
    view.opened = new Set(view.rows.all.map((row) => row.id));
  } else {
    view.opened = before;
    before = null;
  }
  grid.isPrinting = isPrinting;
  draw();
}

addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));
matchMedia("print").addEventListener("change", ({ matches: isPrinting }) => print(isPrinting));

lookAt(networks.length > 1 ? 1 : 0);
fillChoices();
listen();
document.documentElement.classList.add("live");
draw();
