"""The way back of a definition, and the step of the optimizer: which gradients are alive when."""

from dataclasses import dataclass, field
from typing import Any

from costlab.algebra.dim import Dim, maximum, total
from costlab.hardware.held.forward import Done, Forward


@dataclass(slots=True)
class Gradient:
    """A gradient in memory: its bytes, and by how many tensors it is held; views hold what they view."""

    size: Any
    holders: int = 1


@dataclass
class Backward:
    """Runs a forward run back, as the engine of autograd does: the latest operation first.

    Gradients that meet are added up in a new tensor. torch adds in place where nobody looks on; a mode that
    observes it, as fake tensors are, prevents that.
    """

    ran: Forward
    waiting: dict[int, Gradient] = field(default_factory=dict)
    """By value, the gradient that has come to it so far."""

    def run(self) -> None:
        """Go through all operations that ran, the last one first."""
        for made in reversed(self.ran.done):
            if (gradient := self.waiting.pop(made.writes, None)) is not None:
                self._back(made, gradient)

    def give(self, value: int, gradient: Gradient, path: str) -> Gradient | None:
        """Bring a gradient to a value; what is left of it, where another one was there, is given back."""
        there = self.waiting.get(value)
        if there is None:
            self.waiting[value] = gradient
            return None
        self.waiting[value] = self.new(self.ran.values[value].size)
        self.note(path)
        self.drop(there)
        return gradient

    def new(self, size: Dim) -> Gradient:
        """A gradient in memory of its own."""
        self.ran.allocate(size)
        return Gradient(size)

    def drop(self, gradient: Gradient) -> None:
        """One tensor less holds it."""
        gradient.holders -= 1
        if not gradient.holders:
            self.ran.live -= gradient.size

    def note(self, path: str, passing: Dim = 0) -> None:
        """Note what is alive on the way back."""
        self.ran.note(path, "backward", passing)

    def _back(self, made: Done, gradient: Gradient) -> None:
        values = self.ran.values
        wanted = [number for number in made.reads if values[number].wants_gradient]
        passed_on = made.is_view or made.kind in ("add", "concat")
        if passed_on:  # as it is, or as views of it
            given = [gradient] * len(wanted)
            gradient.holders += len(wanted)
        else:
            if not (isinstance(made.unwanted, int) and made.unwanted == 0):
                self.note(made.path, made.unwanted + maximum(made.unreduced, total(made.gradients)))
            given = [self.new(values[number].size) for number in wanted]
            for size in made.gradients:
                self.ran.allocate(size)
        self.note(made.path, made.unreduced + (made.scratch_back if wanted else 0))
        self.drop(gradient)
        for number in made.keeps:
            self.ran.drop(number)
        self.ran.live -= made.extras
        left = [self.give(number, each, made.path) for number, each in zip(wanted, given, strict=True)]
        for each in left:
            if each is not None:
                self.drop(each)
