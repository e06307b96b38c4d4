"""Definitions with other blocks in the place of some of their convolutions."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from costlab.algebra.block import Block
from costlab.algebra.combine import Composite
from costlab.errors import DefinitionError

if TYPE_CHECKING:
    from costlab.advise.factorize.plan import Replacement


def with_blocks(block: Block, replacements: "Iterable[Replacement]") -> Block:
    """The block with the replacements in it.

    Raises:
        DefinitionError: it has other convolutions than it was planned for.
    """
    planned = {each.path: each for each in replacements}
    made = _with(block, planned, "")
    if planned:
        raise another(next(iter(planned)))
    return made


def another(path: str) -> DefinitionError:
    """The error that says that a network has another convolution at a path than its plan, or none."""
    return DefinitionError(
        f"{path or 'the root'}: this is not the convolution that the plan is of: make the plan anew, with "
        "the settings of this network"
    )


def _with(block: Block, planned: "dict[str, Replacement]", path: str) -> Block:
    """The block with what is planned below a path in it, which is taken out of the plan."""
    if path in planned and planned[path].site.conv == block:
        return planned.pop(path).block
    if not isinstance(block, Composite):
        return block
    children = tuple(
        (name, _with(child, planned, f"{path}.{name}" if path else name)) for name, child in block.children
    )
    return block if children == block.children else replace(block, children=children)
