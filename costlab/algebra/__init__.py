"""What a network is: shapes, operations, combinators and definitions."""

from costlab.algebra import ops
from costlab.algebra.block import Block, Node, Operation
from costlab.algebra.combine import Add, Auxiliary, Concat, Sequence, add, auxiliary, concat, seq
from costlab.algebra.define import Definition, block
from costlab.algebra.dim import Dim, as_count, as_dim, symbols
from costlab.algebra.ops import *  # noqa: F403  # its `__all__` names the operations
from costlab.algebra.ratio import Ratio, in_between, scale
from costlab.algebra.saved import Saved
from costlab.algebra.several import part
from costlab.algebra.shape import AnyShape, Shape, Vector
from costlab.algebra.window import Size2d
from costlab.algebra.work import Work
from costlab.errors import DefinitionError

__all__ = [
    "Add",
    "AnyShape",
    "Auxiliary",
    "Block",
    "Concat",
    "Definition",
    "DefinitionError",
    "Dim",
    "Node",
    "Operation",
    "Ratio",
    "Saved",
    "Sequence",
    "Shape",
    "Size2d",
    "Vector",
    "Work",
    "add",
    "as_count",
    "as_dim",
    "auxiliary",
    "block",
    "concat",
    "in_between",
    "part",
    "scale",
    "seq",
    "symbols",
]
__all__ += ops.__all__
