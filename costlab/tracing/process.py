"""The process as it was after a run, whatever happens in it; and the module that a wrapper holds."""

import gc
import random
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import Any

import torch
from torch import nn

from costlab.tracing.imports import imports_outside
from costlab.tracing.switches import put_back, read_switches

ONE_RUN = RLock()
"""Held by the thread that counts: switches of the process are put back in order."""


@contextmanager
def process_restored() -> Iterator[None]:
    """Put back the random states, gradient mode and switches of the process; run compiled code as written."""
    with ONE_RUN, ExitStack() as stack:
        if gc.isenabled():  # a run keeps what it makes: to look for garbage means to go through all of torch
            gc.disable()
            stack.callback(gc.enable)
        stack.callback(torch.set_rng_state, torch.get_rng_state())
        if torch.cuda.is_available():
            stack.callback(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
        stack.callback(random.setstate, random.getstate())
        if numpy := sys.modules.get("numpy"):
            stack.callback(numpy.random.set_state, numpy.random.get_state())
        stack.callback(put_back, read_switches())
        stack.enter_context(torch.inference_mode(False))  # in which there are no gradients to count
        torch.backends.mha.set_fastpath_enabled(False)  # its one operation would hide what is in it
        torch._C._set_mkldnn_enabled(False)  # recurrent layers run as products, whose gradients are seen
        # What is scripted runs as it is written, and learns nothing from the run.
        torch._C._set_graph_executor_optimize(False)
        stack.enter_context(imports_outside())
        stack.enter_context(warnings.catch_warnings())
        for told in TOLD:
            warnings.filterwarnings("ignore", told)
        stack.callback(_forget_told, _told())
        yield


TOLD = (
    r"Using `torch\.compile\(module\)` when there are global hooks",
    r"flex_attention called without torch\.compile",
)
"""Warnings about how a model runs, which a count has no use for."""
FLEX = "torch.nn.attention.flex_attention"


def _told() -> set[str]:
    """What torch's flex_attention has warned of: it does so once in a process."""
    flex: Any = sys.modules.get(FLEX)
    return set(flex._WARNINGS_SHOWN) if flex else set()


def _forget_told(before: set[str]) -> None:
    flex: Any = sys.modules.get(FLEX)
    if flex:
        flex._WARNINGS_SHOWN &= before


def unwrapped(model: nn.Module) -> nn.Module:
    """The module inside a wrapper such as torch.compile or DataParallel."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def run_as_written(modules: Iterable[nn.Module]) -> None:
    """Let no module run what `nn.Module.compile` made of it."""
    for module in modules:
        if module.__dict__.get("_compiled_call_impl") is not None:
            module.__dict__["_compiled_call_impl"] = None


def evaluate(model: nn.Module, modules: Iterable[nn.Module] | None = None) -> None:
    """Put a module into eval mode, if one of its ``modules``, that are all in it, is not.

    One that torch.export made has no other mode, and raises when it is set.
    """
    if not any(getattr(module, "training", True) for module in modules or model.modules()):
        return
    try:
        model.eval()
    except NotImplementedError:
        for module in model.modules():
            module.training = False
