"""A step of training of a definition, held against a trace of autograd, and against arithmetic by hand."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import costlab
from costlab import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Block,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    Operation,
    ReLU,
    Shape,
    Vector,
    Work,
    add,
    auxiliary,
    concat,
    count,
    seq,
)
from costlab.algebra import AnyShape
from costlab.errors import DefinitionError
from costlab.hardware.training_step import TrainingStep, training_step
from tests.random_blocks import blocks, fit, shapes

BATCH = 2
"""Inputs of a step that is traced: torch refuses to normalize one value."""
FEW = ("inception_c", "inception_e", "stem", "vgg16")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))


def held_against_the_trace(target: Any, x: AnyShape | None = None) -> None:
    stepped = training_step(count(target, x, batch=BATCH)).multiply_adds
    assert stepped == count(target, x, batch=BATCH, backward=True).multiply_adds, f"{target}"


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in FEW else pytest.mark.slow) for name in costlab.catalog()],
)
def test_networks_take_what_autograd_runs(name: str) -> None:
    held_against_the_trace(name)


@pytest.mark.parametrize(
    "name",
    ["mini:aux=bn,width=0.25", pytest.param("inception_v3:aux=true,width=0.25", marks=pytest.mark.slow)],
)
def test_heads_at_the_side_are_trained_too(name: str) -> None:
    held_against_the_trace(name)
    counted = count(name)
    assert training_step(counted.inference).forward == counted.inference.multiply_adds


@st.composite
def forks(draw: st.DrawFn) -> tuple[Shape, Block]:
    """Branches at the input itself, and what follows them."""
    x = draw(shapes)
    first, *others = (draw(blocks(x, 2)) for _ in range(draw(st.integers(2, 3))))
    is_sum = draw(st.booleans())
    fitted = [first, *(fit(other, x, first.output(x), is_sum) for other in others)]
    joined: Block = (add if is_sum else concat)(*fitted)
    return x, seq(joined, draw(blocks(joined.output(x), 1)))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
    database=None,
    print_blob=True,
)
@given(forks())
def test_random_forks_at_the_input_take_what_autograd_runs(example: tuple[Shape, Block]) -> None:
    x, block = example
    held_against_the_trace(block, x)


def conv(filters: Any, kernel: int = 1) -> Conv2d:
    return Conv2d(filters, kernel, padding="same", bias=False)


X = Shape(2, 4, 4)
ONE = 2 * 3 * 16
"""Multiply-adds of a 1x1 convolution of the input to three channels."""
TWO = 3 * 3 * 16
"""Of one of three channels to three."""
HAND: dict[str, tuple[Block, int, int]] = {
    "one convolution": (conv(3), ONE, 0),
    "one after another": (seq(conv(3), conv(3)), ONE + TWO, TWO),
    "two on the input": (concat(conv(3), conv(3)), 2 * ONE, 0),
    "two on the input, one more": (concat(conv(3), seq(conv(3), conv(3))), 2 * ONE + TWO, TWO),
    "what learns nothing before": (seq(ReLU(), MaxPool2d(1), conv(3)), ONE, 0),
    "what learns before": (seq(BatchNorm2d(), conv(3)), ONE, ONE),
    "a branch that learns": (seq(concat(seq(), BatchNorm2d()), conv(3)), 4 * 3 * 16, 4 * 3 * 16),
    "a join of what learns nothing": (seq(concat(seq(), ReLU()), conv(3)), 4 * 3 * 16, 0),
    "a sum of the input with what learns": (seq(add(seq(), conv(2)), conv(3)), 64 + ONE, ONE),
    "a head at the side of the input": (seq(auxiliary(conv(3), conv(3)), conv(3)), 2 * ONE + TWO, TWO),
    "a head that learns is not before": (seq(auxiliary(BatchNorm2d()), conv(3)), ONE, 0),
    "a head within": (seq(conv(3), auxiliary(conv(3)), conv(3)), ONE + 2 * TWO, 2 * TWO),
    "nothing to learn": (seq(ReLU(), AdaptiveAvgPool2d(1)), 0, 0),
}


@pytest.mark.parametrize("name", HAND)
def test_by_hand(name: str) -> None:
    block, forward, back = HAND[name]
    assert training_step(count(block, X)) == TrainingStep(forward, forward, back)
    held_against_the_trace(block, X)


class Gram(Operation):
    """The product of a vector with itself: both factors are the input."""

    kind = "gram"

    def output(self, x: AnyShape) -> Vector:
        return Vector(x[0] * x[0])

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        return Work(self.kind, multiply_adds=y[0], inputs=x[0], outputs=y[0])

    def module(self, x: AnyShape) -> Any:
        from torch import Tensor, nn

        class Product(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return (x.unsqueeze(-1) @ x.unsqueeze(-2)).flatten(1)

        return Product()


def test_a_product_of_what_is_learned_has_two_gradients() -> None:
    block = seq(Linear(3), Gram(), Linear(2))
    assert training_step(count(block, Vector(5))) == TrainingStep(42, 42, 27)
    held_against_the_trace(block, Vector(5))
    assert training_step(count(seq(Gram(), Linear(2)), Vector(3))) == TrainingStep(27, 18, 0)
    held_against_the_trace(seq(Gram(), Linear(2)), Vector(3))


def test_symbols_and_arrays() -> None:
    import numpy as np

    (width,) = costlab.symbols("width,")
    block = seq(conv(width), ReLU(), Flatten(), Linear(2))
    step = training_step(count(block, X, batch=3))
    once = 3 * (32 * width + 32 * width)
    assert (step.forward - once).is_zero
    assert (step.multiply_adds - (3 * once - 96 * width)).expand().is_zero
    several: Any = training_step(
        count(seq(conv(np.array([1, 2, 5])), ReLU(), Flatten(), Linear(2)), X)
    ).multiply_adds
    assert [int(each) for each in several] == [(192 - 32) * n for n in (1, 2, 5)]


def test_a_module_is_traced() -> None:
    from torch import nn

    with pytest.raises(DefinitionError, match=r"Linear: the step of a module of PyTorch is counted as it ru"):
        training_step(count(nn.Linear(3, 4), "1x3"))
