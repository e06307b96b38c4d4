"""Which tensors of a file are parameters: what training changes, each counted once."""

from math import prod

import numpy as np
from onnx import GraphProto

from costlab.algebra.dim import Dim
from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.masks import FileTensors, hides
from costlab.onnx.rules import LEARNED
from costlab.onnx.rules.registry import MICROSOFT
from costlab.onnx.tensor import FLOATING, GraphTensor, Origin

BUFFERS = ("running_mean", "running_var")
"""How torch calls the buffers of its normalizations."""
SETTINGS = frozenset([(MICROSOFT, "QLinearAdd"), (MICROSOFT, "QLinearMul")])
"""Operators that take what is learned at places of their own, where a single number is a setting."""


class Counted:
    """The parameters that nodes read, each tensor of the file once.

    Of operators that have weights their places are known. Elsewhere, such as in a sum, a tensor is a
    parameter where it is an initializer of several floating-point numbers: a single number is a setting, what
    a node makes a constant, and one that `hides` a mask. Where all weights are constants of nodes, as some
    exporters write them, constants are as initializers are.
    """

    def __init__(self, graph: GraphProto) -> None:
        self._names: set[str] = set()
        self._in_nodes = keeps_weights_in_nodes(graph)
        self._tensors = FileTensors(graph)
        self._masks: dict[str, bool] = {}
        matrices = (each for each in graph.initializer if len(each.dims) == 2)
        self._matrices = {each.name: tuple(each.dims) for each in matrices if each.data_type in FLOATING}

    def kept(self) -> frozenset[str]:
        """What was counted so far."""
        return frozenset(self._names)

    def put_back(self, names: frozenset[str]) -> None:
        """Forget what was counted since."""
        self._names = set(names)

    def parameters(self, call: NodeCall, work: Work) -> Dim:
        """The parameters that a node reads first; a rule may say how many packed ones are."""
        places = LEARNED.get((call.domain, call.operator))
        if places is None:
            found = [each for each in call.inputs if each is not None and self._is_free(each)]
            return work.parameters + sum(self.of(each, free=True) for each in found)
        given = [each for place in places if (each := call.optional(place)) is not None]
        settings = (call.domain, call.operator) in SETTINGS
        held = [
            each
            for each in given
            if each.held and not each.stands_in and not (settings and each.is_sized and each.elements == 1)
        ]
        if work.parameters == 0 or not held:
            return work.parameters + sum(map(self.of, held))
        packed, *others = held
        new = self._is_new(packed.origins)
        return (work.parameters if new else 0) + sum(map(self.of, others))

    def reads(self, call: NodeCall) -> bool:
        """Whether a node is the first to read a parameter, if its places tell nothing."""
        found = (each for each in call.inputs if each is not None and self._is_free(each))
        return any(origin.name not in self._names for each in found for origin in each.origins)

    def of(self, tensor: GraphTensor, free: bool = False) -> int:
        """The elements of what the file holds of a tensor, if not counted yet; of a repeated number none."""
        several = [each for each in tensor.origins if each.elements > 1 and not (free and self._is_set(each))]
        repeated = tensor.is_sized and tensor.elements > 1
        wanted = several or (() if repeated else tensor.origins)
        return sum(each.elements for each in wanted if self._is_new((each,)))

    def _is_new(self, origins: tuple[Origin, ...]) -> bool:
        names = {each.name for each in origins}
        if names <= self._names:
            return False
        turned = any(map(self._is_turned, names - self._names)) if len(names) == 1 else False
        self._names |= names
        return not turned

    def _is_turned(self, name: str) -> bool:
        """Whether a matrix of the file is one that was counted, turned: a weight that two layers share."""
        sizes = self._matrices.get(name)
        if sizes is None or min(sizes) < 2:
            return False
        others = (each for each in self._names if self._matrices.get(each) == sizes[::-1])
        return any(self._tensors.are_turned(name, each) for each in others)

    def _is_free(self, tensor: GraphTensor) -> bool:
        if not tensor.held or not tensor.is_floating_point:
            return False
        if tensor.values is not None and not np.isfinite(tensor.values.astype(float)).all():
            return False
        return any(each.elements > 1 and not self._is_set(each) for each in tensor.origins)

    def _is_set(self, origin: Origin) -> bool:
        """Whether a tensor of the file is one that no training changes, where no operator tells."""
        constant = origin.by_node and (origin.uniform or not self._in_nodes)
        told = constant or origin.repeated or origin.whole or origin.name.endswith(BUFFERS)
        return told or self._is_mask(origin.name)

    def _is_mask(self, name: str) -> bool:
        """Whether what a tensor of the file holds hides what it is added to; read once."""
        if name not in self._masks:
            values = self._tensors.values(name)
            self._masks[name] = values is not None and hides(values)
        return self._masks[name]


def keeps_weights_in_nodes(graph: GraphProto) -> bool:
    """Whether a graph holds no weights but in nodes of constants."""
    weights = (each for each in graph.initializer if each.data_type in FLOATING and prod(each.dims) > 1)
    return not graph.sparse_initializer and next(weights, None) is None
