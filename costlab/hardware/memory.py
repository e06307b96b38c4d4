"""Memory: what a network holds where it runs, and in a step of training, to the byte."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from costlab.algebra.block import Block
from costlab.algebra.combine import marked
from costlab.algebra.dim import Dim, as_dim, is_number, maximum, product, text, total
from costlab.algebra.inputs import AnyInput, Inputs
from costlab.counting.overview import Overview
from costlab.errors import DefinitionError
from costlab.hardware.held.largest import Piece, largest, pieces
from costlab.hardware.held.moments import Inference, Kept, Moment, Part, Training
from costlab.hardware.held.optimizer import Optimizer
from costlab.hardware.held.order import BestOrder, best_order, by_last_use, fused, peak
from costlab.hardware.held.precision import PRECISIONS, Precision
from costlab.hardware.held.ran import Ran, of_definition, of_module
from costlab.messages import named
from costlab.targets.resolve import TargetLike, resolve
from costlab.targets.target import Target, guard

if TYPE_CHECKING:
    from costlab.hardware.device import Device


class MemoryRow(NamedTuple):
    """What a module with all below it, or a kind of operation, holds: bytes of weights, of buffers, and kept.

    ``live`` is the most that is allocated, by all, while a module runs, forward or back; of a kind it is 0.
    """

    name: str
    weights: Dim
    buffers: Dim
    kept: Dim
    live: Dim


@dataclass(frozen=True, repr=False)
class Memory(Overview):
    """What a network holds in memory, in bytes: in a step of training with ``optimizer``, else in inference.

    ``average`` says that an average of the weights is held besides, ``traced`` that a module ran on tensors
    without memory. Auxiliary heads are in it in training.
    """

    label: str
    input: AnyInput
    batch: Dim
    dtype: Precision
    parts: tuple[Part, ...]
    ran: Inference | Training
    optimizer: Optimizer | None = None
    average: bool = False
    traced: bool = False
    unverified: bool = False

    @property
    def weights(self) -> Dim:
        """Bytes of all parameters, each tensor once."""
        return total(part.weights for part in self.parts)

    @property
    def buffers(self) -> Dim:
        """Bytes of what is held and not learned, such as the running statistics of batch norm."""
        return total(part.buffers for part in self.parts)

    @property
    def gradients(self) -> Dim:
        """Bytes of the gradients of the parameters, at the end of the way back."""
        return self.ran.gradients if isinstance(self.ran, Training) else 0

    @property
    def state(self) -> Dim:
        """Bytes that the optimizer holds from step to step."""
        return self.ran.state if isinstance(self.ran, Training) else 0

    @property
    def averaged(self) -> Dim:
        """Bytes of the average of the weights, if there is one."""
        return self.weights if self.average else 0

    @property
    def given(self) -> Dim:
        """Bytes of what comes in."""
        return self.ran.given

    @property
    def keeps(self) -> tuple[Kept, ...]:
        """What autograd keeps for the way back, tensor by tensor."""
        return self.ran.kept if isinstance(self.ran, Training) else ()

    @property
    def kept(self) -> Dim:
        """Bytes that autograd keeps for the way back, beside what came in."""
        return total(each.size for each in self.keeps if not each.is_input)

    @property
    def moments(self) -> tuple[Moment, ...]:
        """What is allocated, operation by operation: forward and, in training, through the whole step."""
        return self.ran.moments

    @property
    def peak(self) -> Moment:
        """The first moment at which the most is allocated, beside `resident`; gradients are among it.

        Raises:
            DefinitionError: sizes are arrays or symbols; `peak_bytes` is their largest.
        """
        if not is_number(*(moment.live for moment in self.moments)):
            raise DefinitionError(f"{self.label}: where the peak is, is known of plain numbers only")
        return peak(self.moments)

    @cached_property
    def peak_bytes(self) -> Dim:
        """The most that is allocated at once, beside `resident`; one for each variant of arrays."""
        return largest(moment.live for moment in self.moments)

    @property
    def peak_pieces(self) -> tuple[Piece, ...] | None:
        """For a symbol as the batch: by which formula the most is allocated, for which batches."""
        return pieces(moment.live for moment in self.moments)

    @property
    def resident(self) -> Dim:
        """Bytes that are held before and after: weights, buffers, state, average, and what comes in."""
        return total((self.weights, self.buffers, self.state, self.averaged, self.given))

    @property
    def total(self) -> Dim:
        """The most bytes that are held at once: `resident`, and the peak."""
        return total((self.resident, self.peak_bytes))

    @property
    def by_last_use(self) -> Moment:
        """The peak of inference where every tensor is let go when it was last used."""
        return peak(by_last_use(self._inference.flow))

    @property
    def fused(self) -> Moment:
        """The same with batch norm, ReLU and dropout done in place by the layer before them."""
        return peak(by_last_use(fused(self._inference.flow)))

    @cached_property
    def best_order(self) -> BestOrder:
        """The order of operations with the smallest peak by last use."""
        return best_order(self._inference.flow)

    def fits(self, device: "Device") -> bool | None:
        """Whether all of it fits into the memory of a device; None where that is not known."""
        return None if device.memory is None else int(cast("int", self.total)) <= device.memory

    def modules(self, depth: int) -> tuple[MemoryRow, ...]:
        """One row per module at ``depth`` below the root, in the order in which they run.

        Raises:
            DefinitionError: ``depth`` is no whole number of at least 0.
        """
        as_dim("depth", depth, least=0)
        return self._rows(depth)

    def kinds(self) -> tuple[MemoryRow, ...]:
        """One row per kind of operation that autograd keeps something for, in the order they first appear."""
        return self._rows(None)

    @property
    def title(self) -> str:
        """What was asked for, on one line."""
        batch = "" if isinstance(self.input, Inputs) else f", batch {text(self.batch)}"
        step = "inference" if self.optimizer is None else f"a step of training with {self.optimizer}"
        shown = marked(self.label, self.unverified)
        return f"{shown}, input {self.input}{batch}, {self.dtype}, {step}"

    @property
    def _inference(self) -> Inference:
        if isinstance(self.ran, Training):
            raise DefinitionError(f"{self.label}: this is a step of training; ask for inference")
        return self.ran

    def _rows(self, depth: int | None) -> tuple[MemoryRow, ...]:
        """The rows of modules at a depth, or without one of kinds."""
        by_kind = depth is None
        sums: dict[str, MemoryRow] = {}

        def row(path: str, kind: str = "") -> MemoryRow:
            name = kind if by_kind else ".".join(path.split(".")[:depth])
            return sums.setdefault(name, MemoryRow(name, 0, 0, 0, 0))

        for part in self.parts:
            old = row(part.path, part.kind)
            sums[old.name] = old._replace(
                weights=total((old.weights, part.weights)), buffers=total((old.buffers, part.buffers))
            )
        for each in self.keeps:
            if not each.is_input:
                old = row(each.path, each.kind)
                sums[old.name] = old._replace(kept=total((old.kept, each.size)))
        for moment in () if by_kind else self.moments:
            if moment.phase in ("forward", "backward"):
                old = row(moment.path)
                sums[old.name] = old._replace(live=maximum(old.live, moment.live))
        return tuple(sums.values())

    def _lines(self) -> Sequence[str]:
        return [self.title, f"peak {text(self.peak_bytes)} bytes beside {text(self.resident)} that stay"]

    def _records(self) -> Sequence[Mapping[str, str]]:
        return [
            {"module": each.name or "(root)", "weights": text(each.weights), "kept": text(each.kept)}
            for each in self.modules(1)
        ]


def memory(
    target: TargetLike,
    input: object = None,
    *,
    batch: Dim = 1,
    train: bool = False,
    optimizer: str = "sgd",
    momentum: bool = False,
    average: bool = False,
    dtype: Precision = "float32",
    **settings: Any,
) -> Memory:
    """What a target holds in memory, on one CPU or GPU, in inference or with ``train`` in a step of training.

    ``target``, ``input``, ``batch`` and ``settings`` are those of `costlab.count`. A definition is run as its
    module would be, on sizes alone: its dimensions may be symbols and arrays, too. A module of PyTorch is
    traced on tensors without memory, and so is a definition with an operation that has no ``saves``, or under
    ``amp``: weights in float32, run under autocast to bfloat16. ``optimizer`` is sgd, rmsprop, adam or adamw.

    What tensors hold is exact. Kernels' workspace, the allocator's rounding and its reserve are not in it.

    Raises:
        DefinitionError: as `costlab.count`; also for another type or optimizer, and a network that cannot be
            trained at this batch or has no parameters.
        TargetError, ShapeError, DependsOnDataError: as `costlab.count`.
    """
    if dtype not in PRECISIONS:
        raise DefinitionError(f"dtype={named(dtype)} must be one of {', '.join(PRECISIONS)}")
    if not train and (momentum or average or optimizer != "sgd"):
        raise DefinitionError("an optimizer, momentum and an average are for training: give train")
    by = Optimizer(optimizer, momentum) if train else None
    found = resolve(target, input, **settings)
    inputs = product(as_dim("batch", batch), found.batch)
    placed, times = found.block.placed(found.input, inputs)
    with guard(found.label, found.from_user, found.folder):
        ran = _run(found._replace(input=placed), times, dtype, by)
    unverified = not found.block.takes_tensors and _is_unverified(found.block)
    return Memory(found.label, placed, times, dtype, ran.parts, ran.ran, by, average, ran.traced, unverified)


def _run(found: Target, batch: Dim, dtype: Precision, optimizer: Optimizer | None) -> Ran:
    if found.block.takes_tensors:
        module: Any = found.block
        assert isinstance(found.input, Inputs)
        return of_module(module.module, found.input, dtype, optimizer)
    try:
        return of_definition(found.walk(), batch, dtype, optimizer)
    except DefinitionError as error:
        raise DefinitionError(f"{found.label}: {error}") from None


def _is_unverified(block: Block) -> bool:
    """Whether a definition made it, or a part of it, that was not held against its source."""
    children = getattr(block, "children", ())
    return getattr(block, "unverified", False) or any(_is_unverified(child) for _, child in children)
