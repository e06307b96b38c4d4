"""Memory: what a network holds where it runs, and in a step of training, to the byte."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from costlab.algebra.combine import is_unverified, marked
from costlab.algebra.dim import Dim, as_dim, is_array, is_number, product, text, total
from costlab.algebra.inputs import AnyInput, Inputs
from costlab.counting.overview import LEVELS, Overview
from costlab.errors import DefinitionError
from costlab.hardware.held.largest import Piece, largest, pieces
from costlab.hardware.held.moments import Inference, Kept, Moment, Part, Training
from costlab.hardware.held.optimizer import Optimizer
from costlab.hardware.held.order import BestOrder, best_order, by_last_use, fused, peak
from costlab.hardware.held.precision import PRECISIONS, Precision
from costlab.hardware.held.ran import Ran, of_definition, of_module
from costlab.hardware.held.rows import MemoryRow, rows
from costlab.messages import named
from costlab.targets.like import TargetLike
from costlab.targets.resolve import resolve
from costlab.targets.target import Target, guard
from costlab.targets.torch_module import refuse_without_module

if TYPE_CHECKING:
    from costlab.hardware.device import Device


@dataclass(frozen=True, repr=False)
class Memory(Overview):
    """What a network holds in memory, in bytes: in a step of training with ``optimizer``, else in inference.

    ``average`` says that an average of the weights is held besides, ``traced`` that a module ran on tensors
    without memory. Auxiliary heads are in it in training.
    """

    label: str
    input: AnyInput
    batch: Dim
    dtype: str
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
        return self._first_peak(self.moments)

    @cached_property
    def peak_bytes(self) -> Dim:
        """The most that is allocated at once, beside `resident`; one for each variant of arrays."""
        return largest(moment.live for moment in self.moments)

    @property
    def peak_pieces(self) -> tuple[Piece, ...] | None:
        """For a symbol as the batch: by which formula the most is allocated, for which batches."""
        sizes = [moment.live for moment in self.moments]
        return None if any(map(is_array, sizes)) else pieces(sizes)

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
        """The peak of inference where every tensor is let go when it was last used.

        Raises:
            DefinitionError: sizes are arrays or symbols, or this is a step of training.
        """
        return self._first_peak(by_last_use(self._inference.flow))

    @property
    def fused(self) -> Moment:
        """The same with batch norm, ReLU and dropout done in place by the layer before them."""
        return self._first_peak(by_last_use(fused(self._inference.flow)))

    @cached_property
    def best_order(self) -> BestOrder:
        """The order of operations with the smallest peak by last use."""
        return best_order(self._inference.flow)

    def fits(self, device: "str | Device") -> bool | None:
        """Whether all of it fits into the memory of a device, or of one by name; None if that is not known.

        Raises:
            DefinitionError: sizes are arrays or symbols.
            DeviceError: there is no such device.
        """
        from costlab.hardware.device import device as device_of

        if not is_number(self.total):
            raise DefinitionError(f"{self.label}: whether it fits is known of plain numbers only")
        memory = device_of(device).memory
        return None if memory is None else int(cast("int", self.total)) <= memory

    def modules(self, depth: int) -> tuple[MemoryRow, ...]:
        """One row per module at ``depth`` below the root, in the order in which they run.

        Raises:
            DefinitionError: ``depth`` is no whole number of at least 0.
        """
        as_dim("depth", depth, least=0)
        return rows(self.parts, self.keeps, self.moments, depth)

    def kinds(self) -> tuple[MemoryRow, ...]:
        """One row per kind of operation that holds or keeps something, in the order in which they run."""
        return rows(self.parts, self.keeps, self.moments, None)

    @property
    def title(self) -> str:
        """What was asked for, on one line."""
        batch = "" if isinstance(self.input, Inputs) else f", batch {text(self.batch)}"
        step = "inference" if self.optimizer is None else f"a step of training with {self.optimizer}"
        shown = marked(self.label, self.unverified)
        return f"{shown}, input {self.input}{batch}, {self.dtype}, {step}"

    def _first_peak(self, moments: Sequence[Moment]) -> Moment:
        if not is_number(*(moment.live for moment in moments)):
            raise DefinitionError(f"{self.label}: where the peak is, is known of plain numbers only")
        return peak(moments)

    @property
    def _inference(self) -> Inference:
        if isinstance(self.ran, Training):
            raise DefinitionError(f"{self.label}: this is a step of training; ask for inference")
        return self.ran

    def _lines(self) -> Sequence[str]:
        peak, stay = _shown(self.peak_bytes), _shown(self.resident)
        return [self.title, f"peak {peak} bytes beside {stay} that stay"]

    def _in_notebook(self) -> Sequence[str]:
        from costlab.counting.folded import by_level, said, tree

        titles = {"weights": "weights", "kept": "kept", "live": "allocated at most"}
        columns = [name for name in titles if name != "kept" or self.optimizer is not None]

        def cells(name: str, row: MemoryRow) -> list[str]:
            return [name, *(_shown(getattr(row, column)) for column in columns)]

        lines = by_level(self.modules, lambda row: row.name, cells)
        head = ["module", *(f"{titles[name]}, bytes" for name in columns)]
        return [said(self._lines()[1:]), tree(head, lines, text=1, instead=LEVELS)]


def optimizer_of(
    *, train: bool, optimizer: str, momentum: bool, average: bool, dtype: str | None
) -> Optimizer | None:
    """The optimizer that is asked for, none in inference, by options of `memory` that go together.

    Raises:
        DefinitionError: they do not, or there is no such optimizer or type.
    """
    if dtype is not None and dtype not in PRECISIONS:
        raise DefinitionError(f"dtype={named(dtype)} must be one of {', '.join(PRECISIONS)}")
    if not train and (momentum or average or optimizer != "sgd"):
        raise DefinitionError("an optimizer, momentum and an average are for training: give train")
    return Optimizer(optimizer, momentum) if train else None


def memory(
    target: TargetLike,
    input: object = None,
    *,
    batch: Dim = 1,
    train: bool = False,
    optimizer: str = "sgd",
    momentum: bool = False,
    average: bool = False,
    dtype: Precision | None = None,
    **settings: Any,
) -> Memory:
    """What a target holds in memory, on one CPU or GPU, in inference or with ``train`` in a step of training.

    ``target``, ``input``, ``batch`` and ``settings`` are those of `costlab.count`. A definition is run as its
    module would be, on sizes alone: its dimensions may be symbols and arrays, too. A module of PyTorch is
    traced on tensors without memory, and so is a definition with an operation that has no ``saves``, or under
    ``amp``: weights in float32, run under autocast to bfloat16. In a ``dtype`` that is given, all tensors of
    floating point have that type; without one a definition is in float32, a module as it is, and what comes
    in, of floating point, in the type of its parameters. ``optimizer`` is sgd, rmsprop, adam or adamw.

    What tensors hold is exact. Kernels' workspace, the allocator's rounding and its reserve are not in it.

    Raises:
        DefinitionError: as `costlab.count`; also for another type or optimizer, and a network that cannot be
            trained at this batch or has no parameters.
        TargetError, ShapeError, DependsOnDataError: as `costlab.count`.
    """
    by = optimizer_of(train=train, optimizer=optimizer, momentum=momentum, average=average, dtype=dtype)
    found = resolve(target, input, **settings)
    inputs = product(as_dim("batch", batch), found.batch)
    placed, times = found.block.placed(found.input, inputs)
    with guard(found.label, found.from_user, found.folder):
        ran = _run(found._replace(input=placed), times, dtype, by)
    unverified = is_unverified(found.block)
    return Memory(
        found.label, placed, times, ran.dtype, ran.parts, ran.ran, by, average, ran.traced, unverified
    )


def _shown(size: Dim) -> str:
    """Bytes as people read them."""
    return f"{size:,}" if isinstance(size, int) else text(size)


def _run(found: Target, batch: Dim, dtype: Precision | None, optimizer: Optimizer | None) -> Ran:
    refuse_without_module(found.block, found.label, "what is alive in memory")
    if found.block.takes_tensors:
        module: Any = found.block
        assert isinstance(found.input, Inputs)
        return of_module(module.module, found.input, dtype, optimizer)
    try:
        return of_definition(found.walk(), batch, dtype or "float32", optimizer)
    except DefinitionError as error:
        raise DefinitionError(f"{found.label}: {error}") from None
