"""What an optimizer keeps for each tensor of parameters, and what its update needs besides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from costlab.algebra.dim import Dim, maximum, product, total
from costlab.errors import DefinitionError
from costlab.messages import named

if TYPE_CHECKING:
    from torch.optim import Optimizer as TorchOptimizer

STEP = 4
"""Bytes of the number of steps, one of float32 that some optimizers keep with each tensor."""
KEPT = {"sgd": 0, "rmsprop": 1, "adam": 2, "adamw": 2}
"""By optimizer, how many tensors of a parameter's size it keeps, without momentum."""
OPTIMIZERS = tuple(KEPT)
SCRATCH = {"sgd": 0, "rmsprop": 1, "adam": 2, "adamw": 2}
"""By optimizer, how many of them the update of one parameter makes, and lets go of."""


@dataclass(frozen=True)
class Optimizer:
    """An optimizer of torch that updates one tensor after another (``foreach=False``).

    ``name`` is sgd, rmsprop, adam or adamw; ``momentum`` adds one tensor to what SGD and RMSProp keep. SGD,
    RMSProp and Adam run without weight decay, which would make one more tensor while a parameter is updated.

    Raises:
        DefinitionError: there is no such optimizer, or it has no momentum to set.
    """

    name: str = "sgd"
    momentum: bool = False

    def __post_init__(self) -> None:
        if self.name not in OPTIMIZERS:
            raise DefinitionError(f"optimizer={named(self.name)} must be one of {', '.join(OPTIMIZERS)}")
        if self.momentum and KEPT[self.name] == 2:
            raise DefinitionError(
                f"optimizer={self.name} keeps averages of its own and has no momentum: leave it out"
            )

    def __str__(self) -> str:
        return f"{self.name} with momentum" if self.momentum else self.name

    def state(self, parameter: Dim) -> Dim:
        """The bytes that are kept from step to step for one tensor that requires a gradient."""
        tensors = KEPT[self.name] + self.momentum
        return total((product(tensors, parameter), STEP if KEPT[self.name] else 0))

    def scratch(self, parameters: Sequence[Dim]) -> Dim:
        """The most bytes that the update of parameters of as many bytes, one after another, needs in passing.

        By what a gradient is divided is held until that of the next parameter is there.
        """
        copies = SCRATCH[self.name]
        if not copies:
            return 0
        before = (0, *parameters)
        each = (total((product(copies, size), last)) for size, last in zip(parameters, before, strict=False))
        none: Dim = 0
        return reduce(maximum, each, none)

    def of_torch(self, parameters: "Iterable[Any]") -> "TorchOptimizer":
        """The optimizer of torch. RMSProp has the paper's settings, alpha 0.9 and eps 1.0."""
        from torch import optim

        momentum = 0.9 if self.momentum else 0.0
        if self.name == "sgd":
            return optim.SGD(parameters, lr=0.01, momentum=momentum, foreach=False)
        if self.name == "rmsprop":
            return optim.RMSprop(parameters, 0.01, alpha=0.9, eps=1.0, momentum=momentum, foreach=False)
        made = optim.Adam if self.name == "adam" else optim.AdamW
        return made(parameters, lr=0.001, foreach=False)
