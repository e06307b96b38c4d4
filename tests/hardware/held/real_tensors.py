"""What modules hold, measured on real tensors by hooks and weak references; nothing of costlab is in it."""

import gc
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Measured(NamedTuple):
    kept: int
    kept_input: int
    inference_peak: int
    step_peaks: dict[str, int]
    gradients: int
    state: int


def storages(values: Any) -> dict[int, Any]:
    found = [each.untyped_storage() for each in tree_leaves(values) if isinstance(each, torch.Tensor)]
    return {each._cdata: each for each in found}


class Allocations(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it without types
    def __init__(self, before: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it without types
        self.before = storages(before)
        self.now = 0
        self.peaks = {"forward": 0}
        self.sizes: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        for key, storage in storages(output).items():
            if key not in self.before and key not in self.sizes:
                self.sizes[key] = storage.nbytes()
                self.now += storage.nbytes()
                weakref.finalize(storage, self.free, key)
        phase = list(self.peaks)[-1]
        self.peaks[phase] = max(self.peaks[phase], self.now)
        return output

    def free(self, key: int) -> None:
        self.now -= self.sizes.pop(key)


@contextmanager
def as_costlab_runs() -> Iterator[None]:
    """Without the fused path of attention, and with nothing freed by chance."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        gc.enable()
        torch.backends.mha.set_fastpath_enabled(fast)


def outputs_of(output: Any) -> list[torch.Tensor]:
    leaves = [output] if isinstance(output, torch.Tensor) else tree_leaves(output)
    return [each for each in leaves if isinstance(each, torch.Tensor) and each.requires_grad]


def loss_of(output: torch.Tensor, targets: dict[Any, torch.Tensor]) -> torch.Tensor:
    if output.dim() < 2:
        return output.sum()
    sizes = (output.shape[0], *output.shape[2:])
    if sizes not in targets:
        targets[sizes] = torch.zeros(sizes, dtype=torch.int64)
    return nn.functional.cross_entropy(output, targets[sizes])


def step(
    model: nn.Module, args: Any, kwargs: Any, optimizer: Any, targets: Any, amp: bool, seen: Any
) -> None:
    with torch.autocast("cpu", torch.bfloat16, enabled=amp):
        output = model(*args, **kwargs)
        outputs = outputs_of(output)
        seen("loss")
        loss: Any = sum(
            weight * loss_of(each, targets)
            for weight, each in zip([1, *[0.4] * len(outputs)], outputs, strict=False)
        )
    seen("backward")
    loss.backward()
    seen("optimizer")
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


class Packed:
    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor


def measured(model: nn.Module, args: Any, kwargs: Any, make_optimizer: Any, amp: bool = False) -> Measured:
    own = [*model.parameters(), *model.buffers()]
    given = tree_leaves((args, kwargs))
    with as_costlab_runs():
        modes = {each: each.training for each in model.modules()}
        model.eval()
        allocations = Allocations([*own, *given])
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=amp), allocations:
            model(*args, **kwargs)
        for module, training in modes.items():
            module.training = training
        kept, kept_input = kept_by(model, args, kwargs, amp)
        optimizer = make_optimizer(model.parameters())
        targets: dict[Any, torch.Tensor] = {}
        gradients: list[int] = []
        step(model, args, kwargs, optimizer, targets, amp, lambda _: None)
        state = [each for held in optimizer.state.values() for each in held.values()]
        in_step = Allocations([*own, *given, *targets.values(), *state])

        def seen(phase: str) -> None:
            in_step.peaks[phase] = 0
            if phase == "optimizer":
                found = storages([each.grad for each in model.parameters() if each.grad is not None])
                gradients.append(sum(each.nbytes() for each in found.values()))

        with in_step:
            step(model, args, kwargs, optimizer, targets, amp, seen)
    return Measured(
        kept,
        kept_input,
        allocations.peaks["forward"],
        in_step.peaks,
        gradients[0],
        sum(each.nbytes() for each in storages(state).values()),
    )


def kept_by(model: nn.Module, args: Any, kwargs: Any, amp: bool) -> tuple[int, int]:
    packed: weakref.WeakSet[Packed] = weakref.WeakSet()

    def pack(tensor: torch.Tensor) -> Packed:
        made = Packed(tensor)
        packed.add(made)
        return made

    with torch.autocast("cpu", torch.bfloat16, enabled=amp):
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda each: each.tensor):
            output = model(*args, **kwargs)
        saved = storages([each.tensor for each in packed])
    del output
    came, there = storages((args, kwargs)), storages([*model.parameters(), *model.buffers()])
    return (
        sum(each.nbytes() for key, each in saved.items() if key not in came and key not in there),
        sum(each.nbytes() for key, each in saved.items() if key in came),
    )
