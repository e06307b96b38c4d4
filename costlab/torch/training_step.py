"""The training step of a Lightning module, as a module that is traced: the loss goes back, and no more."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from inspect import Parameter, signature
from typing import Any

import torch
from torch import Tensor, nn

from costlab.errors import DefinitionError

LOGS = ("log", "log_dict")
METRICS = "torchmetrics."
POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class TrainingStep(nn.Module):
    """What ``training_step`` of a Lightning module does with a batch.

    While it is counted, nothing is logged, metrics of torchmetrics, which read values and are no part of the
    network, are passed over, and there is no trainer, whose state would be counted through.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, batch: Any) -> Tensor:
        """The loss of a batch.

        Raises:
            DefinitionError: there is none, the module steps by itself, or takes an iterator.
        """
        step: Any = self.module.training_step
        takes = signature(step).parameters
        if not getattr(self.module, "automatic_optimization", True):
            raise DefinitionError("training_step optimizes by hand: give multiply_adds")
        if "dataloader_iter" in takes:
            raise DefinitionError("training_step takes an iterator of batches: give multiply_adds")
        output = step(batch, 0) if _takes_index(takes) else step(batch)
        loss = output.get("loss") if isinstance(output, Mapping) else output
        if not isinstance(loss, Tensor):
            raise DefinitionError("training_step gives no loss")
        return loss


def _takes_index(takes: Mapping[str, Parameter]) -> bool:
    """Whether Lightning hands on the index of the batch: behind the batch, whatever its name is."""
    kinds = [each.kind for each in takes.values()]
    return Parameter.VAR_POSITIONAL in kinds or sum(kind in POSITIONAL for kind in kinds) > 1


@contextmanager
def by_itself(step: nn.Module) -> Iterator[None]:
    """Let a Lightning module be counted without its trainer, which holds the data; others as they are."""
    if not isinstance(step, TrainingStep):
        yield
        return
    held: list[tuple[dict[str, Any], str, Any]] = []

    def put(where: nn.Module, name: str, value: Any) -> None:
        own = where.__dict__
        held.append((own, name, own.get(name, held)))
        own[name] = value

    try:
        for each in step.module.modules():
            if each is step.module or "_trainer" in each.__dict__:  # one that is held by another has it, too
                put(each, "_trainer", None)
                for name in LOGS:
                    put(each, name, _nothing)
            if type(each).__module__.startswith(METRICS):
                put(each, "forward", _no_metric)
                put(each, "update", _nothing)
                put(each, "compute", _no_metric)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the run itself says what there is to say
            yield
    finally:
        for own, name, value in reversed(held):
            if value is held:
                del own[name]
            else:
                own[name] = value


def _nothing(*_: Any, **__: Any) -> None:
    """In the place of what keeps values."""


def _no_metric(*_: Any, **__: Any) -> Tensor:
    return torch.zeros(())
