"""Imports while a model runs: they happen outside of the run, and torch's compiler stays out of it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

import torch

COMPILER = "torch._dynamo"


@contextmanager
def imports_outside() -> Iterator[None]:
    """What is imported within makes tensors as it would anywhere; what is compiled runs as it is written."""
    with ExitStack() as stack:

        def leave_compiler_out() -> None:
            stack.enter_context(torch.compiler.set_stance("force_eager"))

        if COMPILER in sys.modules:
            leave_compiler_out()
        finder = _Outside(leave_compiler_out)
        sys.meta_path.insert(0, finder)
        stack.callback(sys.meta_path.remove, finder)
        yield


class _Outside(MetaPathFinder):
    """Finds modules as Python does, and lets them be loaded without modes."""

    def __init__(self, with_compiler: Callable[[], None]) -> None:
        self._with_compiler = with_compiler

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        loader: Any = spec.loader if spec is not None else None
        if not hasattr(loader, "__dict__") or not hasattr(loader, "exec_module"):
            return None
        load = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module  # the class has it
            with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():
                load(module)
            if name == COMPILER:
                self._with_compiler()

        loader.exec_module = exec_module
        return spec
