"""Marks of a count: what is to be said beside its numbers, for they would mislead without it."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

from costlab.algebra.block import Node
from costlab.algebra.combine import Composite, marked
from costlab.errors import DefinitionError

if TYPE_CHECKING:
    from costlab.algebra.traced import Parameters, Stop, Traced
    from costlab.onnx.fixed import GraphRun

PARTIAL = "(partial)"
"""The mark of what was counted up to where a run stopped."""
WHOLE = "parameters"
"""The quantity that is known of the whole all the same."""
UNREAD = ("unused", "not_reached")
"""The kinds of what holds the parameters that no operation read, or had read where the run stopped."""


def _is_sized(node: Node) -> bool:
    """Whether the sizes are known of what comes out last of a part of a graph: of a number, none."""
    last = node
    while last.children:
        last = last.children[-1]
    step = cast("Traced", last.block).step_of_graph
    return bool(step is not None and step.node is not None and step.node.output.is_sized)


class Marks:
    """What is known of the numbers of a tree of operations, from the tree itself."""

    label: str
    root: Node

    @property
    def partial(self) -> "Stop | None":
        """Where the run of a module stopped, and why, if it did: then every total is of what ran up to there.

        Its parameters alone are those of the whole, but for lazy modules that were not reached.
        """
        return self._traced.stop if self._traced else None

    @cached_property
    def unsupported(self) -> Mapping[str, tuple[str, ...]]:
        """What nobody knows the cost of, by kind, where it is.

        That is `without_rule`, `unsized` and `undecided` together.
        """
        found: dict[str, tuple[str, ...]] = {}
        for node, work in self.root.working() if self._traced else ():
            if cast("Traced", node.block).unknown:
                found[work.kind] = (*found.get(work.kind, ()), node.path)
        return found

    @property
    def unknown(self) -> Mapping[str, tuple[str, ...]]:
        """The former name of `unsupported`."""
        return self.unsupported

    @property
    def without_rule(self) -> Mapping[str, tuple[str, ...]]:
        """The operations without a rule, which no total includes: by kind, where they are."""
        others = {
            place for some in (self.undecided, self.unsized) for paths in some.values() for place in paths
        }
        found = {
            kind: tuple(path for path in paths if path not in others)
            for kind, paths in self.unsupported.items()
        }
        return {kind: paths for kind, paths in found.items() if paths}

    @cached_property
    def unsized(self) -> Mapping[str, tuple[str, ...]]:
        """The operations of a graph without sizes, which no total includes: by kind, where they are."""
        found: dict[str, tuple[str, ...]] = {}
        for node, work in self.root.working() if self.unsupported else ():
            if cast("Traced", node.block).unsized:
                found[work.kind] = (*found.get(work.kind, ()), node.path)
        return found

    @property
    def undecided(self) -> Mapping[str, tuple[str, ...]]:
        """Choices of data between two branches, by kind, where they are: totals hold both, and one runs."""
        if not self.unsupported:
            return {}
        from costlab.algebra.traced import COND_ON_DATA  # of what was traced only

        return {kind: paths for kind, paths in self.unsupported.items() if kind == COND_ON_DATA}

    @property
    def complex_products(self) -> tuple[str, ...]:
        """Where complex numbers are multiplied: each product counts as one multiply-add, and takes four."""
        return self._traced.complex_products if self._traced else ()

    @property
    def held(self) -> "Parameters | None":
        """The parameters of a module that was traced, apart: trainable, frozen, shared, unused."""
        return self._traced.held if self._traced else None

    @cached_property
    def unverified(self) -> bool:
        """Whether a definition made it, or a part of it, that was not held against its source."""
        blocks = (node.block for node in self.root.nodes())
        return any(isinstance(block, Composite) and block.unverified for block in blocks)

    @property
    def graph(self) -> "GraphRun | None":
        """The model of ONNX that was counted, with its inputs; None of a module or a definition."""
        graph: GraphRun | None = self._traced.graph if self._traced else None
        return graph

    @property
    def is_step(self) -> bool:
        """Whether a step of training is counted, with the gradients."""
        return self._traced is not None and self._traced.step

    @property
    def shown(self) -> str:
        """The label, with a mark where the definition was not held against its source, or the run stopped."""
        return self._marked(marked(self.label, self.unverified))

    @property
    def total_name(self) -> str:
        """What the sum of everything is called: ``total``, with a mark where the run stopped."""
        return self._marked("total")

    def _marked(self, text: str) -> str:
        return f"{text} {PARTIAL}" if self.partial else text

    def came_out(self, node: Node) -> bool:
        """Whether it is known what came out of a module.

        It is not where nothing ran it, the run stopped in it, or the sizes are in the data.
        """
        if self._traced is None:
            return True
        if self._traced.graph is not None and not node.output:
            return _is_sized(node)
        kinds = {work.kind for _, work in node.working()}
        if self.partial is None:
            return not kinds or not kinds <= {*UNREAD}
        return not kinds <= {*UNREAD} and not f"{self.partial.path}.".startswith(
            node.path and f"{node.path}."
        )

    def refuse_partial(self, what: str) -> None:
        """Refuse what only a count of the whole can be used for.

        Raises:
            DefinitionError: the run stopped.
        """
        if self.partial:
            raise DefinitionError(f"{self.label} is counted in part, and {what}: {self.partial}")

    @property
    def _traced(self) -> "Traced | None":
        """What was traced, for that only takes tensors; no block of the algebra does."""
        return cast("Traced", self.root.block) if self.root.block.takes_tensors else None
