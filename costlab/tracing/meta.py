"""Stand-ins on the meta device, and a module and process restored after a run, whatever happens in it."""

import gc
import random
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

SCALARS = frozenset([type(None), bool, int, float, str])
"""Types of values that hold nothing: most attributes of a module are of these."""
CONTAINERS = (dict, list, set, deque)
"""Containers whose contents are put back, too."""


class StandIns:
    """Tensors and their stand-ins on torch's meta device, which have sizes and no values; one for each."""

    def __init__(self, backward: bool) -> None:
        self._backward = backward
        self._known: dict[int, tuple[Tensor, Tensor]] = {}
        self.owners: dict[int, Tensor] = {}  # by the id of the stand-in, the parameter

    def __call__(self, tensor: Tensor) -> Tensor:
        """The stand-in of a tensor."""
        known = self._known.get(id(tensor))
        if known is None:
            known = self._known[id(tensor)] = (tensor, self._made(tensor))
        return known[1]

    def of_parameter(self, parameter: Tensor) -> Tensor:
        """The stand-in of a parameter that the model holds."""
        made = self(parameter)
        self.owners[id(made)] = parameter
        return made

    def _made(self, tensor: Tensor) -> Tensor:
        made: Tensor
        differentiable = self._backward and tensor.requires_grad
        if tensor.is_sparse or tensor.is_quantized or tensor.layout is not torch.strided:
            made = torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
        else:
            made = torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype, device="meta")
        return made.requires_grad_() if differentiable else made

    def in_value(self, value: Any) -> Any:
        """A value with the tensors in it replaced, in tuples, lists and dictionaries too."""
        if isinstance(value, Tensor):
            return self(value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self.in_value, value))
        if type(value) in (tuple, list):
            return type(value)(map(self.in_value, value))
        if type(value) is dict:
            return {key: self.in_value(each) for key, each in value.items()}
        return value


@contextmanager
def weightless(model: nn.Module, stand_ins: StandIns) -> Iterator[None]:
    """Let the modules of ``model`` hold stand-ins instead of tensors; afterwards they are as they were."""
    modules = list(model.modules())
    before = [(module, type(module), dict(module.__dict__), _contents(module)) for module in modules]
    try:
        for module in modules:
            _replace(module, stand_ins)
        yield
    finally:
        for module, kind, attributes, contents in before:
            if type(module) is not kind:
                module.__class__ = kind
            module.__dict__.clear()
            module.__dict__.update(attributes)
            for held, content in contents:
                _refill(held, content)


def _replace(module: nn.Module, stand_ins: StandIns) -> None:
    held = module.__dict__
    for tensors, stand_in in ((held["_parameters"], stand_ins.of_parameter), (held["_buffers"], stand_ins)):
        for name, tensor in tensors.items():
            if tensor is not None:
                tensors[name] = stand_in(tensor)
    for name, value in held.items():
        if isinstance(value, Tensor):
            held[name] = stand_ins(value)
        elif type(value) in (list, tuple) and value and isinstance(value[0], Tensor):
            held[name] = stand_ins.in_value(value)
    if held.get("_compiled_call_impl") is not None:
        held["_compiled_call_impl"] = None


def _contents(module: nn.Module) -> list[tuple[Any, Any]]:
    """The containers among a module's attributes, and within these, with what they hold.

    The attributes of an object count as one if it comes from the same package as the module, as a cache does.
    """
    found: dict[int, tuple[Any, Any]] = {}
    package = _package(module)
    pending = list(module.__dict__.values())
    while pending:
        value = pending.pop()
        if type(value) in SCALARS:
            continue
        if isinstance(value, CONTAINERS) and id(value) not in found:
            found[id(value)] = value, value.copy() if value else ()
            if value:
                pending += value.values() if isinstance(value, dict) else value
        elif isinstance(value, tuple):
            pending += value
        elif not isinstance(value, Tensor | nn.Module | type) and _package(value) == package:
            pending.append(getattr(value, "__dict__", ()))
    return list(found.values())


def _package(value: object) -> str:
    return type(value).__module__.partition(".")[0]


def _refill(held: Any, content: Any) -> None:
    if not held and not content:
        return
    held.clear()
    (held.extend if isinstance(held, list | deque) else held.update)(content)


@contextmanager
def process_restored() -> Iterator[None]:
    """Put back the random states, gradient mode and switches of the process; run compiled code as written."""
    with ExitStack() as stack:
        if gc.isenabled():  # a run keeps what it makes: to look for garbage means to go through all of torch
            gc.disable()
            stack.callback(gc.enable)
        stack.callback(torch.set_rng_state, torch.get_rng_state())
        if torch.cuda.is_available():
            stack.callback(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
        stack.callback(random.setstate, random.getstate())
        if numpy := sys.modules.get("numpy"):
            stack.callback(numpy.random.set_state, numpy.random.get_state())
        stack.callback(torch.set_grad_enabled, torch.is_grad_enabled())
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        warned = torch.is_deterministic_algorithms_warn_only_enabled()
        strict = torch.are_deterministic_algorithms_enabled()
        stack.callback(torch.use_deterministic_algorithms, strict, warn_only=warned)
        _set(stack, torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled, False)
        if "torch._dynamo" in sys.modules:
            stack.enter_context(torch.compiler.set_stance("force_eager"))
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", r"Using `torch\.compile\(module\)` when there are global hooks")
        yield


def _set(stack: ExitStack, read: Callable[[], Any], write: Callable[[Any], None], value: Any) -> None:
    stack.callback(write, read())
    write(value)


def unwrapped(model: nn.Module) -> nn.Module:
    """The module inside a wrapper such as torch.compile or DataParallel."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def evaluate(model: nn.Module) -> None:
    """Put a module into eval mode; one that torch.export made has no other, and raises when it is set."""
    try:
        model.eval()
    except NotImplementedError:
        for module in model.modules():
            module.training = False
