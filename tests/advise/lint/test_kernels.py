"""Large kernels: their shares by hand, and what replaces them by PyTorch's own counter."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from costlab.advise.lint.finding import Finding
from costlab.advise.lint.lint import lint


def alexnet() -> nn.Sequential:
    """AlexNet as a single tower, as torchvision has it."""
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.AdaptiveAvgPool2d(6), nn.Flatten()),
        *(nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU()),
        *(nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)),
    )


def test_alexnet_by_hand() -> None:
    with torch.device("meta"):
        found = lint(alexnet(), (3, 224, 224))
    first, second = _large(found.findings)
    assert (first.path, first.numbers["multiply_adds"]) == ("0", 55**2 * 11**2 * 3 * 64)
    assert (second.path, second.numbers["multiply_adds"]) == ("3", 27**2 * 5**2 * 64 * 192)
    shares = [each.numbers["share_of_convolutions"] for each in (first, second)]
    assert [round(100 * share, 1) for share in shares] == [10.7, 34.2]
    convolutions = 13**2 * 9 * (192 * 384 + 384 * 256 + 256 * 256)
    whole = convolutions + first.numbers["multiply_adds"] + second.numbers["multiply_adds"]
    assert found.balance.multiply_adds_of_convolutions == whole
    assert found.balance.multiply_adds == whole + 9216 * 4096 + 4096 * 4096 + 4096 * 1000
    assert second.numbers["share"] == second.numbers["multiply_adds"] / found.balance.multiply_adds
    assert [(grid.sizes, grid.convolutions, grid.widest) for grid in found.grids] == [
        ((55, 55), 1, 64),
        ((27, 27), 1, 192),
        ((13, 13), 3, 384),
    ]
    assert found.grids[2].mean_width * 3 == 384 + 256 + 256
    assert found.grids[2].multiply_adds == convolutions
    assert sum(grid.share for grid in found.grids) == pytest.approx(1)


SMALL = {
    (5, 1, 2): {
        "3x3-pairs": [(3, 1, 1), (3, 1, 1)],
        "1xn+nx1": [((1, 5), 1, (0, 2)), ((5, 1), 1, (2, 0))],
    },
    (7, 2, 3): {
        "3x3-pairs": [(3, 1, 1), (3, 1, 1), (3, 2, 1)],
        "1xn+nx1": [((1, 7), (1, 2), (0, 3)), ((7, 1), (2, 1), (3, 0))],
    },
    (4, 2, 1): {"1xn+nx1": [((1, 4), (1, 2), (0, 1)), ((4, 1), (2, 1), (1, 0))]},
}
"""By kernel, stride and padding of a convolution those of what replaces it."""


@pytest.mark.parametrize("large", SMALL)
@pytest.mark.parametrize(("channels", "filters"), [(16, 16), (4, 64)])
def test_what_replaces_a_large_kernel(large: tuple[int, int, int], channels: int, filters: int) -> None:
    small: Any = SMALL[large]
    (finding,) = _large(lint(nn.Conv2d(channels, filters, *large), (channels, 20, 20)).findings)
    assert {each.scheme for each in finding.alternatives} == {*small}
    for each in finding.alternatives:
        parts = small[each.scheme]
        widths = [
            round(channels * (filters / channels) ** (part / len(parts))) for part in range(len(parts) + 1)
        ]
        layers = [nn.Conv2d(a, b, *part) for (a, b), part in zip(pairwise(widths), parts, strict=True)]
        counted = _multiply_adds(nn.Sequential(*layers), channels)
        assert each.multiply_adds == counted
        assert each.saved == finding.numbers["multiply_adds"] - counted
        assert (f"would save {each.saved:,}" in finding.change) == (each.saved > 0)


def test_where_smaller_kernels_would_cost_more() -> None:
    finding = lint(nn.Conv2d(32, 1, 5, padding=2), (32, 16, 16)).findings[0]
    assert all(each.saved < 0 for each in finding.alternatives)
    assert finding.change == "none of the paper's: smaller kernels would cost more here"


LAYERS = {
    "3x5": (nn.Conv2d(8, 8, (3, 5)), True),
    "same": (nn.Conv2d(8, 8, 4, padding="same"), True),
    "dilated": (nn.Conv2d(8, 8, 5, dilation=2), True),
    "dilated 3x3": (nn.Conv2d(8, 8, 3, dilation=4), False),
    "1x7": (nn.Conv2d(8, 8, (1, 7)), False),
    "depthwise": (nn.Conv2d(8, 8, 7, groups=8), False),
    "grouped": (nn.Conv2d(8, 8, 7, groups=2), False),
    "patches": (nn.Conv2d(8, 8, 8, 8), False),
    "overlapping": (nn.Conv2d(8, 8, 8, 4), True),
    "as large as the input": (nn.Conv2d(8, 8, 16), False),
    "transposed": (nn.ConvTranspose2d(8, 8, 7), False),
}


@pytest.mark.parametrize(("layer", "large"), LAYERS.values(), ids=LAYERS)
def test_which_kernels_are_large(layer: nn.Module, large: bool) -> None:
    assert [each.rule for each in lint(layer, (8, 16, 16)).findings] == ["large-kernel"] * large


def _large(findings: tuple[Finding, ...]) -> list[Finding]:
    return [each for each in findings if each.rule == "large-kernel"]


def _multiply_adds(module: nn.Module, channels: int) -> int:
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(1, channels, 20, 20))
    return int(counter.get_total_flops()) // 2
