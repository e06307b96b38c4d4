"""What an operation multiplies by what: its weights with their zeros, and how many bits wide both are."""

from collections.abc import Callable, Hashable
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, get_args, runtime_checkable

from costlab.algebra.block import Block

Look: TypeAlias = Callable[[Any], Any]
"""Says something of a mask: a NumPy array of bool, True where a weight is not zero.

Its axes are ``(groups, outputs, inputs, places)``: the features that come out of a group, those that its
products sum up, and the places of a kernel, or the gates of a recurrent layer. A mask of one axis belongs to
a weight of which it is not known which axis is which.
"""
Role: TypeAlias = Literal["weights", "biases", "scales", "zero_points", "masks", "index", "others", "buffers"]
"""What a tensor is held for: ``scales`` and ``zero_points`` are those that quantized numbers are read by,
``masks`` choose weights, an ``index`` says which elements a sparse weight stores, ``others`` are parameters
such as those of normalizations, ``buffers`` all else that is held and not learned."""
ROLES: tuple[Role, ...] = get_args(Role)


class Weight(NamedTuple):
    """A tensor that an operation multiplies its data by.

    Each of its ``elements`` is multiplied ``uses`` times. ``zeros`` is what a `Look` says of it, None where
    its values are not known. ``key`` is the same for the same tensor, wherever it is used.
    """

    key: Hashable
    elements: int
    uses: int
    bits: int
    zeros: Any = None


class Operands(NamedTuple):
    """What an operation multiplies: by ``weights``, or data by data where there are none.

    ``data_bits`` is the width of its data, None where it is not known; ``found`` says whether its weights
    were found. Of the parameters that are counted with it, ``nonzero`` are not zero, None if that is not
    known.
    """

    weights: tuple[Weight, ...] = ()
    data_bits: int | None = None
    found: bool = True
    nonzero: int | None = 0


class Stored(NamedTuple):
    """A tensor that a network holds: the path of the module that holds it, its name there, its bytes."""

    path: str
    name: str
    role: Role
    bytes: int


@runtime_checkable
class HoldsWeights(Protocol):
    """A block whose weights have values, or a width of their own.

    Its walk gives leaves whose block is a `Traced` with ``operands``, and a root whose block has all that is
    held, ``stored``.
    """

    def weighed(self, look: Look) -> Block:
        """The same block, whose walk looks at each weight."""
