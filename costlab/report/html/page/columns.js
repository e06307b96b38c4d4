// The columns: of a network what it has of everything, of two networks a measure beside each other.

// Which columns a narrow page does without, the highest first; 0 stays.
const SACRIFICE = { output: 6, shares: 6, activations: 5, operation: 4, parameters: 3, before: 3, share: 2, change: 1, name: 0 };

function columnsOf() {
  const { rows } = view;
  const name = { key: "name", title: "module", least: view.isFlat ? 26 : 18, text: (row) => row.path.toLowerCase() };
  const operation = { key: "operation", title: "operation", least: 14, text: (row) => row.about.operation ?? "" };
  if (rows.isPair) return [{ ...name, least: 20 }, { ...operation, least: 0, characters: 13 }, ...pairColumns()];
  const output = { key: "output", title: "output", characters: 11, text: (row) => row.about.output ?? "" };
  const cost = { key: "cost", title: titleOf("cost"), measure: "cost" };
  const of = view.measure === "cost" ? "" : ` of ${titleOf(view.measure)}`;
  const share = { key: "share", title: `share${of}`, measure: view.measure, isBar: true, characters: 11, short: 7 };
  const sizes = MEASURES.map((each) => ({ key: each, title: titleOf(each), measure: each }));
  const operations = { key: "operations", title: "operations", measure: "operations" };
  const shown = [name, operation, output, cost, share, ...sizes, operations];
  return shown.filter((each) => each === name || view.shown.has(each.key));
}

function pairColumns() {
  const { rows, measure } = view;
  const key = keyOf(measure);
  const [before, after] = rows.networks.map((each) => seen(each.entry.shown));
  return [
    { key: "before", title: before, isName: true, measure, side: 0 },
    { key: "after", title: after, isName: true, measure, side: 1 },
    { key: "difference", title: `difference in ${titleOf(measure)}`, signed: true, size: (row) => differenceOf(row, key) },
    { key: "change", title: "change", isChange: true, characters: longest("change", key), size: (row) => changeOf(row, key) },
    { key: "shares", title: "share", isShares: true, characters: 14, size: (row) => shareOf(row, key) },
  ];
}

// The change of a part of it in millionths, to sort by; what is new comes after everything.
function changeOf(row, key) {
  const [before, difference] = [sizeOf(row, key), differenceOf(row, key)];
  return before === 0n ? difference && 10n ** 30n + difference : (1000000n * difference) / before;
}

// The share in the second network in millionths, to sort by.
function shareOf(row, key) {
  const whole = wholeOf(key, 1);
  return whole && (1000000n * sizeOf(row, key, 1)) / whole;
}

// The most characters of what two networks differ by in any module: more than in the whole, where others make up for it.
function longest(column, key) {
  const { lengths, all } = view.rows;
  const called = [column, key, view.isFlat].join();
  if (!lengths.has(called)) {
    const write = column === "change" ? changeText : (row) => signed(exact)(differenceOf(row, key));
    lengths.set(called, all.reduce((most, row) => Math.max(most, write(row).length), 8));
  }
  return lengths.get(called);
}

// How many characters a column needs: no size is longer than that of the whole.
function needed(column, isShort) {
  const arrow = view.sort?.key === column.key ? 2 : 0;
  const word = arrow + Math.max(...column.title.split(/[\s-]/).map((each) => Math.min(each.length, 14)));
  if (column.least) return column.least;
  if (column.characters) return Math.max(word, isShort ? column.short ?? column.characters : column.characters);
  if (isShort) return Math.max(word, 9);
  if (column.signed) return Math.max(word, longest(column.key, keyOf(view.measure)));
  return Math.max(word, 8, exact(wholeOf(keyOf(column.measure), column.side)).length);
}

// The columns that there is room for. What is least missed goes first, then digits, which are told beside.
function fitted(columns, width) {
  const between = 20.8 / characterWidth();
  const room = width / characterWidth();
  const fits = (some, isShort) => some.reduce((sum, each) => sum + needed(each, isShort) + between, 0) <= room;
  const without = columns.filter((each) => each.key !== "output");
  const isShort = !fits(columns, false) && !fits(without, false);
  let left = isShort || fits(columns, false) ? [...columns] : without;
  while (!fits(left, isShort)) {
    const spare = left.reduce((one, other) => (sacrifice(other) >= sacrifice(one) ? other : one));
    if (sacrifice(spare) === 0) break;
    left = left.filter((each) => each !== spare);
  }
  const leftOut = columns.filter((each) => !left.includes(each)).map((each) => each.title);
  const sized = left.map((each) => (each.least ? each : { ...each, characters: needed(each, isShort) }));
  return { columns: sized, isShort, leftOut };
}

function sacrifice(column) {
  const isMain = column.key === "cost" || column.key === "difference" || column.key === "after";
  return isMain ? 0 : SACRIFICE[column.key] ?? 1.5;
}

let measured = 0;

// The width of a digit, in pixels.
function characterWidth() {
  if (!measured) {
    const probe = element("span", { class: "probe" }, "0".repeat(50));
    document.body.append(probe);
    measured = probe.getBoundingClientRect().width / 50;
    probe.remove();
  }
  return measured;
}
