"""The torch side of the combinators. torch is imported here; import this only to build a module."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import NamedTuple

import torch
from torch import Tensor, nn

from costlab.algebra.block import Node, Operation
from costlab.algebra.combine import Add, Auxiliary, Concat, Sequence
from costlab.algebra.dim import is_array, is_symbolic, text
from costlab.errors import DefinitionError

Taps = dict[str, Tensor]


class TrainingOutput(NamedTuple):
    """What a network with auxiliary heads gives in training: its output, and theirs by path."""

    output: Tensor
    auxiliary: Taps


class Container(nn.Module, ABC):
    """A module that runs its children. The outermost one collects the outputs of auxiliary heads."""

    def forward(self, x: Tensor, taps: Taps | None = None) -> Tensor | TrainingOutput:
        collected: Taps = {} if taps is None else taps
        y = self._run(x, collected)
        return TrainingOutput(y, collected) if taps is None and collected else y

    @abstractmethod
    def _run(self, x: Tensor, taps: Taps) -> Tensor:
        """The output for ``x``; auxiliary heads leave theirs in ``taps``."""

    def _branches(self, x: Tensor, taps: Taps) -> Iterator[Tensor]:
        """What each child gives for ``x``."""
        for child in self.children():
            yield child(x, taps) if isinstance(child, Container) else child(x)


class SequenceWithHead(Container):
    """A sequence with an auxiliary head somewhere below it."""

    def _run(self, x: Tensor, taps: Taps) -> Tensor:
        for child in self.children():
            x = child(x, taps) if isinstance(child, Container) else child(x)
        return x


class AuxiliaryHead(SequenceWithHead):
    """In training, runs as a sequence and leaves the result in the taps; gives ``x`` on as it is."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def _run(self, x: Tensor, taps: Taps) -> Tensor:
        if self.training:
            taps[self._path] = super()._run(x, taps)
        return x


class Concatenation(Container):
    """Children on the same input, concatenated along the channels."""

    def _run(self, x: Tensor, taps: Taps) -> Tensor:
        return torch.cat(list(self._branches(x, taps)), dim=1)


class Addition(Container):
    """Children on the same input, added."""

    def _run(self, x: Tensor, taps: Taps) -> Tensor:
        return reduce(add, self._branches(x, taps))


def to_module(node: Node) -> nn.Module:
    """The torch module of a walked block; the paths of its submodules are those of the nodes.

    Raises:
        DefinitionError: a dimension is no plain number, or a child's name is taken by torch.
    """
    if isinstance(node.block, Operation):
        return _leaf(node, node.block)
    container = _container(node)
    for child in node.children:
        made = to_module(child)
        try:
            container.add_module(child.name, made)
        except KeyError as error:
            raise DefinitionError(
                f"{child.path}: a torch module has an attribute {child.name!r} already; rename the block"
            ) from error
    return container


def _container(node: Node) -> nn.Module:
    match node.block:
        case Auxiliary():
            return AuxiliaryHead(node.path)
        case Sequence() if any(isinstance(below.block, Auxiliary) for below in node.nodes()):
            return SequenceWithHead()
        case Sequence():
            return nn.Sequential()
        case Concat():
            return Concatenation()
        case Add():
            return Addition()
    raise DefinitionError(f"{node.path}: no torch module is known for {type(node.block).__name__}")


def _leaf(node: Node, operation: Operation) -> nn.Module:
    for name, value in [*operation.settings(), *(("input", dim) for dim in node.input)]:
        if is_array(value) or is_symbolic(value):
            raise DefinitionError(
                f"{node.path}: {name}={text(value)} is no single number, so nothing can be built"
            )
    return operation.module(node.input)
