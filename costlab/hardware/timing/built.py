"""A target as it runs on this machine: its module with values, and inputs for it."""

import os
from copy import deepcopy
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.modules import to_module
from costlab.algebra.traced import Traced
from costlab.counting.count import Count
from costlab.errors import CostlabError, MeasureError, first_line
from costlab.targets.build import build
from costlab.targets.like import TargetLike
from costlab.targets.resolve import find_with_settings
from costlab.targets.torch_module import Factory, refuse_without_module
from costlab.tracing.process import evaluate

GENERATED = 0
"""The seed of weights and inputs."""


class Built(NamedTuple):
    """A module in eval mode, and what it is called with."""

    model: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def run_on(name: str) -> torch.device:
    """The device of a name, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        MeasureError: there is none of that name here.
    """
    kind, colon, number = str(name).partition(":")
    if kind not in ("cpu", "cuda") or (colon and (kind == "cpu" or not number.isdecimal())):
        raise MeasureError(f"{name} is no device to run on: give cpu, cuda or cuda:N")
    if kind == "cuda":
        there = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(number or 0) >= there:
            has = f"{there} GPUs" if there != 1 else "1 GPU"
            raise MeasureError(f"{name} is not there: torch {torch.__version__} sees {has} here")
    return torch.device(name)


def built(target: TargetLike, input: object, counted: Count, device: torch.device, settings: Any) -> Built:
    """The module of a target that was counted, with values, on a device; what the caller gave stays his.

    Raises:
        MeasureError: it cannot be built here.
    """
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(GENERATED)
            model = _model(target, input, counted, settings)
            evaluate(model)
            args, kwargs = _inputs(counted)
            return Built(model.to(device), *tree_map(partial(_moved, device=device), (args, kwargs)))
    except CostlabError:
        raise
    except Exception as error:
        raise MeasureError(f"{counted.label} cannot be built here: {first_line(error)}") from error


def memory() -> float:
    """The bytes of this machine's memory; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def weight_bytes(counted: Count) -> int:
    """The bytes of its parameters in float32."""
    return 4 * int(counted.inference.parameters)


def _moved(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, Tensor) else value


def _model(target: TargetLike, input: object, counted: Count, settings: Any) -> nn.Module:
    refuse_without_module(counted.root.block, counted.label, "measuring")
    need = weight_bytes(counted)
    if need > memory():
        raise MeasureError(
            f"{counted.label} cannot run here: its weights take {need / 1e9:,.0f} GB, more "
            "memory than there is"
        )
    if isinstance(find_with_settings(target, settings).subject, Factory):
        return build(target, input, **settings)
    if not isinstance(counted.root.block, Traced):
        return to_module(counted.root)
    given: nn.Module = counted.root.block.subject
    if any(each.is_meta for each in (*given.parameters(), *given.buffers())):
        raise MeasureError(f"{counted.label} cannot run: its weights are on meta, where they have no values")
    return deepcopy(given)


def _inputs(counted: Count) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Random numbers, zeros where only whole numbers will do, and tensors as they were given."""
    if not isinstance(counted.input, Inputs):
        return (torch.randn([int(counted.batch), *map(int, counted.input)]),), {}

    def made(value: Any) -> Any:
        if isinstance(value, TensorInput):
            dtype = getattr(torch, value.dtype)
            draw = torch.randn if dtype.is_floating_point or dtype.is_complex else torch.zeros
            return draw(tuple(value.sizes), dtype=dtype)
        is_empty = isinstance(value, Tensor) and value.is_meta
        return torch.zeros(value.shape, dtype=value.dtype) if is_empty else value

    def is_described(value: Any) -> bool:
        return isinstance(value, TensorInput)

    args, kwargs = tree_map(made, (counted.input.args, dict(counted.input.kwargs)), is_leaf=is_described)
    return args, kwargs
