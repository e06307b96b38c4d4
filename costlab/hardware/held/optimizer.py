"""Optimizers: what they hold of each parameter, and what their update needs in passing."""

from typing import NamedTuple

from costlab.algebra.dim import Dim

STEP = 4
"""Bytes of the number of steps that some hold for each parameter, a float32."""


class Optimizer(NamedTuple):
    """An optimizer of torch.optim: ``sgd``, ``rmsprop`` or ``adam``, the first two with momentum or without."""

    name: str
    momentum: bool = False

    def state(self, parameter: Dim) -> Dim:
        """The bytes that it holds for a parameter of as many bytes."""
        copies = {"sgd": 0, "rmsprop": 1, "adam": 2}[self.name] + self.momentum
        return copies * parameter + (0 if self.name == "sgd" else STEP)

    def scratch(self, parameter: Dim) -> Dim:
        """The bytes that the update of a parameter of as many bytes needs in passing."""
        return {"sgd": 0, "rmsprop": 1, "adam": 2}[self.name] * parameter
