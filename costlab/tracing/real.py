"""What was counted as something that runs: the module with tensors that have values, and inputs for it."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from costlab.algebra.inputs import Inputs
from costlab.algebra.inputs import Tensor as Asked
from costlab.algebra.modules import to_module
from costlab.algebra.ran import Ran
from costlab.counting.count import Count
from costlab.errors import CostlabError, TargetError, one_line


class Called(nn.Module):
    """A module that is called with what has names in it, too."""

    def __init__(self, module: nn.Module, kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.module = module
        self._kwargs = kwargs

    def forward(self, *args: Any) -> Any:
        return self.module(*args, **self._kwargs)


def runnable(count: Count) -> tuple[nn.Module, tuple[Any, ...]]:
    """The module that was counted, in eval mode, and its inputs, zeros where only sizes were given.

    Raises:
        DefinitionError: the count is for symbols or arrays.
        TargetError: it cannot be built on this machine.
    """
    try:
        with torch.no_grad():
            return _runnable(count)
    except CostlabError:
        raise
    except Exception as error:
        told = str(error).partition("\n")[0]  # torch adds its C++ frames
        raise TargetError(
            f"{count.label} cannot be built here: {type(error).__name__}: {one_line(told)}"
        ) from error


def _runnable(count: Count) -> tuple[nn.Module, tuple[Any, ...]]:
    if not isinstance(count.input, Inputs):
        return to_module(count.root).eval(), (torch.zeros([int(count.batch), *map(int, count.input)]),)
    assert isinstance(count.root.block, Ran)
    model: nn.Module = deepcopy(count.root.block.subject).eval()
    if any(each.is_meta for each in (*model.parameters(), *model.buffers())):
        model = model.to_empty(device="cpu")
        for each in (*model.parameters(), *model.buffers()):
            each.zero_()
    args, kwargs = _real(count.input.args), _real(dict(count.input.kwargs))
    return (Called(model, kwargs) if kwargs else model), args


def _real(value: Any) -> Any:
    if isinstance(value, Asked):
        return torch.zeros(tuple(value.sizes), dtype=getattr(torch, value.dtype))
    if isinstance(value, Tensor):
        return torch.zeros(value.shape, dtype=value.dtype) if value.is_meta else value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_real, value))
    if isinstance(value, tuple | list):
        return type(value)(map(_real, value))
    if isinstance(value, dict):
        return {key: _real(each) for key, each in value.items()}
    return value
