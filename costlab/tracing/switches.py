"""Switches of the process that a model may set while it runs: how each is read, and how it is set."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import _tensor_str
from torch.nn.modules import module as modules
from torch.nn.utils import parametrize
from torch.utils import checkpoint, deterministic

_HIDDEN: Any = torch._C  # torch leaves parts of it without types
_VARIABLES: dict[Any, Any] = vars(os.environ)["_data"]  # as they are kept: to decode them takes a while
SMALLEST = sys.float_info.min
PRECISIONS = (
    *((backend, "all") for backend in ("generic", "cuda", "mkldnn")),
    *((backend, part) for backend in ("cuda", "mkldnn") for part in ("matmul", "conv", "rnn")),
)
"""By what the precision of float32 is set: backends, and parts of them, which have it from those before."""
Switch = tuple[Callable[[], Any], Callable[[Any], Any]]


def _attribute(owner: Any, name: str) -> Switch:
    return partial(getattr, owner, name), partial(setattr, owner, name)


def _content(held: dict[Any, Any]) -> Switch:
    """What is in a dictionary, which stays the same one."""

    def fill(content: dict[Any, Any]) -> None:
        held.clear()
        held.update(content)

    return held.copy, fill


def _set_deterministic(value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


def _precisions() -> tuple[str | None, list[str]]:
    """How float32 may be rounded: as a whole, which is not known where parts were set, and in each part."""
    try:
        whole = torch.get_float32_matmul_precision()
    except RuntimeError:  # which says that parts were set, as torch recommends
        whole = None
    return whole, [_HIDDEN._get_fp32_precision_getter(*part) for part in PRECISIONS]


def _set_precisions(value: tuple[str | None, list[str]]) -> None:
    whole, parts = value
    if whole is not None:
        torch.set_float32_matmul_precision(whole)
    for part, precision in zip(PRECISIONS, parts, strict=True):
        if _HIDDEN._get_fp32_precision_getter(*part) != precision:  # most have it from the one above
            _HIDDEN._set_fp32_precision_setter(*part, precision)


def _set_device(context: Any) -> None:
    """Set the device that tensors are made on, by what torch keeps of it."""
    torch.set_default_device(None if context is None else context.device)


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it has been deleted
        return None


def _set_folder(folder: Path | None) -> None:
    if folder is not None:
        os.chdir(folder)


def _set_variables(variables: dict[Any, Any]) -> None:
    before = {os.fsdecode(name): os.fsdecode(value) for name, value in variables.items()}
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def _errors_of_numpy() -> Any:
    numpy: Any = sys.modules.get("numpy")
    return numpy.geterr() if numpy else None


def _set_errors_of_numpy(value: Any) -> None:
    if value is not None:
        sys.modules["numpy"].seterr(**value)


SWITCHES: tuple[Switch, ...] = (
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_default_dtype, torch.set_default_dtype),
    *(
        (partial(torch.get_autocast_dtype, device), partial(torch.set_autocast_dtype, device))
        for device in ("cpu", "cuda")
    ),
    (torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled),
    (_precisions, _set_precisions),
    (
        lambda: (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        _set_deterministic,
    ),
    _attribute(deterministic, "fill_uninitialized_memory"),
    (_HIDDEN._get_cudnn_enabled, _HIDDEN._set_cudnn_enabled),
    (_HIDDEN._get_cudnn_benchmark, _HIDDEN._set_cudnn_benchmark),
    (_HIDDEN._get_cudnn_deterministic, _HIDDEN._set_cudnn_deterministic),
    (_HIDDEN._get_mkldnn_enabled, _HIDDEN._set_mkldnn_enabled),
    (_HIDDEN._get_graph_executor_optimize, _HIDDEN._set_graph_executor_optimize),
    (torch.backends.mha.get_fastpath_enabled, torch.backends.mha.set_fastpath_enabled),
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
    (lambda: SMALLEST / 2 == 0, torch.set_flush_denormal),  # which torch does not tell
    (lambda: getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None), _set_device),
    _attribute(checkpoint, "_enable_checkpoint_early_stop"),
    _attribute(parametrize, "_cache_enabled"),
    _content(vars(_tensor_str.PRINT_OPTS)),
    *(
        _content(held) if isinstance(held, dict) else _attribute(modules, name)
        for name, held in vars(modules).items()
        if name.startswith("_global_")
    ),
    (_errors_of_numpy, _set_errors_of_numpy),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (_folder, _set_folder),
    (_VARIABLES.copy, _set_variables),
)
"""In the order in which they are put back."""


def read_switches() -> list[Any]:
    """The values of all of them."""
    return [read() for read, _ in SWITCHES]


def put_back(before: list[Any]) -> None:
    """Set what is no more as it was."""
    for (read, write), value in zip(SWITCHES, before, strict=True):
        if read() != value:
            write(value)
