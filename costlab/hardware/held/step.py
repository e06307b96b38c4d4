"""A step of training a definition: forward, the loss, the way back, and the optimizer."""

from typing import Any

from costlab.algebra.block import Node
from costlab.algebra.dim import Dim, total
from costlab.errors import DefinitionError
from costlab.hardware.held.backward import Backward, Gradient
from costlab.hardware.held.forward import Forward, forward
from costlab.hardware.held.moments import Moment, Phase, Training
from costlab.hardware.held.optimizer import Optimizer

LOSS = "loss"
"""The path of what is no module: the loss, and the way back from it to what the network puts out."""


def run_step(root: Node, batch: Dim, word: int, optimizer: Optimizer) -> Training:
    """A step of training a definition, with ``word`` bytes to an element.

    The loss is the sum of the mean cross-entropies over the channels of what the network and its auxiliary
    heads put out, each with a weight; gradients are let go after the step.

    Raises:
        DefinitionError: it has no parameters; or of an operation nobody says what autograd keeps.
    """
    ran = forward(root, batch, word, training=True)
    if not any(ran.values[number].wants_gradient for number in ran.outputs):
        raise DefinitionError("there are no parameters that could be trained")
    kept = tuple(ran.kept)
    _add_losses(ran, word)
    _run_back(ran, word)
    parameters = [size for made in ran.done for size in made.gradients]
    moments = (*ran.moments, Moment("", "optimizer", total((ran.live, optimizer.scratch(parameters)))))
    return Training(kept, moments, total(parameters), total(map(optimizer.state, parameters)), ran.given)


def _add_losses(ran: Forward, word: int) -> None:
    """Forward: of each output the logarithm of its softmax, the mean of what is right, and the sum so far."""
    for place, number in enumerate(ran.outputs):
        output = ran.values[number]
        _allocate(ran, output.size, "loss")
        _allocate(ran, 2 * word, "loss")  # the mean, and by what it was divided
        if not output.wants_gradient:
            _free(ran, output.size + word)
        _allocate(ran, word, "loss")  # times its weight
        _free(ran, word)
        _allocate(ran, word, "loss")  # the sum so far
        _free(ran, word * (2 if place else 1))


def _run_back(ran: Forward, word: int) -> None:
    """The way back, from the loss to the first parameters."""
    back = Backward(ran)
    _allocate(ran, word, "backward")  # a one, which is held until the end
    for number in reversed(ran.outputs):
        if not ran.values[number].wants_gradient:
            continue
        size = ran.values[number].size
        _allocate(ran, word, "backward")  # the weight
        _allocate(ran, size, "backward")
        _free(ran, 2 * word)
        gradient = Gradient(size)
        _allocate(ran, size, "backward")
        _free(ran, 2 * size)
        left = back.give(number, gradient, LOSS)
        if left is not None:
            back.drop(left)
    back.run()
    _free(ran, word)


def _allocate(ran: Forward, size: Any, phase: Phase) -> None:
    ran.allocate(size)
    ran.note(LOSS, phase)


def _free(ran: Forward, size: Any) -> None:
    ran.live -= size
