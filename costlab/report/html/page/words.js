// Words: how sizes and names are shown. Sizes are BigInt, for sums may pass what a number holds exactly.

const PREFIXES = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

// 5,713,216,096
const exact = (size) => size.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");

// 5.71 G; what would be shown as 1000.00 takes the next prefix, as it does in the tables of costlab.
function human(size) {
  if (size < 0n) return `-${human(-size)}`;
  if (size < 1000n) return size.toString();
  let one = 1n;
  let prefix = 0;
  while (prefix + 1 < PREFIXES.length && 1000n * size >= 999995n * one) {
    one *= 1000n;
    prefix += 1;
  }
  return `${fixed(Number(size) / Number(one), 2)} ${PREFIXES[prefix]}`;
}

// With so many digits behind the point, as the tables of costlab round: what lies in the middle to the even digit.
function fixed(number, digits) {
  const shown = number.toFixed(digits);
  const isInTheMiddle = (number * 2 ** (digits + 1)) % 2 === 1;
  return isInTheMiddle && shown.at(-1) % 2 ? number.toFixed(digits + 1).slice(0, -1) : shown;
}

// The same with a sign: a difference.
const signed = (write) => (size) => (size > 0n ? "+" : size < 0n ? "\u2212" : "") + write(size < 0n ? -size : size);

const ratioOf = (part, whole) => (whole === 0n ? 0 : Number(part) / Number(whole));

function percent(part, whole) {
  return whole === 0n ? "\u2013" : `${fixed(100 * ratioOf(part, whole), 1)}%`;
}

function percentMore(before, after) {
  if (before === 0n) return after === 0n ? "0.0%" : "new";
  const change = 100 * ratioOf(after - before, before);
  const digits = fixed(Math.abs(change), 1);
  return `${digits === "0.0" ? "" : change > 0 ? "+" : "\u2212"}${digits}%`;
}

// A name without signs that are not seen, or that turn those around it.
const seen = (text) => text.replace(UNSEEN, (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`);

const inWords = (name) => name.replaceAll("_", " ");

// An element with attributes, text or other elements in it: never markup, whatever a name holds.
function element(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...content);
  return made;
}

// A name, isolated from the direction of what is around it, with the part that was searched for marked.
function nameElement(text, query = "") {
  const shown = seen(text);
  const at = query ? shown.toLowerCase().indexOf(query) : -1;
  if (at < 0) return element("bdi", {}, shown);
  const end = at + query.length;
  return element("bdi", {}, shown.slice(0, at), element("mark", {}, shown.slice(at, end)), shown.slice(end));
}

// A size twice: exactly, and in a few digits for where there is little room. The style shows one of them.
function sizeElements(size, sign = false) {
  const [whole, few] = sign ? [signed(exact), signed(human)] : [exact, human];
  return [
    element("span", { class: "exact" }, whole(size)),
    element("span", { class: "few", title: whole(size) }, few(size)),
  ];
}
