"""A count as a tool follows it that sees other sizes than it does.

For one that follows the sizes of tensors, a model runs once more, such that products of them are noted; for
one that leaves sizes to onnx's inference of a whole graph, operations have those.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from costlab.algebra.block import Node
from costlab.algebra.inputs import Inputs
from costlab.counting.convention import convention

if TYPE_CHECKING:
    from costlab.algebra.traced import Traced
    from costlab.counting.count import Count
    from costlab.onnx.fixed import GraphRun

SIZES = "size_products"
"""The quantity that only such a run knows."""


def follows_sizes(name: str) -> bool:
    """Whether a tool counts products of sizes."""
    by = convention(name)
    rates = (*by.charges.values(), *(each.charge for each in by.defects))
    return any(SIZES in each for each in rates)


def _as_inferred(root: Node, graph: "GraphRun") -> Node:
    """The operations at the sizes that onnx infers of the whole graph, where it infers any."""
    sizes = graph.inferred
    return root if sizes is None else _at(root, sizes)


def _at(node: Node, sizes: Mapping[str, tuple[int, ...]]) -> Node:
    block = cast("Traced", node.block)
    if block.step_of_graph is not None:
        return node._replace(block=replace(block, step_of_graph=block.step_of_graph.at(sizes)))
    return node._replace(children=tuple(_at(each, sizes) for each in node.children))


def root_for(count: "Count", name: str) -> Node:
    """The operations of a count as a tool sees them.

    Sizes that are followed are integers of a class of their own, which a model may tell from others: the
    count itself is of a run with plain ones.
    """
    if count.graph is not None:
        return _as_inferred(count.root, count.graph) if convention(name).infers else count.root
    if not count.root.block.takes_tensors or not follows_sizes(name) or not isinstance(count.input, Inputs):
        return count.root
    from costlab.tracing.module import Module

    traced = cast("Traced", count.root.block)
    if traced.follows_sizes or traced.subject is None:
        return count.root
    partial = traced.stop is not None
    return Module(traced.subject, backward=traced.step, partial=partial, follows_sizes=True).walk(count.input)
