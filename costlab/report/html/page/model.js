// The model: networks as trees whose sums are exact, and two of them as one tree, aligned by path.

const data = JSON.parse(document.getElementById("costlab-data").textContent);
const conventionNames = data.conventions.map((each) => each.name);

class Network {
  constructor(entry) {
    this.entry = entry;
    this.columns = entry.modules;
    this.length = this.columns.parent.length;
    this.children = Array.from({ length: this.length }, () => []);
    this.columns.parent.forEach((parent, at) => parent >= 0 && this.children[parent].push(at));
    this.trainingOnly = new Set(this.columns.training_only);
    this.notCounted = new Set([entry.not_counted, entry.unsized].flatMap((found) => Object.values(found).flat()));
    this.sums = new Map();
    this.works = new Map();
  }

  // What each module has of a measure with all below it. Parents come first, so that one way back adds up.
  sizes(measure) {
    if (!this.sums.has(measure)) this.sums.set(measure, this.addUp(this.own(measure)));
    return this.sums.get(measure);
  }

  addUp(own) {
    const { parent, work } = this.columns;
    const sums = work.map((number) => (number < 0 ? 0n : own[number]));
    for (let at = this.length - 1; at > 0; at -= 1) sums[parent[at]] += sums[at];
    return sums;
  }

  // A measure of each distinct work: of a quantity, or "cost:" and a convention.
  own(measure) {
    if (!this.works.has(measure)) this.works.set(measure, this.read(measure));
    return this.works.get(measure);
  }

  read(measure) {
    if (measure === "operations") return this.entry.works.map(() => 1n);
    const [kind, name] = measure.split(":");
    const part = kind === "cost" ? 2 : 1;
    const at = (kind === "cost" ? conventionNames : data.quantities).indexOf(name);
    return this.entry.works.map((work) => BigInt(work[part][at] ?? 0));
  }

  // By name, the children of a module; of several with one name each has its own key.
  childrenByName(at) {
    const times = new Map();
    const found = (at < 0 ? [] : this.children[at]).map((child) => {
      const name = this.columns.name[child];
      times.set(name, (times.get(name) ?? 0) + 1);
      return [`${name}\u0000${times.get(name)}`, [name, child]];
    });
    return new Map(found);
  }

  kind(at) {
    const work = this.columns.work[at];
    return work < 0 ? "" : this.entry.works[work][0];
  }

  isCounted(convention) {
    return convention in this.entry.costs;
  }
}

// A tree of rows: each is a module of the first network, of the second, or of both.
class Rows {
  constructor(networks, differences = []) {
    this.networks = networks;
    this.all = [];
    this.lengths = new Map(); // of what is written of them, as it is asked for
    this.add(null, "", networks.map(() => 0));
    if (networks.length > 1) this.mark(differences);
  }

  get isPair() {
    return this.networks.length > 1;
  }

  get root() {
    return this.all[0];
  }

  // Without recursion, for a tree may be deep; the order is that of execution.
  add(parent, name, places) {
    const waiting = [[parent, name, places]];
    while (waiting.length) {
      const [above, called, at] = waiting.pop();
      const row = this.make(above, called, at);
      const below = this.below(at);
      for (const [child, childAt] of below.reverse()) waiting.push([row, child, childAt]);
    }
  }

  make(parent, name, places) {
    const path = parent && parent.path ? `${parent.path}.${name}` : name;
    const level = parent ? parent.level + 1 : 1;
    const row = { id: this.all.length, name, path, level, parent, places, children: [], state: "" };
    row.about = this.about(row);
    this.all.push(row);
    if (parent) parent.children.push(row);
    return row;
  }

  about(row) {
    const told = row.places.map((at, side) => {
      if (at < 0) return null;
      const { columns, trainingOnly } = this.networks[side];
      return {
        operation: columns.operation[at],
        output: columns.output[at],
        kind: this.networks[side].kind(at),
        trainingOnly: trainingOnly.has(at),
        isCounted: this.networks[side].children[at].length > 0 || !this.networks[side].notCounted.has(row.path),
      };
    });
    return { ...(told.find(Boolean) ?? {}), sides: told };
  }

  // The children of a module in both networks: by name, each in its order, what is gone before what is new.
  below(places) {
    const sides = places.map((at, side) => this.networks[side].childrenByName(at));
    if (sides.length === 1) return [...sides[0].values()].map(([name, at]) => [name, [at]]);
    return mergedNames([...sides[0].keys()], [...sides[1].keys()]).map((key) => {
      const found = sides.map((side) => side.get(key));
      return [found.find(Boolean)[0], found.map((each) => each?.[1] ?? -1)];
    });
  }

  // What differs, as costlab compare says; modules above it are opened to it.
  mark(differences) {
    const byPath = new Map(this.all.map((row) => [row.path, row]));
    for (const [path, change, before, after] of differences) {
      const row = byPath.get(path);
      if (!row) continue;
      const earlier = row.words; // a module may differ in several ways: in the order of its parts, and as what it is
      row.state = change;
      row.words = earlier ? [`${earlier[0]}; ${before}`, `${earlier[1]}; ${after}`] : [before, after];
      for (let above = row.parent; above; above = above.parent) above.state ||= "within";
    }
  }

  size(row, measure, side = 0) {
    const at = row.places[side];
    return at < 0 ? 0n : this.networks[side].sizes(measure)[at];
  }

  // What a module does itself, without what lies below it.
  ownSize(row, measure, side = 0) {
    const at = row.places[side];
    const work = at < 0 ? -1 : this.networks[side].columns.work[at];
    return work < 0 ? 0n : this.networks[side].own(measure)[work];
  }
}

function mergedNames(before, after) {
  const merged = [];
  const known = new Set(before);
  let rest = [...after];
  for (const name of before) {
    const at = rest.indexOf(name);
    if (at >= 0) {
      merged.push(...rest.slice(0, at).filter((other) => !known.has(other)));
      rest = rest.slice(at);
    }
    merged.push(name);
  }
  return [...merged, ...rest.filter((name) => !known.has(name))];
}
