"""Compression: what is zero in the weights of a module, how few bits they take, and what that saves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from costlab.algebra.block import Block
from costlab.algebra.dim import Dim, as_dim, is_number, product
from costlab.algebra.inputs import AnyInput, Inputs, as_input
from costlab.algebra.operands import ROLES, HoldsWeights, Role, Stored
from costlab.algebra.traced import Traced
from costlab.counting.count import Count
from costlab.counting.overview import Overview
from costlab.errors import DefinitionError
from costlab.hardware.compression.layer import Layer, layer_of, together
from costlab.hardware.compression.zeros import Zeros, zeros_in
from costlab.targets.like import TargetLike
from costlab.targets.resolve import call_by_name, find_with_settings
from costlab.targets.target import Variant, guard
from costlab.targets.torch_module import Factory, as_block, is_module

if TYPE_CHECKING:
    from costlab.targets.target import Target

NO_WEIGHTS = (
    "it has no weights, so none of them is zero: build its module (costlab.build), prune or quantize that, "
    "and give it"
)


@dataclass(frozen=True, repr=False)
class Compression(Overview):
    """What pruning and quantizing have left of a module: its operations, and all tensors that it holds.

    Sums are for the whole batch. None stands for what is not known, as of weights without values.
    """

    label: str
    input: AnyInput
    batch: int
    layers: tuple[Layer, ...]
    stored: tuple[Stored, ...]

    @cached_property
    def whole(self) -> Layer:
        """All operations as one."""
        return together("", self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds as they are counted, by all weights."""
        return self.whole.multiply_adds

    @property
    def effective_multiply_adds(self) -> int | None:
        """Multiply-adds by weights that are not zero, and of data by data."""
        return self.whole.effective_multiply_adds

    @property
    def parameters(self) -> int:
        """The elements of all parameters, packed weights among them, each tensor once."""
        return self.whole.parameters

    @property
    def nonzero_parameters(self) -> int | None:
        """Those that are not zero where they are used: what a mask clears is zero."""
        return self.whole.nonzero_parameters

    @property
    def bit_operations(self) -> int | None:
        """Multiply-adds times the bits of the weight and of the data: ``multiply_adds * bits * bits``.

        Source: M. van Baalen et al., Bayesian Bits: Unifying Quantization and Pruning, 2020 (arXiv
        2005.07093), where BOPs are so defined.
        """
        return self.whole.bit_operations

    @property
    def effective_bit_operations(self) -> int | None:
        """The same of the effective multiply-adds."""
        return self.whole.effective_bit_operations

    @property
    def zeros(self) -> Zeros:
        """The zeros of all weights that are multiplied by, told apart, each weight once."""
        return self.whole.zeros

    @property
    def bytes(self) -> int:
        """The bytes of all tensors that the module holds: parameters, packed weights, masks, buffers."""
        return sum(each.bytes for each in self.stored)

    @property
    def bytes_by_role(self) -> Mapping[Role, int]:
        """The bytes by what they are held for; what there is nothing of is not there."""
        sums = {role: sum(each.bytes for each in self.stored if each.role == role) for role in ROLES}
        return {role: size for role, size in sums.items() if size}

    @property
    def not_known(self) -> tuple[str, ...]:
        """The paths of the operations of which it is not known what is zero in their weights."""
        return tuple(dict.fromkeys(each.path for each in self.layers if each.effective_multiply_adds is None))

    def modules(self, depth: int) -> tuple[tuple[Layer, int], ...]:
        """The operations of each module at ``depth`` below the root as one, and its bytes, as they run.

        Raises:
            DefinitionError: ``depth`` is no whole number of at least 0.
        """
        as_dim("depth", depth, least=0)
        groups: dict[str, list[Layer]] = {}
        for each in self.layers:
            groups.setdefault(_at(each.path, depth), []).append(each)
        held: dict[str, int] = {}
        for tensor in self.stored:
            place = _at(tensor.path, depth)
            held[place] = held.get(place, 0) + tensor.bytes
        places = [*groups, *(place for place in held if place not in groups)]
        return tuple(
            (together(place, groups.get(place, ())), held.get(place, 0))
            for place in places
            if held.get(place) or any(each.multiply_adds or each.parameters for each in groups[place])
        )

    @property
    def title(self) -> str:
        """What was asked for, on one line."""
        batch = "" if isinstance(self.input, Inputs) else f", batch {self.batch:,}"
        return f"{self.label}, input {self.input}{batch}"

    def _lines(self) -> Sequence[str]:
        return [
            self.title,
            f"multiply-adds: {self.multiply_adds:,}, effective {_shown(self.effective_multiply_adds)}",
            f"parameters: {self.parameters:,}, not zero {_shown(self.nonzero_parameters)}",
            f"bit operations: {_shown(self.bit_operations)}",
            f"effective bit operations: {_shown(self.effective_bit_operations)}",
            f"bytes: {self.bytes:,}",
        ]

    def _records(self) -> Sequence[Mapping[str, str]]:
        return [
            {
                "module": layer.path or "(root)",
                "multiply-adds": f"{layer.multiply_adds:,}",
                "effective multiply-adds": _shown(layer.effective_multiply_adds),
                "parameters": f"{layer.parameters:,}",
                "nonzero parameters": _shown(layer.nonzero_parameters),
                "bit operations": _shown(layer.bit_operations),
                "bytes": f"{size:,}",
            }
            for layer, size in self.modules(1)
        ]


def compression(target: TargetLike, input: object = None, *, batch: Dim = 1, **settings: Any) -> Compression:
    """What is zero in the weights of a module, and how wide they are: multiply-adds, bit operations, bytes.

    ``target``, ``input``, ``batch`` and ``settings`` are those of `costlab.count`, for a module of PyTorch,
    an exported program or a graph of ONNX with values: pruned by masks, of torch.nn.utils.prune,
    torch.ao.pruning or in its forward, with zeros as they are, with sparse or with quantized weights. It is
    followed without values as for a count; only what is computed of its weights alone is computed. The zeros
    of a weight are told apart: in whole channels, by an N:M pattern along its inputs, at any place.

    Raises:
        DefinitionError: as `costlab.count`; also for a definition, which has no weights.
        TargetError, ShapeError, DependsOnDataError: as `costlab.count`.
    """
    named = find_with_settings(target, settings)
    found = named.resolve(None if input is None else as_input(input, call_by_name))
    inputs = product(as_dim("batch", batch), found.batch)
    if not is_number(inputs):
        raise DefinitionError(f"{found.label}: a batch is a number where weights have values")
    block = _with_values(named, found)
    if not isinstance(block, HoldsWeights):
        raise DefinitionError(f"{found.label}: {NO_WEIGHTS}")
    placed, times = block.placed(found.input, inputs)
    root = found._replace(block=block.weighed(zeros_in), input=placed).walk()
    counted = Count(found.label, placed, times, root)
    number = int(times)
    layers = []
    for node in counted.operations:
        operands = node.block.operands if isinstance(node.block, Traced) else None
        assert node.work is not None
        layers.append(layer_of(node.path, node.work, operands, number))
    stored = root.block.stored if isinstance(root.block, Traced) else ()
    return Compression(found.label, placed, number, tuple(layers), stored)


def _with_values(named: Variant, found: "Target") -> Block:
    """The block of a target; of what makes a module one that is made with all its weights."""
    if not (isinstance(named.subject, Factory) and found.block.takes_tensors):
        return found.block
    import torch

    with guard(found.label, found.from_user, found.folder), torch.random.fork_rng(devices=[]):
        made: Any = named.subject.function(**named.settings)
    return as_block(made) if is_module(made) else found.block


def _at(path: str, depth: int) -> str:
    return ".".join(path.split(".")[:depth]) if depth else ""


def _shown(number: int | None) -> str:
    return "not known" if number is None else f"{number:,}"
