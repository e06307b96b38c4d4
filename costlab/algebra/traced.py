"""What ran: modules and operations whose cost is known only from a trace."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from costlab.algebra.block import Block, Node
from costlab.algebra.shape import AnyShape
from costlab.errors import DefinitionError


class Parameters(NamedTuple):
    """The parameters of a module, each tensor counted once.

    Among the others, ``shared`` ones are held in more than one place, and ``unused`` ones were read by no
    operation.
    """

    trainable: int = 0
    frozen: int = 0
    shared: int = 0
    unused: int = 0


@dataclass(frozen=True)
class Traced(Block):
    """A module or an operation, as it ran.

    ``kernel`` says of a convolution what `kernel_of` would, ``unknown`` that nobody knows what it costs.
    Of the root, ``held`` are the parameters, ``step`` says that a step of training ran, and ``subject``
    is the module itself.
    """

    name: str
    kernel: str = ""
    unknown: bool = False
    held: Parameters | None = None
    step: bool = False
    subject: Any = field(default=None, compare=False, repr=False)

    @property
    def title(self) -> str:
        return self.name

    def settings(self) -> Iterator[tuple[str, Any]]:
        return iter(())

    def walk(self, x: AnyShape, path: str = "", training_only: bool = False) -> Node:
        raise DefinitionError(f"{path}: {self.name} is known as it ran, and at no other input")
