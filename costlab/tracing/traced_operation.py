"""An operation as a trace records it."""

from typing import NamedTuple

from torch import Tensor

from costlab.algebra.operands import Operands
from costlab.algebra.shape import Sizes
from costlab.algebra.traced import Call
from costlab.algebra.work import Work


class TracedOperation(NamedTuple):
    """An operation that ran: where, what it did, what came out, and the parameters that it read.

    ``own`` says that a layer of torch.nn is the operation, or a module that a user's rule is for. ``call`` is
    None for parameters that nothing read, and for what a user's rule counts. ``turn`` numbers the operations
    of a trace, in the order in which they ran. Where it follows what feeds what, ``number`` is an operation's
    own, and ``reads`` are those of the operations whose outputs it reads. Where weights are looked at, it has
    ``operands``.
    """

    path: str
    work: Work
    output: Sizes
    kernel: str = ""
    own: bool = False
    unknown: bool = False
    read: tuple[Tensor, ...] = ()
    backward: bool = False
    call: Call | None = None
    turn: int = 0
    number: int | None = None
    reads: tuple[int, ...] | None = None
    operands: Operands | None = None
