"""Sharded modules: they are counted whole, as the module that was sharded."""

import sys
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from costlab.errors import DefinitionError
from costlab.tracing.stand_in import StandIn, stand_in

SHARDED = "torch.distributed."
FLAT = "FullyShardedDataParallel"


def whole_stand_in(tensor: Any, local: StandIn) -> StandIn:
    """A tensor of all shards; it has the values of this one's where it is the only one."""
    made = stand_in(tensor.size(), tensor.dtype, tensor.device, tensor.stride(), tensor.requires_grad)
    if local.size() == made.size():
        made.original = local.original
    if isinstance(tensor, nn.Parameter):
        made._is_param = True
    return made


def local_part(tensor: Tensor) -> Tensor | None:
    """What this process has of a tensor; None of one that is not distributed."""
    return getattr(tensor, "_local_tensor", None) if "torch.distributed.tensor" in sys.modules else None


def run_whole(modules: Iterable[nn.Module]) -> None:
    """Leave out what gathers, places and frees shards: hooks of torch's, which stand beside the user's.

    Raises:
        DefinitionError: parameters are in one flat tensor.
    """
    if "torch.distributed.tensor" not in sys.modules and "torch.distributed.fsdp" not in sys.modules:
        return
    for module in modules:
        if type(module).__name__ == FLAT and type(module).__module__.startswith(SHARDED):
            raise DefinitionError(
                f"{FLAT} keeps parameters in a flat tensor: count the module before it is wrapped"
            )
        for hooks in (module._forward_pre_hooks, module._forward_hooks):
            for key in [key for key, hook in hooks.items() if _is_torchs(hook)]:
                del hooks[key]


def _is_torchs(hook: Any) -> bool:
    return str(getattr(hook, "__module__", "")).startswith(SHARDED)
