"""What is alive, moment by moment, and what autograd keeps."""

from typing import Literal, NamedTuple

from costlab.algebra.dim import Dim
from costlab.hardware.held.flow import Flow

Phase = Literal["forward", "loss", "backward", "optimizer"]


class Moment(NamedTuple):
    """The bytes that are allocated when an operation has put out what it gives, its scratch with them.

    Weights, buffers, what comes in, the targets of the loss and the optimizer's state are there before and
    are no part of it; gradients of the weights are.
    """

    path: str
    phase: Phase
    live: Dim


class Kept(NamedTuple):
    """Bytes that autograd keeps for the way back, of one tensor, at the first operation that wants it.

    What is a parameter, a buffer or a view of one is not kept: it is there. ``is_input`` marks what came in.
    """

    path: str
    kind: str
    size: Dim
    is_input: bool = False


class Part(NamedTuple):
    """The bytes of parameters and of buffers that a module holds itself; of what several share, the first."""

    path: str
    kind: str
    weights: Dim
    buffers: Dim


class Inference(NamedTuple):
    """A forward pass without gradients, as PyTorch runs it: a call holds its input until it returns.

    ``given`` are the bytes of what comes in.
    """

    flow: Flow
    moments: tuple[Moment, ...]
    given: Dim


class Training(NamedTuple):
    """A step of training: forward, loss, backward, the optimizer, and gradients let go.

    ``gradients`` are the bytes of the parameters' gradients at the end of the way back, ``state`` those of
    the optimizer, ``given`` those of what comes in.
    """

    kept: tuple[Kept, ...]
    moments: tuple[Moment, ...]
    gradients: Dim
    state: Dim
    given: Dim
