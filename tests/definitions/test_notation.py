"""The definitions against a transcription of the released network in the literature's own notation.

``3x3/2 384 V`` is a convolution with 384 filters, stride 2 and no padding (S, the default: same size),
``AP3/1`` and ``MP3/2`` are average and max poolings, ``|`` parts branches, ``[ ]`` holds what is split
once more. Every convolution is one without bias, with batch norm (eps 1e-3) and ReLU behind it.
"""

import re
from typing import Any

import pytest

import costlab
from costlab.algebra import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Block,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    auxiliary,
    concat,
    seq,
)

A = "1x1 64 | 1x1 48, 5x5 64 | 1x1 64, 3x3 96, 3x3 96 | AP3/1, 1x1 {p}"
C = "1x1 192 | 1x1 {c}, 1x7 {c}, 7x1 192 | 1x1 {c}, 7x1 {c}, 1x7 {c}, 7x1 {c}, 1x7 192 | AP3/1, 1x1 192"
E = "1x1 320 | 1x1 384, [1x3 384 | 3x1 384] | 1x1 448, 3x3 384, [1x3 384 | 3x1 384] | AP3/1, 1x1 192"
RELEASED = {
    "stem": "3x3/2 32 V, 3x3 32 V, 3x3 64, MP3/2, 1x1 80, 3x3 192 V, MP3/2",
    "mixed_5b": A.format(p=32),
    "mixed_5c": A.format(p=64),
    "mixed_5d": A.format(p=64),
    "mixed_6a": "3x3/2 384 V | 1x1 64, 3x3 96, 3x3/2 96 V | MP3/2",
    "mixed_6b": C.format(c=128),
    "mixed_6c": C.format(c=160),
    "mixed_6d": C.format(c=160),
    "mixed_6e": C.format(c=192),
    "mixed_7a": "1x1 192, 3x3/2 320 V | 1x1 192, 1x7 192, 7x1 192, 3x3/2 192 V | MP3/2",
    "mixed_7b": E,
    "mixed_7c": E,
}


def layer(text: str) -> Block:
    if found := re.fullmatch(r"(\d)x(\d)(?:/(\d))? (\d+)( V)?", text):
        height, width, stride, filters = (int(number or 1) for number in found.groups()[:4])
        padding = (0, 0) if found[5] else (height // 2, width // 2)
        conv = Conv2d(filters, (height, width), stride, padding, bias=False)
        return seq(conv, BatchNorm2d(eps=1e-3), ReLU())
    pooling = re.fullmatch(r"(AP|MP)(\d)/(\d)", text)
    assert pooling, text
    kernel, step = int(pooling[2]), int(pooling[3])
    if pooling[1] == "MP":
        return MaxPool2d(kernel, step)
    return AvgPool2d(kernel, step, padding=1 if step == 1 else 0)


def module(text: str) -> Block:
    """Branches of chains of layers; square brackets hold branches within."""
    nested = re.findall(r"\[(.*?)\]", text)
    flat = re.sub(r"\[.*?\]", "#", text)
    inner = iter(nested)
    branches = [
        seq(*(module(next(inner)) if part == "#" else layer(part) for part in branch.split(", ")))
        for branch in flat.split(" | ")
    ]
    return concat(*branches) if len(branches) > 1 else branches[0]


def outline(block: Block) -> Any:
    """What a block does, whatever its parts are called: operations and joins, sequences flattened."""
    children = [outline(child) for _, child in getattr(block, "children", ())]
    kind = type(block).__name__
    if kind == "Sequence":
        return [step for child in children for step in (child if isinstance(child, list) else [child])]
    if kind in ("Concat", "Auxiliary"):
        return (kind, [child if isinstance(child, list) else [child] for child in children])
    if isinstance(block, Conv2d) and block.padding == "same":
        kernel: Any = block.kernel
        height, width = kernel
        return Conv2d(block.filters, block.kernel, 1, (height // 2, width // 2), bias=block.bias)
    return block


@pytest.fixture(scope="module")
def released() -> dict[str, Block]:
    network: Any = costlab.catalog()["inception_v3"](aux=True)
    return dict(network.children)


def test_the_modules_come_in_the_released_order(released: dict[str, Block]) -> None:
    names = list(RELEASED)
    assert list(released) == [*names[:9], "aux", *names[9:], "head"]


@pytest.mark.parametrize("name", RELEASED)
def test_each_module_is_as_transcribed(name: str, released: dict[str, Block]) -> None:
    assert outline(released[name]) == outline(module(RELEASED[name]))


def test_the_head_and_the_auxiliary_head(released: dict[str, Block]) -> None:
    head = seq(AdaptiveAvgPool2d(1), Dropout(0.5), Flatten(), Linear(1000, bias=True))
    assert outline(released["head"]) == outline(head)
    side = auxiliary(AvgPool2d(5, 3), layer("1x1 128"), layer("5x5 768 V"), Flatten(), Linear(1000))
    assert outline(released["aux"]) == outline(side)
