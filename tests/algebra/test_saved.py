"""What every operation class says that it holds, against torch, over a sampled product of its parameters.

Real tensors are the oracle: hooks that see what autograd saves, storages told apart by identity, and the
bytes that are alive after each operator.
"""

from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from costlab.algebra import AnyShape, BatchNorm2d, MaxPool2d, Operation
from costlab.algebra.saved import Saved
from tests.algebra.test_operations import accepted, every_class
from tests.hardware.real import Alive, storage

CASES = 24
FLOAT, INT64 = 4, 8


@cache
def cases(cls: type[Operation]) -> list[tuple[Operation, AnyShape, int]]:
    """Operations, shapes and batches on which torch trains them."""
    found = []
    for number, (operation, x) in enumerate(accepted(cls)):
        batch = number % 2 + 1
        one_value = isinstance(operation, BatchNorm2d) and batch * x.height * x.width == 1  # type: ignore[union-attr]  # a map
        if not one_value and not sees_only_zeros(operation):
            found.append((operation, x, batch))
    return found[:: max(1, len(found) // CASES)]


def sees_only_zeros(operation: Operation) -> bool:
    """Whether a window may lie in the padding: there torch writes a gradient where no memory is."""
    dilated = isinstance(operation, MaxPool2d) and operation.dilation != (1, 1)
    return dilated and getattr(operation, "padding", None) != (0, 0)


class Seen(NamedTuple):
    input: bool
    output: bool
    others: int
    is_view: bool


def seen(module: nn.Module, x: Tensor) -> tuple[Seen, Tensor]:
    """What autograd saves of a module, its parameters aside: its input, its output, the bytes of others."""
    own = set(map(storage, module.parameters())) | set(map(storage, module.buffers()))
    held: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        held[storage(tensor)] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = module(x)
    ends = {storage(x), storage(y)}
    others = sum(each.untyped_storage().nbytes() for key, each in held.items() if key not in ends | own)
    return Seen(storage(x) in held, storage(y) in held, others, storage(x) == storage(y)), y


def kept_beside(saved: Saved, batch: int) -> int:
    """The bytes that are kept beside input and output, as `Saved` says."""
    floats = saved.elements * batch + saved.statistics + saved.constants
    return int(floats) * FLOAT + int(saved.indices) * batch * INT64


@every_class
def test_what_is_kept_is_what_autograd_saves(cls: type[Operation]) -> None:
    for operation, x, batch in cases(cls):
        given = torch.randn(batch, *map(int, x), requires_grad=True)
        y = operation.output(x)
        saved, module = operation.saves(x, y), operation.module(x).train()
        found, out = seen(module, given)
        promised = Seen(saved.input, saved.output, kept_beside(saved, batch), saved.is_view)
        assert promised == found, (operation, x, batch)
        assert tuple(out.shape) == (batch, *y)


@every_class
def test_parameters_and_buffers_are_told_tensor_by_tensor(cls: type[Operation]) -> None:
    for operation, x, _ in cases(cls):
        module = operation.module(x)
        work = operation.work(x, operation.output(x))
        assert list(work.tensors) == [each.numel() for each in module.parameters()], (operation, x)
        buffers = list(module.buffers())
        whole = sum(each.numel() for each in buffers if each.dtype == torch.int64)
        floats = sum(each.numel() for each in buffers if each.dtype == torch.float32)
        assert operation.buffers(x) == (floats, whole), (operation, x)


@every_class
def test_what_is_needed_in_passing_is_what_torch_makes(cls: type[Operation]) -> None:
    """Without gradients, and on the way back; there with the gradient of the input and without."""
    for operation, x, batch in cases(cls):
        saved, module = operation.saves(x, operation.output(x)), operation.module(x)
        given = torch.randn(batch, *map(int, x))
        alive = Alive((given, *module.parameters(), *module.buffers()))
        with torch.no_grad(), alive:
            out = module.eval()(given)
        wrote = out.numel() * FLOAT
        if saved.is_view or operation.only_in_training:
            expected = 0
        else:
            expected = wrote + int(saved.scratch) * batch * FLOAT + int(saved.indices) * batch * INT64
        assert alive.peak == expected, (operation, x, batch)
        for wanted in (True, False):
            if wanted or any(True for _ in module.parameters()):
                assert back_peak(module, given, wanted) == told_back(operation, x, batch, wanted), (
                    operation,
                    x,
                    batch,
                    wanted,
                )


def back_peak(module: nn.Module, given: Tensor, wanted: bool) -> int:
    """The most bytes that are alive on the way back, with what was kept and what came out."""
    module.train()
    x = given.detach().requires_grad_(wanted)
    ends = [x] * wanted + list(module.parameters())
    with torch.no_grad():
        gradient = torch.ones_like(module(x))
    alive = Alive((x, gradient, *module.parameters(), *module.buffers()))
    with alive:
        y = module(x)
        alive.peak = 0
        torch.autograd.grad(y, ends, gradient)
    return alive.peak


def told_back(operation: Operation, x: AnyShape, batch: int, wanted: bool) -> int:
    """The same as the operation says it."""
    y = operation.output(x)
    saved: Any = operation.saves(x, y)
    if saved.is_view:
        return 0
    gradients = sum(map(int, operation.work(x, y).tensors))
    each = operation.work(x, y).inputs * batch
    unreduced = saved.unreduced * batch if saved.unreduced * batch != gradients else 0
    if wanted:
        made = each + gradients + unreduced + saved.scratch_back * batch
    else:
        made = max(each * saved.whole_back + max(unreduced, gradients), unreduced + gradients)
    return int(operation.work(x, y).outputs * batch + made) * FLOAT + kept_beside(saved, batch)
