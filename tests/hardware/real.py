"""What a module holds as it really runs, on tensors with values: nothing here knows costlab's own account."""

import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def storage(tensor: Tensor) -> int:
    """What tells the memory of a tensor from that of others while it is alive."""
    return int(tensor.untyped_storage()._cdata)


class Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it so
    """The bytes of all storages that operators made and that are still alive, and the most there were."""

    def __init__(self, there: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it so
        self.there = set(map(storage, there))
        self.sizes: dict[int, int] = {}
        self.now = self.peak = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._add(leaf)
        self.peak = max(self.peak, self.now)
        return result

    def _add(self, tensor: Tensor) -> None:
        key, held = storage(tensor), tensor.untyped_storage()
        if key in self.there or key in self.sizes:
            return
        self.sizes[key] = held.nbytes()
        self.now += held.nbytes()
        weakref.finalize(held, self._gone, key)

    def _gone(self, key: int) -> None:
        self.now -= self.sizes.pop(key)


class Step(NamedTuple):
    kept: int
    of_input: int
    peak: int
    state: int


def kept_by(module: nn.Module, *inputs: Tensor) -> tuple[int, int]:
    """The bytes that autograd keeps of a forward pass, beside what it holds: all others, the input."""
    own = set(map(storage, (*module.parameters(), *module.buffers())))
    given = set(map(storage, inputs))
    seen: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        if storage(tensor) not in own:
            seen[storage(tensor)] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = module(*inputs)
    sizes = {key: tensor.untyped_storage().nbytes() for key, tensor in seen.items()}
    del output
    return (
        sum(size for key, size in sizes.items() if key not in given),
        sum(size for key, size in sizes.items() if key in given),
    )


def step_of(
    module: nn.Module, inputs: tuple[Tensor, ...], optimizer: Callable[[Any], torch.optim.Optimizer]
) -> Step:
    """A step of training, the second one, when the optimizer has its state."""
    module.train()
    kept, of_input = kept_by(module, *inputs)
    made = optimizer(module.parameters())
    with torch.no_grad():
        outputs = outputs_of(module(*inputs))
    targets = [torch.zeros(each[:, 0].shape, dtype=torch.int64) for each in outputs]
    _step(module, inputs, targets, made)
    state = [each for held in made.state.values() for each in held.values() if isinstance(each, Tensor)]
    del outputs
    alive = Alive((*module.parameters(), *module.buffers(), *inputs, *targets, *state))
    with alive:
        _step(module, inputs, targets, made)
    sizes = {storage(each): each.untyped_storage().nbytes() for each in state}
    return Step(kept, of_input, alive.peak, sum(sizes.values()))


def outputs_of(output: Any) -> list[Tensor]:
    """What a module puts out, the main output first."""
    return [each for each in tree_leaves(output) if isinstance(each, Tensor)]


def _step(module: Any, inputs: Any, targets: list[Tensor], optimizer: torch.optim.Optimizer) -> None:
    outputs = outputs_of(module(*inputs))
    weights = (1, *(0.4 for _ in outputs[1:]))
    loss = sum(
        weight * cross_entropy(output, target)
        for weight, output, target in zip(weights, outputs, targets, strict=True)
    )
    assert isinstance(loss, Tensor)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it so
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def inference_peak(module: nn.Module, *inputs: Tensor) -> int:
    """The most bytes that are alive in a forward pass without gradients, beside what was there before."""
    module.eval()
    alive = Alive((*module.parameters(), *module.buffers(), *inputs))
    with torch.no_grad(), alive:
        module(*inputs)
    return alive.peak
