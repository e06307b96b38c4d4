"""Tracks which module is running, by the path of its call."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.utils import checkpoint

from costlab.algebra.shape import Sizes
from costlab.algebra.traced import ModuleCall
from costlab.errors import DefinitionError, one_line
from costlab.tracing.fast_path import is_fused
from costlab.tracing.holdings import tensors_within

Named: TypeAlias = list[tuple[str, nn.Module]]
"""The modules of a model, itself the first, by each path that they have."""

STOPS: Any = vars(checkpoint)["_StopRecomputationError"]  # torch's stubs lack it
"""What ends the second run of a checkpoint once all that is wanted of it is there: no failure."""


def named_modules(model: nn.Module) -> Named:
    """The modules of a model by each of their paths, which are those of `nn.Module.named_modules`.

    Raises:
        DefinitionError: it holds as a module what is none.
    """
    try:
        return list(model.named_modules(remove_duplicate=False))
    except (TypeError, AttributeError) as error:  # what was put among its modules is none, or has no name
        raise DefinitionError(
            f"{type(model).__name__}: its modules cannot be told: {one_line(error)}"
        ) from error


class ModuleTracker:
    """The modules that are running, outermost first."""

    def __init__(self, model: nn.Module, named: Named, *, backward: bool = False) -> None:
        self.backward = backward
        self.named = named
        self._names: dict[int, list[str]] = {}
        for name, module in self.named:
            self._names.setdefault(id(module), []).append(name)
        self._known: dict[tuple[int, str], tuple[str, nn.Module]] = {}  # held, so that ids stay their own
        self._running: list[tuple[str, nn.Module]] = [("", model)]
        self._calls = [ModuleCall()]
        self._before: list[BaseException | None] = [None]
        shared = any(len(names) > 1 for names in self._names.values())
        self.places = places_of(model) if shared else dict.fromkeys(self._names, 1)
        self._failed: tuple[BaseException, str] | None = None
        self._thread = get_ident()
        self.outputs: dict[str, Sizes] = {}
        """What came out of modules on the way forward, by path: only where their operations do not say it."""
        self.on_enter: Any = None
        self.on_leave: Any = None

    @property
    def path(self) -> str:
        """The path of the module that is running."""
        return self._running[-1][0]

    @property
    def title(self) -> str:
        """The class of the whole model."""
        return type(self.model).__name__

    @property
    def model(self) -> nn.Module:
        """The whole model."""
        return self._running[0][1]

    @property
    def module(self) -> nn.Module:
        """The module that is running."""
        return self._running[-1][1]

    @property
    def call(self) -> ModuleCall:
        """The call of the module that is running."""
        return self._calls[-1]

    @property
    def places_within(self) -> int:
        """The places of the innermost module that is running and part of the model."""
        known = self.places.get(id(self.module))
        if known is not None:
            return known
        return next(self.places[id(each)] for _, each in reversed(self._running) if id(each) in self.places)

    def path_in_reach(self, module: nn.Module) -> str:
        """The path of a module that is called from the running one; of a shared module, the nearest."""
        names = self._names.get(id(module), ())
        if len(names) == 1:
            return names[0]
        here = self.path
        key = (id(module), here)
        if key not in self._known:
            names = names or [f"{here}.{type(module).__name__}".lstrip(".")]
            below = [name for name in names if not here or name.startswith(f"{here}.")]
            self._known[key] = (below or names)[0], module
        return self._known[key][0]

    def path_of(self, error: BaseException) -> str:
        """The path of the module that an error comes from."""
        known = self._failed is not None and self._failed[0] in (error, error.__cause__)
        return self._failed[1] if self._failed and known else self.path

    def note_failure(self, error: BaseException, path: str | None = None) -> None:
        """An error comes from the running module, or one with a ``path``, unless it came from one before."""
        if isinstance(error, STOPS):
            return  # and is not held, since its frames hold what ran in them
        if self._failed is None or self._failed[0] is not error:
            self._failed = error, self.path if path is None else path

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow every call of a module within."""
        first = hooks.register_module_forward_pre_hook(self._enter)
        last = hooks.register_module_forward_hook(self._leave, with_kwargs=True, always_call=True)
        try:
            yield
        finally:
            first.remove()
            last.remove()
            hooks._global_forward_hooks_with_kwargs.pop(last.id, None)  # which torch forgets

    def _enter(self, module: nn.Module, args: Any) -> None:
        if get_ident() != self._thread:  # torch's hooks are called for the modules of all threads
            return
        path = self.path_in_reach(module)
        self._running.append((path, module))
        self._calls.append(ModuleCall(() if module._modules else _first_sizes(args[:1]), self._calls[-1]))
        self._before.append(sys.exc_info()[1])
        if self.on_enter:
            self.on_enter(module)

    def _leave(self, module: nn.Module, args: Any, *rest: Any) -> None:
        if get_ident() != self._thread:
            return
        error = sys.exc_info()[1]
        failing = False
        while len(self._running) > 1:
            path, left = self._running.pop()
            call = self._calls.pop()
            # A module may run while an error is handled; one that it raises itself is another.
            before = self._before.pop()
            if error is not None and error is not before:
                failing = True
                self.note_failure(error, path)
            if left is module:
                leaf = module._parameters and not module._modules
                call.output = _first_sizes(rest[-1]) if leaf else ()
                call.fused = not self.backward and is_fused(module, args, rest[0] if len(rest) > 1 else {})
                if not failing and (self.backward or module._modules or not _is_plain(module)):
                    self._note_output(path, rest[-1])
                break
        if self.on_leave:
            kwargs = rest[0] if len(rest) > 1 else {}  # torch leaves them out when something fails
            self.on_leave(module, args, kwargs, rest[-1], failing)

    def _note_output(self, path: str, output: Any) -> None:
        with torch._C.DisableTorchFunction():  # no call of the model's
            first = output if isinstance(output, Tensor) else next(tensors_within(output), None)
            if first is not None and not first.is_nested:
                self.outputs[path] = Sizes(*first.shape)


def _is_plain(module: nn.Module) -> bool:
    """Whether a module is one of torch's own."""
    return type(module).__module__.startswith("torch.nn.modules.")


def places_of(model: nn.Module) -> dict[int, int]:
    """How often a walk from each module to its children comes to a module, by the id of the module.

    A child that a module holds under two names is one child.
    """
    order: list[nn.Module] = []
    seen: set[int] = set()
    pending = [(model, False)]
    while pending:
        module, done = pending.pop()
        if done:
            order.append(module)
        elif id(module) not in seen:
            seen.add(id(module))
            pending.append((module, True))
            pending += [(child, False) for child in module.children()]
    places = dict.fromkeys(seen, 0)
    places[id(model)] = 1
    for module in reversed(order):  # those that hold a module come before it
        for child in module.children():
            places[id(child)] += places[id(module)]
    return places


def _first_sizes(value: Any) -> tuple[int, ...]:
    """The sizes of the first tensor in a tuple or list, of the last value of a dictionary."""
    while not isinstance(value, Tensor):
        if isinstance(value, dict) and value:
            value = list(value.values())[-1]
        elif isinstance(value, (tuple, list)) and value:
            value = value[0]
        else:
            return ()
    with torch._C.DisableTorchFunction():  # no call of the model's
        return () if value.is_nested else tuple(value.shape)
