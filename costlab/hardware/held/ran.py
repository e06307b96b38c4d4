"""What a definition, or a module of PyTorch, holds: how it ran, and what each part of it holds itself."""

from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.algebra.block import Node, Operation
from costlab.algebra.combine import without_heads
from costlab.algebra.dim import Dim, product, total
from costlab.algebra.inputs import Inputs
from costlab.hardware.held.forward import INT64, forward
from costlab.hardware.held.moments import Inference, Part, Training
from costlab.hardware.held.optimizer import Optimizer
from costlab.hardware.held.precision import WORD, Precision
from costlab.hardware.held.step import run_step

if TYPE_CHECKING:
    from torch import nn


class Ran(NamedTuple):
    """A forward pass or a step of training, the parts of what ran, its type, and whether it was traced."""

    ran: Inference | Training
    parts: tuple[Part, ...]
    dtype: str
    traced: bool = False


def of_definition(root: Node, batch: Dim, dtype: Precision, optimizer: Optimizer | None) -> Ran:
    """A walked definition, trained if there is an optimizer: on sizes alone, or else as its module.

    Raises:
        DefinitionError: it has nothing to train, or cannot be trained at this batch.
    """
    if optimizer is None:
        root = without_heads(root)
    if dtype == "amp" or not _says_what_it_saves(root):
        from costlab.algebra.modules import to_module

        sizes: Any = (batch, *root.input)
        return of_module(to_module(root), sizes, dtype, optimizer)
    word = WORD[dtype]
    parts = tuple(_part(node, word) for node in root.nodes() if isinstance(node.block, Operation))
    held = tuple(part for part in parts if part is not None)
    if optimizer is not None:
        return Ran(run_step(root, batch, word, optimizer), held, dtype)
    ran = forward(root, batch, word)
    return Ran(Inference(ran.flow, tuple(ran.moments), ran.given), held, dtype)


def of_module(
    module: "nn.Module",
    inputs: "Inputs | tuple[int, ...]",
    dtype: Precision | None,
    optimizer: Optimizer | None,
) -> Ran:
    """A module of PyTorch, traced; without a ``dtype`` it is as it is.

    Raises:
        DefinitionError, DependsOnDataError, TargetError: it cannot be traced.
    """
    from costlab.hardware.held.traced import parts_of, trace_inference, trace_training, type_of
    from costlab.tracing.process import ONE_RUN

    with ONE_RUN:  # while a module runs, what it holds is not its own
        parts = parts_of(module, dtype, inputs)
        held_in = dtype or type_of(module, inputs)
        if optimizer is None:
            return Ran(trace_inference(module, inputs, dtype), parts, held_in, traced=True)
        return Ran(trace_training(module, inputs, dtype, optimizer), parts, held_in, traced=True)


def _says_what_it_saves(root: Node) -> bool:
    """Whether every operation in it says what autograd keeps of it."""
    operations = (node.block for node in root.nodes() if isinstance(node.block, Operation))
    return all(type(each).saves is not Operation.saves for each in operations)


def _part(node: Node, word: int) -> Part | None:
    """What an operation holds itself, if it does."""
    assert isinstance(node.block, Operation)
    assert node.work is not None
    elements, whole_numbers = node.block.buffers(node.input)
    tensors = node.work.tensors
    if not tensors and not whole_numbers and isinstance(elements, int) and not elements:
        return None
    buffers = total((product(elements, word), whole_numbers * INT64))
    return Part(node.path, node.work.kind, product(total(tensors), word), buffers)
