"""What a convention holds for: modules or graphs of ONNX, and of these what its tool does not fail on."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from costlab.algebra.block import Node
from costlab.counting.convention import ANY, GRAPHS, MODULES, Convention, convention
from costlab.counting.conventions.graph_node import UNSEEN
from costlab.counting.conventions.quantities import quantity_of
from costlab.counting.followed import root_for
from costlab.counting.terms import fits
from costlab.errors import DefinitionError

if TYPE_CHECKING:
    from costlab.counting.count import Count

WRONG_TARGET = {
    GRAPHS: "it counts graphs of ONNX: export the model, and name the file",
    MODULES: "it counts modules of PyTorch, and this is a graph of ONNX",
}
"""Why a tool has no number for a target, by what it counts."""


def is_of(by: Convention, count: "Count") -> bool:
    """Whether a convention is of what was counted: of graphs, or of modules and what builds them."""
    return by.of == ANY or (by.of == GRAPHS) == (count.graph is not None)


def failures(by: Convention, count: "Count") -> dict[str, int]:
    """What a tool fails on in a graph, in words, with the number of nodes."""
    found: dict[str, int] = {}
    if by.of != GRAPHS or count.graph is None:
        return found
    if by.input_types and (wrong := sorted(count.graph.input_types() - by.input_types)):
        found[f"an input of {' and '.join(wrong)}"] = 1
    nodes = (node for node, _ in root_for(count, by.name).working())
    for reason in (reason for node in nodes for reason in _failures(by, node)):
        found[reason] = found.get(reason, 0) + 1
    return found


def _failures(by: Convention, node: Node) -> Iterator[str]:
    for operation in by.operations_of(node):
        if operation.form in UNSEEN:
            continue
        if by.operators and operation.kind not in by.operators:
            yield f"no rule for {operation.kind}"
            continue
        for each in by.fails:
            matches = any(fits(pattern, operation.kind, operation.form) for pattern in each.match)
            if matches and (not each.where or quantity_of(operation, each.where) != 0):
                yield each.reason


def in_words(found: dict[str, int]) -> str:
    """What a tool fails on in a sentence."""
    return ", ".join(f"{reason} ({times})" for reason, times in found.items())


def refuse(count: "Count", name: str) -> None:
    """Refuse a convention that has no number for what was counted.

    Raises:
        DefinitionError: there is none of that name, it is not of such a target, or its tool fails on it.
    """
    by = convention(name)
    if not is_of(by, count):
        raise DefinitionError(f"{count.label}: {name} has no number for it: {WRONG_TARGET[by.of]}")
    if found := failures(by, count):
        raise DefinitionError(f"{count.label}: {by.title} fails on it: {in_words(found)}")


def unknown_among(convention: Convention, nodes: Iterable[Node]) -> dict[str, int]:
    """The kinds of operations that the tool has no rule for, with how many there are of each."""
    kinds = (node.work.kind for node in nodes if node.work is not None and not convention.knows(node))
    return dict(Counter(kinds))
