"""The literature's own notation, read into blocks, and what a block does whatever its parts are called.

``3x3/2 384 V`` is a convolution with 384 filters, stride 2 and no padding (S, the default: half the kernel),
``AP3/1`` and ``MP3/2`` are average and max poolings, ``|`` parts branches, ``[ ]`` holds what is split
once more. What follows a convolution is the reader's ``style``.
"""

import re
from collections.abc import Callable
from typing import Any

from costlab.algebra import AvgPool2d, BatchNorm2d, Block, Conv2d, MaxPool2d, ReLU, concat, seq

Style = Callable[[int, tuple[int, int], int, tuple[int, int]], Block]


def with_norm(filters: int, kernel: tuple[int, int], stride: int, padding: tuple[int, int]) -> Block:
    """Convolution without bias, batch norm with eps 1e-3, ReLU."""
    return seq(Conv2d(filters, kernel, stride, padding, bias=False), BatchNorm2d(eps=1e-3), ReLU())


def with_bias(filters: int, kernel: tuple[int, int], stride: int, padding: tuple[int, int]) -> Block:
    """Convolution with bias, ReLU."""
    return seq(Conv2d(filters, kernel, stride, padding, bias=True), ReLU())


def layer(text: str, style: Style = with_norm, pool: Callable[[int, int], Block] = MaxPool2d) -> Block:
    if found := re.fullmatch(r"(\d+)x(\d+)(?:/(\d))? (\d+)( V)?", text):
        height, width, stride, filters = (int(number or 1) for number in found.groups()[:4])
        return style(filters, (height, width), stride, (0, 0) if found[5] else (height // 2, width // 2))
    pooling = re.fullmatch(r"(AP|MP)(\d)/(\d)", text)
    assert pooling, text
    kernel, step = int(pooling[2]), int(pooling[3])
    if step == 1:
        return (AvgPool2d if pooling[1] == "AP" else MaxPool2d)(kernel, step, padding=1)
    return pool(kernel, step) if pooling[1] == "MP" else AvgPool2d(kernel, step)


def module(text: str, style: Style = with_norm, pool: Callable[[int, int], Block] = MaxPool2d) -> Block:
    """Branches of chains of layers; square brackets hold branches within."""
    nested = re.findall(r"\[(.*?)\]", text)
    flat = re.sub(r"\[.*?\]", "#", text)
    inner = iter(nested)
    branches = [
        seq(
            *(
                module(next(inner), style) if part == "#" else layer(part, style, pool)
                for part in branch.split(", ")
            )
        )
        for branch in flat.split(" | ")
    ]
    return concat(*branches) if len(branches) > 1 else branches[0]


def outline(block: Block) -> Any:
    """What a block does, whatever its parts are called: operations and joins, sequences flattened."""
    children = [outline(child) for _, child in getattr(block, "children", ())]
    kind = type(block).__name__
    if kind == "Sequence":
        return [step for child in children for step in (child if isinstance(child, list) else [child])]
    if kind in ("Concat", "Add", "Auxiliary"):
        return (kind, [child if isinstance(child, list) else [child] for child in children])
    if isinstance(block, Conv2d) and block.padding == "same":
        kernel: Any = block.kernel
        height, width = kernel
        padding = (height // 2, width // 2)
        return Conv2d(block.filters, block.kernel, 1, padding, 1, block.groups, block.bias)
    return block
