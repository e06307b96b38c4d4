"""The multiply-adds of a step of training of a definition: forward, and the gradients that are wanted."""

from typing import NamedTuple

from costlab.algebra.block import Node
from costlab.algebra.combine import Auxiliary, Sequence
from costlab.algebra.dim import Dim, is_number, product, total
from costlab.algebra.work import Work
from costlab.counting.count import Count
from costlab.errors import DefinitionError


class TrainingStep(NamedTuple):
    """The multiply-adds of one step: of the way forward, and of the two kinds of gradients on the way back.

    What an optimizer does with the gradients hangs on no input, and is no part of it.
    """

    forward: Dim
    weight_gradients: Dim
    input_gradients: Dim

    @property
    def multiply_adds(self) -> Dim:
        """All of them: three times those of the way forward, less what no gradient is wanted of."""
        return total(self)


def training_step(count: Count) -> TrainingStep:
    """The multiply-adds of a step of training on the batch of a count, auxiliary heads as they are counted.

    An operation with weights takes as many multiply-adds for the gradient of its weights as forward, and as
    many again for that of its input, if the input depends on a parameter: the image does not, so the first
    convolution on each way from it does without. A product without weights is one of two things made of the
    input: both want their gradient, or neither does.

    Raises:
        DefinitionError: a module of PyTorch was counted, whose step is traced: ``count(..., backward=True)``.
    """
    if count.root.block.takes_tensors:
        raise DefinitionError(
            f"{count.label}: the step of a module of PyTorch is counted as it runs: count it with backward"
        )
    steps, _ = _steps(count.root, is_wanted=False)
    columns = zip(*steps, strict=True) if steps else ((), (), ())
    return TrainingStep(*(product(count.batch, total(column)) for column in columns))


def _steps(node: Node, *, is_wanted: bool) -> tuple[list[TrainingStep], bool]:
    """What each operation of a node takes, and whether the gradient of what comes out is wanted.

    ``is_wanted`` says so of what goes in.
    """
    match node.block:
        case Sequence():
            steps, after = _one_after_another(node, is_wanted=is_wanted)
            # what an auxiliary head puts out is an output of the network; what went in goes on
            return steps, is_wanted if isinstance(node.block, Auxiliary) else after
        case _ if node.children:
            branches = [_steps(child, is_wanted=is_wanted) for child in node.children]
            steps = [step for of_branch, _ in branches for step in of_branch]
            return steps, any(wanted for _, wanted in branches)
    assert node.work is not None
    learns = not _is_none(node.work.parameters)
    return [_step(node.work, is_wanted=is_wanted)], learns or is_wanted


def _one_after_another(node: Node, *, is_wanted: bool) -> tuple[list[TrainingStep], bool]:
    steps: list[TrainingStep] = []
    for child in node.children:
        of_child, is_wanted = _steps(child, is_wanted=is_wanted)
        steps += of_child
    return steps, is_wanted


def _step(work: Work, *, is_wanted: bool) -> TrainingStep:
    once = work.multiply_adds
    other = once if is_wanted or not _is_none(work.weights) else 0
    return TrainingStep(once, other, once if is_wanted else 0)


def _is_none(size: Dim) -> bool:
    return is_number(size) and size == 0
