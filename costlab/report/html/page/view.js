// What is seen: the state that the reader chooses, and the rows and measures that follow from it.

const MEASURES = ["parameters", "activations", "weights", "bias_adds", "inputs", "outputs", "scalings"];
const TITLES = {
  bias_adds: "bias adds",
  inputs: "elements read",
  outputs: "elements written",
  scalings: "scaled elements",
};

const MANY_CHANGES = 30;

const view = {
  rows: null,
  other: 0,
  convention: data.convention,
  measure: "cost",
  sort: null, // {key, descending}; none is the order of execution
  isFlat: false,
  onlyDifferent: false,
  query: "",
  opened: new Set(),
  left: null, // what a search leaves
  selected: null,
  zoomed: null,
  shown: new Set(["operation", "output", "cost", "share", "parameters", "activations"]),
};

const networks = data.networks.map((entry) => new Network(entry));
const conventionOf = (name) => data.conventions.find((each) => each.name === name);

// The key of a measure in the model: under a convention, the cost is its own, and some count activations so.
function keyOf(measure, convention = view.convention) {
  if (measure === "cost") return `cost:${convention}`;
  if (measure === "operations") return measure;
  const own = `${convention}_${measure}`;
  return `quantity:${data.quantities.includes(own) ? own : measure}`;
}

function titleOf(measure) {
  if (measure === "cost") return conventionOf(view.convention).column;
  return TITLES[measure] ?? inWords(measure);
}

// The networks that are looked at: the first, and with it the one that is chosen, if any.
function look(other) {
  view.other = other;
  const chosen = other ? [networks[0], networks[other]] : [networks[0]];
  view.rows = new Rows(chosen, differencesOf(other) ?? []);
  view.opened = new Set(view.rows.all.filter((row) => row.level <= data.depth).map((row) => row.id));
  if (view.rows.isPair) openChanges();
  view.selected = view.rows.root;
  view.zoomed = view.rows.root;
  view.sort = null;
}

// What differs in a network, null where nobody knows: one was counted in part.
const differencesOf = (other) => (other ? data.differences[other - 1] : null);

// Modules around what differs are open, unless so much differs that nobody would find anything.
function openChanges() {
  const within = view.rows.all.filter((row) => row.state === "within");
  if (within.length > MANY_CHANGES) return;
  for (const row of within) view.opened.add(row.id);
}

// The value by which a column sorts: a size, or a text.
function valueOf(row, column) {
  if (column.text) return column.text(row);
  return column.size ? column.size(row) : sizeOf(row, keyOf(column.measure), column.side);
}

// The size of a module that is shown: with all below it, or in a flat list its own, for each operation is there.
function sizeOf(row, key, side = 0) {
  const { rows, isFlat } = view;
  return isFlat ? rows.ownSize(row, key, side) : rows.size(row, key, side);
}

// The size of the whole network.
const wholeOf = (key, side = 0) => view.rows.size(view.rows.root, key, side);

const differenceOf = (row, key) => sizeOf(row, key, 1) - sizeOf(row, key, 0);

const inOrder = new Intl.Collator("en", { numeric: true }).compare; // layer 2 before layer 10

function compareRows(column, descending) {
  const sign = descending ? -1 : 1;
  return (one, other) => {
    const [a, b] = [valueOf(one, column), valueOf(other, column)];
    const order = column.text ? inOrder(a, b) : a < b ? -1 : a > b ? 1 : 0;
    return order ? sign * order : one.id - other.id;
  };
}

// Where the query stands: in the name, in what the operation is, or in its kind; with a dot in the path.
function matches(row, query) {
  const { operation = "", kind = "" } = row.about;
  const name = query.includes(".") ? row.path : row.name;
  return [name, operation, kind].some((text) => seen(text).toLowerCase().includes(query));
}

// What a search or the wish for differences finds, and the rows that it leaves: these and what is around them.
function kept() {
  const wanted = [];
  if (view.query) wanted.push((row) => matches(row, view.query));
  if (view.onlyDifferent) wanted.push((row) => row.state && row.state !== "within");
  if (!wanted.length) return { rows: null, found: new Set() };
  const found = new Set(view.rows.all.filter((row) => wanted.every((isWanted) => isWanted(row))));
  const rows = new Set();
  for (const row of found) {
    for (let each = row; each && !rows.has(each); each = each.parent) rows.add(each);
  }
  return { rows, found };
}

// The rows in the order in which they are shown, with those that are closed left out, and the place of each among
// those beside it.
function visibleRows(columns) {
  const { rows: left, found } = kept();
  const column = view.sort && columns.find((each) => each.key === view.sort.key);
  const order = column && compareRows(column, view.sort.descending);
  const beside = new Map();
  const told = { beside, found: found.size, isFiltered: Boolean(left) };
  view.left = left;
  if (view.isFlat) {
    const flat = view.rows.all.filter((row) => (!left || found.has(row)) && isOperation(row));
    return { ...told, rows: order ? flat.sort(order) : flat, found: flat.length };
  }
  const shown = [];
  const waiting = left && !left.size ? [] : [[view.rows.root, !left]];
  while (waiting.length) {
    const [row, isInside] = waiting.pop();
    shown.push(row);
    if (!isOpen(row)) continue;
    // Below what was found is everything that is opened there; elsewhere only what leads to it.
    const isWhole = isInside || (found.has(row) && view.opened.has(row.id));
    const below = row.children.filter((child) => isWhole || left.has(child));
    if (order) below.sort(order);
    below.forEach((child, at) => beside.set(child.id, { place: at + 1, number: below.length }));
    for (const child of below.reverse()) waiting.push([child, isWhole]);
  }
  return { ...told, rows: shown };
}

// Whether what a module consists of is shown below it: it was opened, or something was found there.
function isOpen(row) {
  if (!row.children.length) return false;
  return view.opened.has(row.id) || Boolean(view.left && row.children.some((child) => view.left.has(child)));
}

// What does something itself, and is not only made of others.
function isOperation(row) {
  return row.places.some((at, side) => at >= 0 && view.rows.networks[side].columns.work[at] >= 0);
}

// A module with those around it, from the root to it.
function around(row) {
  const path = [];
  for (let each = row; each; each = each.parent) path.unshift(each);
  return path;
}
