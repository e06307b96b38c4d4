"""Switches of the process that a model sets are as they were after a count, also after one that fails."""

import os
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import module as modules
from torch.nn.utils import parametrize
from torch.utils import checkpoint

from costlab import count
from costlab.errors import TargetError
from costlab.tracing.switches import read_switches
from tests.sampling import one_in

BACKENDS: Any = torch.backends


def other_engine() -> Any:
    """An engine for quantized numbers that is not in use."""
    quantized = BACKENDS.quantized
    return next(each for each in quantized.supported_engines if each not in (quantized.engine, "none"))


SETS: dict[str, Callable[[], Any]] = {
    "gradients": lambda: torch.set_grad_enabled(False),
    "type": lambda: torch.set_default_dtype(torch.float64),
    "device": lambda: torch.set_default_device("meta"),
    "autocast": lambda: torch.set_autocast_enabled("cpu", True),
    "type of autocast": lambda: torch.set_autocast_dtype("cpu", torch.float16),
    "cache of autocast": lambda: torch.set_autocast_cache_enabled(False),
    "precision": lambda: torch.set_float32_matmul_precision("medium"),
    "precision of products": lambda: setattr(BACKENDS.cuda.matmul, "fp32_precision", "tf32"),
    "precision of convolutions": lambda: setattr(BACKENDS.cudnn.conv, "fp32_precision", "ieee"),
    "cudnn": lambda: setattr(BACKENDS.cudnn, "enabled", False),
    "benchmark": lambda: setattr(BACKENDS.cudnn, "benchmark", True),
    "cudnn's determinism": lambda: setattr(BACKENDS.cudnn, "deterministic", True),
    "mkldnn": lambda: setattr(BACKENDS.mkldnn, "enabled", False),
    "flash": lambda: BACKENDS.cuda.enable_flash_sdp(False),
    "memory": lambda: BACKENDS.cuda.enable_mem_efficient_sdp(False),
    "plain": lambda: BACKENDS.cuda.enable_math_sdp(False),
    "fast path": lambda: BACKENDS.mha.set_fastpath_enabled(False),
    "quantized": lambda: setattr(BACKENDS.quantized, "engine", other_engine()),
    "anomaly": lambda: torch.set_anomaly_enabled(True, False),
    "determinism": lambda: torch.use_deterministic_algorithms(True),
    "filling": lambda: setattr(torch.utils.deterministic, "fill_uninitialized_memory", False),
    "threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "warnings": lambda: torch.set_warn_always(True),
    "swapping": lambda: torch.__future__.set_swap_module_params_on_conversion(True),
    "denormal numbers": lambda: torch.set_flush_denormal(True),
    "printing": lambda: torch.set_printoptions(precision=2, sci_mode=True),  # type: ignore[no-untyped-call]  # torch leaves it without types
    "hooks": lambda: modules.register_module_forward_hook(lambda *_: None),
    "hooks before": lambda: modules.register_module_forward_pre_hook(lambda *_: None),
    "hooks back": lambda: modules.register_module_full_backward_hook(lambda *_: None),
    "hooks of parameters": lambda: modules.register_module_parameter_registration_hook(lambda *_: None),
    "checkpoints": lambda: setattr(checkpoint, "_enable_checkpoint_early_stop", False),
    "parametrizations": lambda: setattr(parametrize, "_cache_enabled", 1),
    "errors of numpy": lambda: np.seterr(all="raise"),
    "recursion": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 10),
    "folder": lambda: os.chdir("/"),
    "a variable": lambda: os.environ.update(COSTLAB_OF_A_TEST="1"),
    "no variable": lambda: os.environ.pop("PATH"),
    "random": lambda: (torch.manual_seed(5), random.seed(5)),
}


def switches() -> list[Any]:
    """All that can be read of them."""
    return [
        *read_switches(),
        *(torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_default_device()),
        *(torch.is_autocast_enabled("cpu"), torch.are_deterministic_algorithms_enabled()),
        *(BACKENDS.mkldnn.enabled, BACKENDS.mha.get_fastpath_enabled()),
        *(torch.get_rng_state().tolist(), random.getstate()),
        *(torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()),
    ]


class Sets(nn.Module):
    def __init__(self, sets: Callable[[], Any], fails: bool) -> None:
        super().__init__()
        self.layer, self.sets, self.fails = nn.Linear(4, 4), sets, fails

    def forward(self, x: Tensor) -> Any:
        y = self.layer(x)
        self.sets()
        if self.fails:
            raise ValueError("it fails")
        return y


@pytest.mark.parametrize("name", one_in(3, SETS))
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("backward", [False, True])
def test_a_switch_is_put_back(name: str, fails: bool, backward: bool) -> None:
    model, x = Sets(SETS[name], fails), torch.rand(2, 4)
    before = switches()
    try:
        if fails:
            with pytest.raises(TargetError, match="it fails"):
                count(model, x, backward=backward)
        else:
            assert count(model, x, backward=backward).multiply_adds == 32 * (2 if backward else 1)
    finally:
        assert switches() == before
