"""Differences: two networks aligned by path; what was added, removed or changed, and by how much."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from costlab.algebra.block import Node
from costlab.algebra.combine import Composite
from costlab.algebra.dim import Dim, as_dim
from costlab.algebra.traced import Traced
from costlab.algebra.work import Work
from costlab.counting.count import Count
from costlab.counting.row import MEASURES, Row

Change = Literal["added", "removed", "changed"]
FEW = 4
NOTHING = Row("", "", None, Work(""), 0, 0)


class Difference(NamedTuple):
    """A module that is not the same in both: before and after, with what it does in each.

    ``before`` or ``after`` says what the module is, empty where it is not there.
    """

    path: str
    change: Change
    before: str
    after: str
    size_before: Row
    size_after: Row

    def of(self, quantity: str) -> int:
        """How much more of a quantity there is after than before."""
        return int(self.size_after.size(quantity)) - int(self.size_before.size(quantity))


def differences(before: Count, after: Count, depth: int | None = None) -> tuple[Difference, ...]:
    """The modules that are not the same, in the order of execution.

    Modules are aligned by path. Where both have a child of the same name, only the children that differ
    are listed; otherwise the module as a whole, as anything at ``depth`` below the root is. What they differ
    by adds up to the difference of the whole.

    Raises:
        DefinitionError: either is counted in part: what follows may differ, or not.
    """
    for counted in (before, after):
        counted.refuse_partial("what follows may differ or not")
    if depth is not None:
        as_dim("depth", depth, least=0)
    return tuple(_compare(before.root, after.root, before, after, depth))


def _compare(old: Node, new: Node, was: Count, now: Count, depth: int | None) -> Iterator[Difference]:
    rows = (_sum(old, was), _sum(new, now))
    if _same(old, new, was, now):
        return
    theirs, ours = ({child.name: child for child in node.children} for node in (old, new))
    if depth == 0 or not theirs.keys() & ours.keys():
        yield Difference(new.path, "changed", *_described(old, new), *rows)
        return
    deeper = None if depth is None else depth - 1
    for name in _merged(list(theirs), list(ours)):
        if name not in theirs:
            added = ours[name]
            yield Difference(added.path, "added", "", _named(added), NOTHING, _sum(added, now))
        elif name not in ours:
            gone = theirs[name]
            yield Difference(gone.path, "removed", _named(gone), "", _sum(gone, was), NOTHING)
        else:
            yield from _compare(theirs[name], ours[name], was, now, deeper)
    orders = [[name for name in part if name in theirs and name in ours] for part in (theirs, ours)]
    if orders[0] != orders[1]:
        before, after = (f"in order {', '.join(order)}" for order in orders)
        yield Difference(new.path, "changed", before, after, NOTHING, NOTHING)
    if type(old.block) is not type(new.block):  # a join does no counted work itself
        yield Difference(new.path, "changed", _kind(old), _kind(new), NOTHING, NOTHING)


def _same(old: Node, new: Node, was: Count, now: Count) -> bool:
    """Whether nothing that is counted differs, nor what does it. Heads that are left out do not count."""
    if not old.children and not new.children:
        return old.block == new.block and _measured(old, was) == _measured(new, now)
    return (
        type(old.block) is type(new.block)
        and [child.name for child in old.children] == [child.name for child in new.children]
        and all(_same(a, b, was, now) for a, b in zip(old.children, new.children, strict=True))
    )


def _described(old: Node, new: Node) -> tuple[str, str]:
    """What the module was and is, and where that reads the same, its shapes."""
    before, after = _named(old), _named(new)
    if before != after:
        return before, after
    if isinstance(old.block, Traced) or isinstance(
        new.block, Traced
    ):  # of what is traced, inputs are not kept
        return f"{before}, gives {old.output}", f"{after}, gives {new.output}"
    return f"{before}, {old.input} to {old.output}", f"{after}, {new.input} to {new.output}"


def _named(node: Node) -> str:
    """What a module is: the convolutions and linear layers in it, if they are few."""
    block = node.block
    if not isinstance(block, Composite) or block.origin:
        return block.title
    parts = [part for part in node.nodes() if part.work is not None]
    layers = [part.block.title for part in parts if part.work and int(part.work.weights)]
    return ", ".join(layers) if 0 < len(layers) <= FEW else block.title


def _kind(node: Node) -> str:
    return node.block.kind if isinstance(node.block, Composite) else node.block.title


def _measured(node: Node, count: Count) -> tuple[Dim, ...]:
    """The measures of an operation, for one input: another batch alone makes no module another."""
    if node.work is None:
        return ()
    plain = tuple(getattr(node.work, name) for name in MEASURES)
    return plain if count.measures == MEASURES else (*plain, count.convention.cost(node))


def _merged(old: list[str], new: list[str]) -> list[str]:
    """The names of both, each in its order, what was removed before what was added."""
    merged: list[str] = []
    rest = list(new)
    for name in old:
        if name in rest:
            at = rest.index(name)
            merged += [other for other in rest[:at] if other not in old]
            rest = rest[at:]
        merged.append(name)
    return merged + [name for name in rest if name not in old]


def _sum(node: Node, count: Count) -> Row:
    return count.add_up("", [part for part in node.nodes() if part.work is not None])
