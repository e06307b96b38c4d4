"""The modules that are responsible where a network is over its budget."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from costlab.algebra.block import Node
from costlab.counting.count import Count
from costlab.counting.difference import differences


class Part(NamedTuple):
    """A module with everything below it, and what it takes of a quantity.

    ``before`` is what it took in the reference, 0 where it was not there; None where nothing is compared.
    """

    path: str
    size: int
    before: int | None = None

    @property
    def increase(self) -> int:
        """How much more it takes than before."""
        return self.size - (self.before or 0)


def largest(count: Count, quantity: str) -> tuple[Part, ...]:
    """Modules that add up to the whole, the largest first; what takes none is left out.

    A module that takes more than half of the whole is taken apart, so that what wraps others does not hide
    them.
    """
    whole = int(count.size(quantity))
    done: list[Part] = []
    node: Node | None = count.root
    while node is not None:
        if node.work is not None:  # the join of the branches, or an operation
            done.append(Part(node.path, _size([node], count, quantity)))
        parts = [(Part(child.path, _below(child, count, quantity)), child) for child in node.children]
        node = next((child for part, child in parts if 2 * part.size > whole), None)
        done += [part for part, child in parts if child is not node]
    return tuple(sorted((part for part in done if part.size), key=lambda part: -part.size))


def grown(before: Count, after: Count, quantity: str) -> tuple[Part, ...]:
    """The modules that take more than before, as deep as they can be told apart, the most grown first."""
    changed = (
        Part(each.path, int(each.size_after.size(quantity)), int(each.size_before.size(quantity)))
        for each in differences(before, after)
    )
    return _most_grown(changed)


def grown_since(before: Mapping[str, int], after: Count, quantity: str) -> tuple[Part, ...]:
    """The same against sizes by path, such that every operation was in just one: no deeper than these."""
    above = {path[:end] for path in before if path for end in (0, *_joints(path))}
    sizes: dict[str, int] = {}
    whole: set[str] = set()  # what was divided before, and is not any more

    def visit(node: Node) -> None:
        if node.path not in above or not node.children:
            size = _below(node, after, quantity)
            whole.update({node.path} & above)
        else:
            for child in node.children:
                visit(child)
            size = _size([node], after, quantity) if node.work else 0  # the join of the branches
        sizes[node.path] = sizes.get(node.path, 0) + size

    visit(after.root)
    return _most_grown(
        Part(path, size, _sum_below(before, path) if path in whole else before.get(path, 0))
        for path, size in sizes.items()
    )


def _most_grown(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted((part for part in parts if part.increase > 0), key=lambda part: -part.increase))


def _joints(path: str) -> list[int]:
    """Where the paths of the modules end that a module lies in."""
    return [i for i, sign in enumerate(path) if sign == "."]


def _sum_below(sizes: Mapping[str, int], path: str) -> int:
    below = f"{path}." if path else ""
    return sum(size for other, size in sizes.items() if other == path or other.startswith(below))


def _below(node: Node, count: Count, quantity: str) -> int:
    return _size([below for below, _ in node.working()], count, quantity)


def _size(nodes: list[Node], count: Count, quantity: str) -> int:
    return int(count.add_up("", nodes).size(quantity))
