// What is said of the module that is selected: every quantity, and what each tool charges for it.

const QUANTITIES = data.quantities.filter((name) => !conventionNames.some((each) => name === `${each}_activations`));

function showDetails(place) {
  const { rows, selected: row } = view;
  const name = element("h2", {}, nameElement(nameOf(row, rows.networks[0].entry.target)));
  const facts = row.about.sides.flatMap((side, at) => (side ? [factsOf(side, at)] : []));
  const sizes = QUANTITIES.map((quantity) => line(row, `quantity:${quantity}`, TITLES[quantity] ?? inWords(quantity)));
  const costs = data.conventions
    .filter((each) => rows.networks.every((network) => network.isCounted(each.name)))
    .map((each) => line(row, `cost:${each.name}`, each.column, each.unit));
  const groups = [group("quantity", sizes), group("as charged by", costs)];
  place.replaceChildren(name, ...facts, ...groups, ...failures());
}

// The tools that have no number for a network, and why.
function failures() {
  const { rows } = view;
  return rows.networks.flatMap(({ entry }) => Object.entries(entry.failures).map(([name, reason]) => {
    const whose = rows.isPair ? [nameElement(entry.shown), ", "] : [];
    return element("p", { class: "fact" }, ...whose, `${name}: `, nameElement(reason));
  }));
}

function factsOf(side, at) {
  const { rows } = view;
  const parts = [element("span", {}, nameElement(side.operation))];
  if (side.output) parts.push(" to ", element("span", {}, nameElement(side.output)));
  if (side.trainingOnly) parts.push(", in training only");
  const whose = rows.isPair ? [element("strong", {}, nameElement(rows.networks[at].entry.shown)), ": "] : [];
  return element("p", { class: "fact" }, ...whose, ...parts);
}

// A size of the module, in two networks both, with its share or how much more it is.
function line(row, key, title, unit = null) {
  const { rows } = view;
  const sizes = rows.networks.map((_, side) => rows.size(row, key, side));
  const last = rows.isPair ? percentMore(...sizes) : percent(sizes[0], wholeOf(key));
  const cells = sizes.map((size) => element("td", { class: "number", title: human(size) }, exact(size)));
  const head = element("th", { scope: "row", title: unit }, title);
  const isChosen = key === keyOf(view.measure);
  return element("tr", { class: isChosen ? "chosen" : null }, head, ...cells, element("td", { class: "number" }, last));
}

function group(title, lines) {
  const { rows } = view;
  const names = rows.isPair ? ["first", "second", "change"] : ["size", "share"];
  const heads = names.map((name) => element("th", { scope: "col", class: "number" }, name));
  const head = element("thead", {}, element("tr", {}, element("th", { scope: "col" }, title), ...heads));
  return element("table", {}, head, element("tbody", {}, ...lines));
}
