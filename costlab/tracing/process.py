"""The process as it was after a run, whatever happens in it; and the module that a wrapper holds."""

import gc
import random
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import RLock
from typing import Any

import torch
from torch import nn

from costlab.tracing.imports import imports_outside


def _set_device(context: Any) -> None:
    """Set the device that tensors are made on, by what torch keeps of it."""
    torch.set_default_device(None if context is None else context.device)


_HIDDEN: Any = torch._C  # torch leaves parts of it without types
SWITCHES: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    *(
        (
            partial(torch.get_autocast_dtype, device),
            partial(torch.set_autocast_dtype, device),
        )
        for device in ("cpu", "cuda")
    ),
    (torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (_HIDDEN._get_cudnn_enabled, _HIDDEN._set_cudnn_enabled),
    (_HIDDEN._get_cudnn_benchmark, _HIDDEN._set_cudnn_benchmark),
    (_HIDDEN._get_cudnn_deterministic, _HIDDEN._set_cudnn_deterministic),
    (_HIDDEN._get_flash_sdp_enabled, _HIDDEN._set_sdp_use_flash),
    (_HIDDEN._get_mem_efficient_sdp_enabled, _HIDDEN._set_sdp_use_mem_efficient),
    (_HIDDEN._get_math_sdp_enabled, _HIDDEN._set_sdp_use_math),
    (
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda value: torch.set_anomaly_enabled(*value),
    ),
    (
        torch.__future__.get_swap_module_params_on_conversion,
        torch.__future__.set_swap_module_params_on_conversion,
    ),
    (_HIDDEN._get_qengine, _HIDDEN._set_qengine),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.is_warn_always_enabled, torch.set_warn_always),
    (
        partial(getattr, torch.utils.deterministic, "fill_uninitialized_memory"),
        partial(setattr, torch.utils.deterministic, "fill_uninitialized_memory"),
    ),
    (lambda: getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None), _set_device),
)
"""Switches of the process that a model may set: how each is read, and how it is set."""
ONE_RUN = RLock()
"""Held by the thread that counts: switches of the process are put back in order."""


def _put_back(before: list[Any]) -> None:
    """Set what is no more as it was."""
    for (read, write), value in zip(SWITCHES, before, strict=True):
        if read() != value:
            write(value)


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
        stack.callback(_put_back, [read() for read, _ in SWITCHES])
        stack.callback(torch.set_grad_enabled, torch.is_grad_enabled())
        stack.enter_context(torch.inference_mode(False))  # in which there are no gradients to count
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        warned = torch.is_deterministic_algorithms_warn_only_enabled()
        strict = torch.are_deterministic_algorithms_enabled()
        stack.callback(torch.use_deterministic_algorithms, strict, warn_only=warned)
        _set(stack, torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled, False)
        # Recurrent layers run as products of matrices then, whose gradients are seen.
        _set(stack, torch._C._get_mkldnn_enabled, torch._C._set_mkldnn_enabled, False)
        # What is scripted runs as it is written, and learns nothing from the run.
        _set(stack, torch._C._get_graph_executor_optimize, torch._C._set_graph_executor_optimize, False)
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
