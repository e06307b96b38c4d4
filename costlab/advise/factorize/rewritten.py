"""Definitions with other blocks at some of their paths."""

from collections.abc import Mapping
from dataclasses import replace

from costlab.algebra.block import Block
from costlab.algebra.combine import Composite


def with_blocks(block: Block, others: Mapping[str, Block], path: str = "") -> Block:
    """The block with others at some paths in it."""
    if path in others:
        return others[path]
    if not isinstance(block, Composite):
        return block
    children = tuple(
        (name, with_blocks(child, others, f"{path}.{name}" if path else name))
        for name, child in block.children
    )
    return block if children == block.children else replace(block, children=children)
