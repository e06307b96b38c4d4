"""The longest path, by hand and against a walk over all paths."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from costlab.algebra import (
    AvgPool2d,
    Block,
    Conv2d,
    Flatten,
    Linear,
    ReLU,
    Shape,
    add,
    auxiliary,
    concat,
    seq,
)
from costlab.algebra.combine import Auxiliary, Sequence
from costlab.counting.breakdown import depth
from costlab.counting.count import count
from tests.random_blocks import counted

CONV = Conv2d(4, 3, padding=1)


@pytest.mark.parametrize(
    ("block", "layers"),
    [
        (CONV, 1),
        (ReLU(), 0),
        (seq(), 0),
        (seq(CONV, ReLU(), CONV, AvgPool2d(2)), 2),
        (concat(CONV, seq(CONV, CONV, CONV), ReLU()), 3),
        (seq(concat(CONV, seq(CONV, CONV)), add(seq(), Conv2d(8, 1)), Flatten(), Linear(2)), 4),
        (seq(CONV, auxiliary(CONV, CONV, CONV), CONV), 2),
    ],
)
def test_by_hand(block: Block, layers: int) -> None:
    assert depth(count(block, (4, 8, 8)).root) == layers


@pytest.mark.parametrize(
    ("target", "layers"),
    [
        ("alexnet", 8),
        ("vgg16", 16),
        ("vgg19", 19),
        ("googlenet", 22),
        ("resnet50", 50),
        ("resnet101", 101),
        ("resnet152", 152),
        ("prelu_net_a", 19),
        ("prelu_net_b", 22),
        ("inception_v3", 48),
        ("inception_v3:aux=true", 48),
    ],
)
def test_networks_are_as_deep_as_they_are_called(target: str, layers: int) -> None:
    assert depth(count(target).root) == layers


def paths(block: Block) -> Iterator[int]:
    """Layers with weights along every path."""
    children = [child for _, child in getattr(block, "children", ())]
    if isinstance(block, Auxiliary):
        yield 0
    elif isinstance(block, Sequence):
        if not children:
            yield 0
            return
        first, rest = children[0], seq(*children[1:])
        for here in paths(first):
            for there in paths(rest):
                yield here + there
    elif children:
        for child in children:
            yield from paths(child)
    else:
        yield int(isinstance(block, Conv2d | Linear))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(counted())
def test_against_all_paths(example: tuple[Shape, Block]) -> None:
    x, block = example
    assert depth(count(block, x).root) == max(paths(block))
