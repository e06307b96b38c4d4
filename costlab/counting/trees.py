"""Counts and comparisons in a notebook: the tree of the modules, and what each variant consists of."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from costlab.algebra.block import Node
from costlab.algebra.dim import Dim, is_number
from costlab.algebra.work import Work
from costlab.counting.folded import ITSELF, ROOT, Amount, Line, amounts, said, tree
from costlab.counting.frame import notes_of, notes_of_comparison, thousands, titles_of
from costlab.counting.overview import LEVELS
from costlab.counting.row import Row, human

if TYPE_CHECKING:
    from costlab.counting.compare import Comparison
    from costlab.counting.count import Count
    from costlab.counting.difference import Difference

UNITS = {"multiply-adds": "multiply-adds (MACs)"}
MODULES = f"{LEVELS}, .to_frame() every operation"
VARIANTS = ".counts holds each of them, .to_frame() a row of each"


def parts_of(count: "Count") -> list[str]:
    """What is to be said beside the totals, these, and the tree of the modules.

    Of symbols and arrays it has one level.
    """
    titles, lines = _tree_of(count)
    modules = tree(titles, lines, text=3, instead=MODULES)
    return [said(notes_of(count)), amounts(_totals(count)), modules]


def parts_of_comparison(comparison: "Comparison") -> list[str]:
    """The variants: each opens the kinds of its operations, and the modules that are not the baseline's."""
    first, *others = titles_of(comparison.baseline)
    titles = ["variant", first, "in short", "ratio", *others]
    lines = [_variant(comparison, count) for count in comparison.counts]
    return [said(notes_of_comparison(comparison)), tree(titles, lines, text=1, instead=VARIANTS)]


def _totals(count: "Count") -> list[Amount]:
    sizes = zip(titles_of(count), count.whole.sizes(count.measures), strict=True)
    return [Amount(thousands(size), _short(size), UNITS.get(title, title)) for title, size in sizes]


def _short(size: Any) -> str:
    """A large number in a few digits."""
    return human(size) if isinstance(size, int) and abs(size) >= 1000 else ""


def _tree_of(count: "Count") -> tuple[list[str], list[Line]]:
    cost, *others = titles_of(count)
    titles = ["module", "operation", "output", cost]
    total = [count.total_name, "", ""]
    if not is_number(*count.whole.sizes(count.measures)):
        rows = [(_words(row.path, row), row) for row in count.modules(1)]
        numbers = [*rows, (total, count.whole)]
        lines = [Line([*words, *map(thousands, row.sizes(count.measures))]) for words, row in numbers]
        return [*titles, *others], lines
    tree = _Tree(count)
    lines = tree.below(count.root) if count.root.children else [tree.line(count.root)]
    lines.append(Line([*total, *tree.numbers(count.whole.sizes(count.measures))]))
    return [*titles, "in short", "share", *others], lines


def _words(name: str, row: Row) -> list[str]:
    """What a module is, and what comes out; what is run in training only is told."""
    operation = f"{row.operation}, in training only" if row.training_only else row.operation
    return [name, operation, "" if row.output is None else str(row.output)]


class _Tree:
    """The modules of a count as lines, with the sum of everything below each."""

    def __init__(self, count: "Count") -> None:
        self.count = count
        self.own = {id(node): count.add_up("", [node]).sizes(count.measures) for node in count.operations}
        self.sums = [self._sums(place) for place in range(len(count.measures))]

    def _sums(self, place: int) -> Mapping[str, Dim]:
        return self.count.root.sums(lambda node: self.own[id(node)][place])

    def line(self, node: Node) -> Line:
        """A module, which opens what is in it."""
        sizes = [sums[node.path] for sums in self.sums]
        return self._line(node.name or ROOT, node, node.block.title, sizes, opens=bool(node.children))

    def below(self, node: Node) -> list[Line]:
        """What is in a module, and what it does itself, such as the join of its branches."""
        lines = [self.line(child) for child in node.children]
        if node.work is not None:
            lines.append(self._line(ITSELF, node, node.work.kind, self.own[id(node)], opens=False))
        return lines

    def _line(self, name: str, node: Node, operation: str, sizes: Sequence[Dim], *, opens: bool) -> Line:
        output = node.output if self.count.came_out(node) else None
        row = Row(node.path, operation, output, Work(""), 0, training_only=node.training_only)
        cells = [*_words(name, row), *self.numbers(sizes)]
        return Line(cells, (lambda: self.below(node)) if opens else None)

    def numbers(self, sizes: Sequence[Dim]) -> list[str]:
        """The cells of sizes: the cost in a few digits and its share of the whole, too."""
        cost, *others = sizes
        share = f"{int(cost) / int(self.count.cost):.1%}" if int(self.count.cost) else ""
        return [thousands(cost), _short(cost), share, *map(thousands, others)]


def _variant(comparison: "Comparison", count: "Count") -> Line:
    """A variant beside the baseline."""
    ratio = comparison.ratio(count, comparison.measures[0])
    shown = "no ratio" if ratio is None else f"{float(ratio):.4g} of the baseline"
    shown = "the baseline" if count is comparison.baseline else shown
    return Line(_sizes(count.shown, count.whole, count, shown), lambda: _of_variant(comparison, count))


def _sizes(name: str, row: Row, count: "Count", ratio: str) -> list[str]:
    cost, *others = row.sizes(count.measures)
    return [name, thousands(cost), _short(cost), ratio, *map(thousands, others)]


def _of_variant(comparison: "Comparison", count: "Count") -> list[Line]:
    """The kinds of operations that cost anything, and what is not as in the baseline."""
    baseline = comparison.baseline
    theirs = {row.operation: row for row in baseline.kinds()}
    kinds = [row for row in count.kinds() if any(row.sizes(count.measures))]
    lines = [_kind(row, theirs, count, is_baseline=count is baseline) for row in kinds]
    if count is baseline or count.partial or baseline.partial:
        return lines
    changes = [_change(each, count) for each in comparison.differences(count)]
    title = f"{len(changes):,} modules differ" if len(changes) != 1 else "1 module differs"
    empty = [title, *[""] * (len(lines[0].cells) - 1 if lines else len(count.measures) + 2)]
    return [*lines, Line(empty, (lambda: changes) if changes else None)]


def _kind(row: Row, theirs: Mapping[str, Row], count: "Count", *, is_baseline: bool) -> Line:
    """A kind of operations, in the share that it has of what the baseline's take."""
    before = theirs[row.operation].sizes(count.measures)[0] if row.operation in theirs else 0
    cost: Any = row.sizes(count.measures)[0]
    ratio = f"{cost / before:.4g} of the baseline" if before and not is_baseline else ""
    return Line(_sizes(row.operation, row, count, ratio))


def _change(each: "Difference", count: "Count") -> Line:
    """A module that is not as in the baseline, and by how much it differs."""
    cost, *others = (each.of(name) for name in count.measures)
    signed = [f"{size:+,}" if size else "0" for size in (cost, *others)]
    short = ("+" if cost > 0 else "") + _short(cost) if _short(cost) else ""
    words = {"added": each.after, "removed": each.before, "changed": f"{each.before} -> {each.after}"}
    told = Line([f"{each.change}: {words[each.change]}"], said=True)
    return Line([each.path or ROOT, signed[0], short, each.change, *signed[1:]], lambda: [told])
