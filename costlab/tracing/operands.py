"""The weights that operations multiply by, as they run, and what is zero in them."""

import hashlib
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from costlab.algebra.operands import Look, Operands, Weight
from costlab.algebra.work import Work
from costlab.tracing.arguments import tensors_in
from costlab.tracing.factors import Factor, factors
from costlab.tracing.rules.twins import function_of
from costlab.tracing.stand_in import StandIn
from costlab.tracing.stand_ins import StandIns
from costlab.tracing.weight_masks import bits_of, is_masked, nonzero, values_in, width_of

CAST = ("conv", "linear", "matmul", "mm", "addmm", "bmm", "baddbmm", "einsum", "lstm", "gru", "rnn")
"""Kinds, by their beginnings, that autocast runs in its type."""
ROUNDING = ("dynamic", "quantized_lstm", "quantized_gru")
"""What is in the names of operators that take packed weights and data of floating point."""


class _Seen(NamedTuple):
    """What was told of a weight that the model holds, at its values then; with it, so that its id stays."""

    held: Tensor
    zeros: Any
    left: int
    elements: int
    written: tuple[int, int]


def _times_written(values: Tensor) -> tuple[int, int]:
    """What is another once a tensor is written into: where its values are, and how often that was."""
    return id(values), 0 if values.is_inference() else values._version


class OperandReader:
    """Reads the weights of each operation, and remembers what is zero in the parameters behind them."""

    def __init__(self, look: Look, stand_ins: StandIns) -> None:
        self._look, self._stand_ins = look, stand_ins
        stand_ins.keep_weights()
        self._seen: dict[int, _Seen] = {}
        self.multiplied: set[int] = set()
        """The ids of the tensors of the model that are multiplied."""
        self._prepared: dict[int, int] = {}

    def read(
        self, work: Work, part: int, given: tuple[Any, Any], output: Any, path: str, func: Any
    ) -> Operands | None:
        """What an operation multiplies; None for one that multiplies nothing."""
        with torch._C.DisableTorchFunction(), _disable_current_modes(), torch.no_grad():
            return self._read(work, part, given, output, path, func)

    def _read(
        self, work: Work, part: int, given: tuple[Any, Any], output: Any, path: str, func: Any
    ) -> Operands | None:
        if not self._is_prepared(output):
            self._note_use(given)
        if isinstance(work.multiply_adds, int) and work.multiply_adds == 0:
            return None
        found = factors(work, part, given, output, function_of(func), self._stand_ins)
        data = self._data_bits(work.kind, given, func, found or [])
        if found is None:
            return Operands(data_bits=data, found=False)
        return Operands(tuple(self._weight(each, work.kind, path) for each in found), data)

    @staticmethod
    def prepares(args: Any, kwargs: Any) -> bool:
        """Whether a call computes of what is known alone, as one does that makes a weight of others."""
        return all(type(each) is StandIn and each.constant for each in tensors_in((args, kwargs)))

    def nonzero(self, parameter: Tensor) -> int | None:
        """How many elements of a parameter are not zero where it is used: those that a mask clears are.

        Of several uses it is the one of the most.
        """
        used = [self._prepared[id(parameter)]] if id(parameter) in self._prepared else []
        if id(parameter) in self._seen:
            used.append(self._seen[id(parameter)].left)
        if used:
            return max(used)
        values = values_in(parameter)
        return None if values is None else int(nonzero(values).count_nonzero())

    @staticmethod
    def _is_prepared(output: Any) -> bool:
        """Whether what comes out is computed of parameters and constants alone, to be used later."""
        made = list(tensors_in(output))
        return bool(made) and all(type(each) is StandIn and each.constant for each in made)

    def _note_use(self, given: Any) -> None:
        """What was computed of a parameter is used with data, such as a bias with a mask."""
        for each in tensors_in(given):
            if type(each) is StandIn and each.held is not None and id(each) not in self._stand_ins.owners:
                for one in self._parameters_in(each):
                    if is_masked(one, each.held):
                        self._use(one, int(nonzero(each.held).count_nonzero()))

    def _weight(self, factor: Factor, kind: str, path: str) -> Weight:
        tensor, held = factor.tensor, self._held(factor.tensor)
        self.multiplied.add(id(held))
        bits = factor.bits or self._cast(kind, tensor) or width_of(held, tensor.dtype)
        of_data = type(tensor) is StandIn and tensor.of_input  # as by a mask that comes in
        values = None if of_data else values_in(held if type(tensor) is not StandIn else tensor)
        if values is None or factor.axes is None:
            computed = held is tensor and type(tensor) is StandIn
            key: Any = (path, tuple(tensor.shape)) if computed else id(held)
            return Weight(key, factor.elements or tensor.numel(), factor.uses, bits)
        before, written = self._seen.get(id(held)), _times_written(values)
        if before is not None and before.written == written and not factor.only_a_part:
            return Weight(id(held), before.elements, factor.uses, bits, before.zeros)
        mask = nonzero(values)
        left = int(mask.count_nonzero())
        whole = mask.numel()
        zeros = self._look(factor.axes(mask))
        if factor.only_a_part:
            return Weight((id(held), factor.axes), factor.elements, factor.uses, bits, zeros)
        if held is tensor and type(tensor) is StandIn:
            return Weight(self._key(tensor, values, left, path), whole, factor.uses, bits, zeros)
        left = left if before is None else max(left, before.left)
        self._seen[id(held)] = _Seen(held, zeros, left, whole, written)
        return Weight(id(held), whole, factor.uses, bits, zeros)

    def _held(self, tensor: Tensor) -> Tensor:
        """The tensor that the model holds, or the one itself that was computed."""
        owner = self._stand_ins.owners.get(id(tensor))
        if owner is not None:
            return owner
        original = tensor.original if type(tensor) is StandIn else None
        return tensor if original is None else original

    def _parameters_in(self, tensor: StandIn) -> list[Tensor]:
        """The parameters that a tensor was computed of, element by element."""
        made_of, owners = tensor.made_of, self._stand_ins.owners
        if not made_of:
            return []
        return [each for each in owners.values() if id(each) in made_of and each.shape == tensor.shape]

    def _key(self, tensor: StandIn, values: Tensor, left: int, path: str) -> Any:
        """The parameter that a weight was computed of; of others what is in it, wherever it is computed."""
        alike = self._parameters_in(tensor)
        if alike:
            parameter = ([each for each in alike if is_masked(each, values)] or alike)[-1]
            self._use(parameter, left)
            return id(parameter)
        content = values.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data
        return path, tuple(values.shape), hashlib.blake2b(content).hexdigest()

    def _use(self, parameter: Tensor, left: int) -> None:
        """So many elements of a parameter are used; of several uses the one of the most."""
        self._prepared[id(parameter)] = max(left, self._prepared.get(id(parameter), 0))

    def _data_bits(self, kind: str, given: Any, func: Any, found: list[Factor]) -> int | None:
        """How wide its data is, which dynamic operators round as it comes unless their weights are not."""
        name = str(func)
        rounds = any(part in name for part in ROUNDING)
        if "_dyn_quant" in name or (rounds and not any(each.tensor.is_floating_point() for each in found)):
            return 8
        weights = {id(each.tensor) for each in found}
        data = [each for each in tensors_in(given) if id(each) not in weights]
        first = next((each for each in data if each.dtype not in (torch.bool, torch.int64)), None)
        return None if first is None else self._cast(kind, first) or bits_of(first.dtype)

    def _cast(self, kind: str, tensor: Tensor) -> int | None:
        """How many bits wide autocast makes a tensor, where it does."""
        device = tensor.device.type
        if not kind.startswith(CAST) or tensor.dtype is not torch.float32:
            return None
        if not torch.amp.autocast_mode.is_autocast_available(device) or not torch.is_autocast_enabled(device):
            return None
        return bits_of(torch.get_autocast_dtype(device))
