"""What a network is: shapes, operations, combinators and definitions."""

from costlab.algebra.block import Block, Node, Operation
from costlab.algebra.combine import Add, Auxiliary, Concat, Sequence, add, auxiliary, concat, seq
from costlab.algebra.define import Definition, block
from costlab.algebra.dim import Dim, as_dim, symbols
from costlab.algebra.ops import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    PReLU,
    ReLU,
    Softmax,
)
from costlab.algebra.ratio import Ratio, in_between, scale
from costlab.algebra.shape import AnyShape, Shape, Vector
from costlab.algebra.window import Size2d
from costlab.algebra.work import Work
from costlab.errors import DefinitionError

__all__ = [
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "Add",
    "AnyShape",
    "Auxiliary",
    "AvgPool2d",
    "BatchNorm2d",
    "Block",
    "Concat",
    "Conv2d",
    "Definition",
    "DefinitionError",
    "Dim",
    "Dropout",
    "Flatten",
    "Linear",
    "LocalResponseNorm",
    "MaxPool2d",
    "Node",
    "Operation",
    "PReLU",
    "Ratio",
    "ReLU",
    "Sequence",
    "Shape",
    "Size2d",
    "Softmax",
    "Vector",
    "Work",
    "add",
    "as_dim",
    "auxiliary",
    "block",
    "concat",
    "in_between",
    "scale",
    "seq",
    "symbols",
]
