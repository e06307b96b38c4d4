"""Numbers of large spaces, as the networks gave them when they were counted one by one, or in arrays."""

from typing import Any

import pytest

from costlab import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Block,
    Conv2d,
    Dim,
    Flatten,
    Linear,
    ReLU,
    add,
    block,
    seq,
)
from costlab.explore.space import Space

CHOICES: dict[str, list[Any]] = {
    "branch_5x5": ["5x5", "3x3+3x3", "3x3"],
    "pair_3x3": ["3x3+3x3", "5x5"],
    "kernel_7x7": ["1x7+7x1", "7x7"],
    "split_3x3": [True, False],
    "reductions": ["parallel", "pool+conv", "conv+pool"],
    "stem_kernel": ["3x3", "7x7"],
    "stem_stride": [2, 1],
    "stem_pool": [True, False],
}
FINE: dict[str, list[Any]] = CHOICES | {
    "n": [3, 5, 7, 9, 11],
    "modules_35": [*range(1, 7)],
    "modules_17": [*range(1, 9)],
    "modules_8": [*range(1, 5)],
}
BUDGET = "multiply_adds <= 5e9 and parameters <= 25e6 and activations <= 12e6"


def _conv(filters: Dim, kernel: int, stride: int = 1, groups: Dim = 1) -> Block:
    return seq(
        Conv2d(filters, kernel, stride, padding=kernel // 2, groups=groups, bias=False), BatchNorm2d(), ReLU()
    )


@block()
def x_block(width: Dim = 64, stride: int = 1, projected: bool = False) -> Block:
    """A bottleneck of ratio 1 with groups of 8 channels."""
    shortcut = seq(Conv2d(width, 1, stride, bias=False), BatchNorm2d()) if projected else seq()
    return add(shortcut, seq(_conv(width, 1), _conv(width, 3, stride, width // 8), _conv(width, 1)))


@block()
def stage(width: Dim = 64, depth: int = 1) -> Block:
    """As many X blocks, the first with stride 2."""
    return seq(*(x_block(width, 1 if place else 2, place == 0) for place in range(depth)))


@block(input="3x224x224")
def four_stages(
    w1: Dim = 64,
    w2: Dim = 128,
    w3: Dim = 256,
    w4: Dim = 512,
    d1: int = 1,
    d2: int = 1,
    d3: int = 1,
    d4: int = 1,
) -> Block:
    """AnyNetX as its paper has it, with one group width."""
    stages = (stage(w1, d1), stage(w2, d2), stage(w3, d3), stage(w4, d4))
    return seq(_conv(32, 3, 2), *stages, AdaptiveAvgPool2d(1), Flatten(), Linear(1000))


WIDTHS = [round(0.25 + 0.01 * step, 2) for step in range(176)]


def test_what_does_not_fit_a_small_grid() -> None:
    axes = {name: CHOICES[name] for name in ("stem_kernel", "stem_stride", "stem_pool", "reductions")}
    space = Space("inception_v3", input=range(30, 110), width=[0.5, 1.0], modules_8=[1, 2], **axes)
    assert len(space) == 7_680
    assert space.count() == 7_680 - 1_536
    assert sum(each.members for each in space.misfits()) == 1_536


def test_three_quarters_of_a_million() -> None:
    space = Space(
        "inception_v3",
        input=[139, 203, 299, 331],
        width=[0.25, 0.5, 0.75, 1.0, 1.25, 1.5],
        n=[3, 5, 7],
        modules_35=[1, 2, 3],
        modules_17=[1, 2, 4],
        modules_8=[1, 2],
        **CHOICES,
    )
    assert len(space) == 746_496
    best = space.where(BUDGET).top(3)
    assert [each.multiply_adds for each in best] == [4_999_705_800, 4_999_693_704, 4_999_651_520]
    assert len(space.front("multiply_adds", "-parameters")) == 698
    assert space.near("1%", 5_713_216_096).count() == 2_905


def test_a_hundred_million() -> None:
    space = Space("inception_v3", input=range(139, 332), width=[1.0], **FINE)
    assert len(space) == 106_721_280
    asked = space.where(BUDGET)
    assert asked.count() == 2_588_022
    largest = asked.max()
    assert largest is not None
    assert largest.multiply_adds == 4_999_998_208


@pytest.mark.slow
def test_a_hundred_million_small_ones() -> None:
    space = Space("inception_v3", input=range(139, 332), width=[0.25], **FINE)
    assert space.where(BUDGET).count() == 83_934_063


@pytest.mark.slow
def test_nineteen_billion() -> None:
    space = Space("inception_v3", input=range(139, 332), width=WIDTHS, **FINE)
    assert len(space) == 18_782_945_280
    assert space.where(BUDGET).count() == 2_777_203_698


@pytest.mark.slow
def test_eighteen_million_million() -> None:
    depths, widths = [*range(1, 17)], [*range(8, 1025, 8)]
    axes = {f"d{stage}": depths for stage in range(1, 5)} | {f"w{stage}": widths for stage in range(1, 5)}
    space = Space(four_stages, **axes)
    assert space.size == 17_592_186_044_416
    assert space.where("multiply_adds <= 600e6").count() == 39_976_796_541
    assert space.near("1%", "400e6").count() == 748_999_888
