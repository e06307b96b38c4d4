"""Modules whose sizes are not known yet: a copy of the model gets them as from a first run."""

import copy
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from typing import Any

import torch
from torch import Tensor, nn

from costlab.errors import DefinitionError
from costlab.tracing.holdings import Holdings
from costlab.tracing.intercepted import intercepts
from costlab.tracing.module_tracker import ModuleTracker, Named, named_modules
from costlab.tracing.process import evaluate, process_restored, run_as_written
from costlab.tracing.sizes import Products
from costlab.tracing.stand_in import LARGE, StandIn, Uninitialized
from costlab.tracing.stand_ins import StandIns
from costlab.tracing.trace import Trace


@intercepts(Tensor.data.__get__)  # type: ignore[attr-defined]  # a descriptor has one
def data(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What is in a tensor; one without sizes is asked for its device and type in this way."""
    if not isinstance(args[0], Uninitialized):
        return func(*args)
    with torch._C._DisableTorchDispatch():
        return func(*args)


def has_lazy(modules: Iterable[nn.Module]) -> bool:
    """Whether one of some modules holds a parameter or buffer without sizes."""
    return any(
        isinstance(each, Uninitialized)
        for module in modules
        for each in (*module._parameters.values(), *module._buffers.values())
    )


def initialized(
    model: nn.Module, inputs: Callable[[Holdings, StandIns], tuple[Any, ...]], evaluated: bool
) -> tuple[nn.Module, Named]:
    """A model and its modules; of one with lazy modules a copy, with the sizes that a first run gives it.

    The copy shares the tensors of the model, which have values; those that got their sizes have none. Where
    the first run fails, its copy is as it was then, and fails in the same way.

    Raises:
        DefinitionError: it cannot be copied.
    """
    named = named_modules(model)
    if not has_lazy(module for _, module in named):
        return model, named
    stand_ins = StandIns()
    originals: dict[int, Tensor] = {}
    memo: dict[int, Any] = {}

    def take(tensor: Tensor) -> Tensor:
        if id(tensor) not in memo:
            memo[id(tensor)] = made = _copied(tensor, stand_ins)
            if isinstance(made, StandIn):
                originals[id(made)] = tensor
        return tensor

    with closing(Holdings()) as held:
        held.replaced(model, take)
    try:
        copied = copy.deepcopy(model, memo)
    except Exception as error:
        raise DefinitionError(
            f"{type(model).__name__}: it has lazy modules and cannot be copied ({type(error).__name__}): "
            "run it once, then count it"
        ) from error
    with process_restored(), closing(Holdings()) as holdings:
        modules = list(copied.modules())
        run_as_written(modules)
        if evaluated:
            evaluate(copied, modules)
        args, kwargs = inputs(holdings, stand_ins)
        trace = Trace(ModuleTracker(copied, named_modules(copied)), stand_ins, 1, Products(followed=False))
        with suppress(Exception):  # the count says what is wrong
            trace.run(lambda: copied(*args, **kwargs))
    training = {name: module.training for name, module in model.named_modules()}
    for name, module in copied.named_modules():
        module.training = training.get(name, module.training)
    Holdings().replaced(copied, lambda each: originals.get(id(each), each))
    return copied, named_modules(copied)


def _copied(tensor: Tensor, stand_ins: StandIns) -> Tensor:
    kind: Any = type(tensor)
    if issubclass(kind, Uninitialized):
        return kind(tensor.requires_grad, device="meta", dtype=tensor.data.dtype)  # type: ignore[no-any-return]  # no type is known
    return (
        stand_ins.of_parameter(tensor) if isinstance(tensor, nn.Parameter) else stand_ins(tensor, limit=LARGE)
    )
