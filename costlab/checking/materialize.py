"""A count's module with tensors that have values, and inputs for it, so that it can run."""

import os
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.modules import to_module
from costlab.algebra.traced import Traced
from costlab.counting.count import Count
from costlab.errors import CostlabError, TargetError, first_line
from costlab.targets.torch_module import refuse_without_module
from costlab.tracing.process import evaluate


class PositionalModule(nn.Module):
    """A module that takes in their order what it has by name, too, as the tools hand it over."""

    def __init__(self, module: nn.Module, kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.module = module
        self.names = [name for name, value in kwargs.items() if isinstance(value, Tensor)]
        self.others = {name: value for name, value in kwargs.items() if name not in self.names}

    def forward(self, *args: Any) -> Any:
        first = len(args) - len(self.names)
        named = dict(zip(self.names, args[first:], strict=True))
        return self.module(*args[:first], **named, **self.others)


def runnable(count: Count) -> tuple[nn.Module, tuple[Any, ...]]:
    """The module that was counted, in eval mode, and its inputs, zeros where only sizes were given.

    Raises:
        DefinitionError: the count is for symbols or arrays, or of a graph, which holds no module.
        TargetError: it cannot be built on this machine.
    """
    refuse_without_module(count.root.block, count.label, "what runs it for a check")
    try:
        with torch.no_grad():
            return _runnable(count)
    except CostlabError:
        raise
    except Exception as error:
        raise TargetError(f"{count.label} cannot be built here: {first_line(error)}") from error


def _runnable(count: Count) -> tuple[nn.Module, tuple[Any, ...]]:
    if not isinstance(count.input, Inputs):
        return to_module(count.root).eval(), (torch.zeros([int(count.batch), *map(int, count.input)]),)
    assert isinstance(count.root.block, Traced)
    model = _copied(count.root.block.subject)
    if not count.is_step:
        evaluate(model)
    args, kwargs = _real(count.input.args), _real(dict(count.input.kwargs))
    if not kwargs:
        return model, args
    called = PositionalModule(model, kwargs)
    return called, (*args, *(kwargs[name] for name in called.names))


def _copied(model: nn.Module) -> nn.Module:
    """A copy with values, zeros where there are none; tensors that are held twice are, too."""
    tensors = {id(each): each for module in model.modules() for each in _held_by(module)}
    need = sum(each.numel() * each.element_size() for each in tensors.values() if each.is_meta)
    if need > _memory():
        raise TargetError(
            f"{type(model).__name__} cannot run here: its weights take {_gigabytes(need)}, more memory than "
            "there is; it can be counted, but not run"
        )
    known = {
        name: torch.zeros(each.shape, dtype=each.dtype) if each.is_meta else each.detach().clone()
        for name, each in tensors.items()
        if each.is_meta or not each.is_leaf  # what deepcopy refuses
    }
    for name, each in known.items():
        if isinstance(tensors[name], nn.Parameter):
            known[name] = nn.Parameter(each, requires_grad=tensors[name].requires_grad)
    return deepcopy(model, dict(known))


def _held_by(module: nn.Module) -> Iterator[Tensor]:
    held = module.__dict__
    for value in (*held["_parameters"].values(), *held["_buffers"].values(), *held.values()):
        if isinstance(value, Tensor):
            yield value


def _memory() -> float:
    """The bytes of this machine's memory; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _gigabytes(size: int) -> str:
    """A size in gigabytes."""
    return f"{size / 1e9:,.0f} GB"


def _real(value: Any) -> Any:
    if isinstance(value, TensorInput):
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
