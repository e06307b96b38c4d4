"""AnyNetX and RegNetX: four stages of X blocks, each with settings of its own, or all by one rule.

Sources: I. Radosavovic, R. P. Kosaraju, R. Girshick, K. He, P. Dollár, "Designing Network Design Spaces",
CVPR 2020, figures 3 and 4, equations 2 to 4; pycls, ``models/anynet.py``, ``models/regnet.py`` and
``dev/model_complexity.json``; torchvision, ``models/regnet.py``.
"""

from itertools import groupby
from math import log
from typing import Literal, TypeAlias

from blocks.layers import conv
from costlab.algebra import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Block,
    DefinitionError,
    Dim,
    Flatten,
    Linear,
    ReLU,
    add,
    as_count,
    block,
    seq,
)
from costlab.algebra.dim import DIM_MAX, equal, text
from costlab.algebra.ratio import whole_quotient

Port: TypeAlias = Literal["pycls", "torchvision"]
_NORM = BatchNorm2d()
_STEP = 8
"""What the widths of a RegNet are multiples of, before they are fitted to the groups."""


@block(figure="Radosavovic et al. 2020, figure 4", input="32x112x112")
def x_block(
    width: Dim = 32,
    stride: Literal[1, 2] = 2,
    group_width: Dim = 16,
    bottleneck: Dim = 1,
    projection: bool = True,
) -> Block:
    """X block, a bottleneck with groups beside a shortcut: ``(C, H, W) -> (width, H', W')``.

    Args:
        width: channels that go out.
        stride: of the 3x3 and of the projection.
        group_width: channels in each group of the 3x3; it divides the channels inside.
        bottleneck: how many times as many channels go out as are inside; it divides the width.
        projection: a 1x1 convolution on the shortcut; without it the input has as many channels as go out.
    """
    inner = whole_quotient("x_block: width", width, "bottleneck", bottleneck)
    inside = "width" if equal(bottleneck, 1) else "width / bottleneck"
    groups = whole_quotient(f"x_block: {inside}", inner, "group_width", group_width)
    shortcut = conv(width, 1, stride, padding=0, bn=_NORM, activation="linear") if projection else seq()
    residual = seq(
        conv(inner, 1, bn=_NORM),
        conv(inner, 3, stride, padding=1, groups=groups, bn=_NORM),
        conv(width, 1, bn=_NORM, activation="linear"),
    )
    return seq(sum=add(shortcut=shortcut, residual=residual), relu=ReLU())


@block(figure="Radosavovic et al. 2020, figure 3", input="32x112x112")
def x_stage(depth: int = 1, width: Dim = 32, group_width: Dim = 16, bottleneck: Dim = 1) -> Block:
    """A stage of X blocks, the first with stride 2: ``(C, H, W) -> (width, H / 2, W / 2)``, rounded up.

    Args:
        depth: how many blocks.
        width: channels that go out of each.
        group_width: channels in each group of their 3x3.
        bottleneck: how many times as many channels go out of a block as are inside.
    """
    as_count("x_stage: depth", depth)
    first = x_block(width, 2, group_width, bottleneck)
    others = x_block(width, 1, group_width, bottleneck, projection=False) if depth > 1 else seq()
    return seq(first, *[others] * (depth - 1))


@block(figure="Radosavovic et al. 2020, figure 3", input="3x224x224")
def anynet_x(
    d1: int = 1,
    d2: int = 2,
    d3: int = 7,
    d4: int = 12,
    w1: Dim = 32,
    w2: Dim = 64,
    w3: Dim = 160,
    w4: Dim = 384,
    bottleneck: Dim = 1,
    b1: Dim | None = None,
    b2: Dim | None = None,
    b3: Dim | None = None,
    b4: Dim | None = None,
    group_width: Dim = 16,
    g1: Dim | None = None,
    g2: Dim | None = None,
    g3: Dim | None = None,
    g4: Dim | None = None,
    stem_width: Dim = 32,
    num_classes: Dim = 1000,
) -> Block:
    """AnyNetX, by default RegNetX-400MF as published: ``(3, H, W) -> (num_classes,)``.

    The spaces of the paper: A has a ratio and a group width for each stage, B shares the ratio
    (``bottleneck``), C the group width too (``group_width``), D has widths that do not fall, E depths.

    Args:
        d1: blocks of the first stage.
        d2: of the second.
        d3: of the third.
        d4: of the fourth.
        w1: channels that go out of the first stage; none are rounded: the group width has to divide them.
        w2: of the second.
        w3: of the third.
        w4: of the fourth.
        bottleneck: how many times as many channels go out of a block as are inside, in all stages.
        b1: the same of the first stage, in place of ``bottleneck``.
        b2: of the second.
        b3: of the third.
        b4: of the fourth.
        group_width: channels in each group of a 3x3, in all stages.
        g1: the same of the first stage, in place of ``group_width``.
        g2: of the second.
        g3: of the third.
        g4: of the fourth.
        stem_width: channels of the first convolution.
        num_classes: features of the last linear layer.
    """
    own_bottlenecks, own_groups = (b1, b2, b3, b4), (g1, g2, g3, g4)
    ratios = [bottleneck if own is None else own for own in own_bottlenecks]
    groups = [group_width if own is None else own for own in own_groups]
    settings = zip((d1, d2, d3, d4), (w1, w2, w3, w4), groups, ratios, strict=True)
    return _anynet([x_stage(*each) for each in settings], stem_width, num_classes)


@block(figure="Radosavovic et al. 2020, section 3.3", input="3x224x224")
def regnet_x(
    depth: int = 22,
    w_0: int = 24,
    w_a: float = 24.48,
    w_m: float = 2.54,
    group_width: int = 16,
    num_classes: Dim = 1000,
    port: Port = "pycls",
) -> Block:
    """RegNetX, by default RegNetX-400MF: ``(3, H, W) -> (num_classes,)``.

    Block j has the width ``w_0 + w_a j``, rounded to ``w_0 w_m^k`` with the nearest whole ``k``, and that to
    a multiple of 8. Blocks of one width are a stage, whose width is then rounded to a multiple of the group
    width; a group is never wider than its stage.

    Args:
        depth: blocks of all stages.
        w_0: the width of the first block, a multiple of 8.
        w_a: by how much the width grows from block to block, before it is rounded.
        w_m: by which factor the width grows from stage to stage, before it is rounded.
        group_width: channels in each group of a 3x3.
        num_classes: features of the last linear layer.
        port: how a width is rounded to a multiple of the group width: to the nearest, halves to the even
            one, as published (384 in the last stage of RegNetX-400MF); or halves up, and never to less than
            nine tenths, as in torchvision (400 there, and as published in all others that it has).
    """
    if group_width < 1:
        raise DefinitionError(f"regnet_x: group_width={text(group_width)} must be at least 1")
    stages = []
    for width, blocks in _stages(depth, w_0, w_a, w_m):
        group = min(group_width, width)
        stages.append(x_stage(blocks, _fitted(width, group, port), group))
    return _anynet(stages, 32, num_classes)


def _anynet(stages: list[Block], stem_width: Dim, num_classes: Dim) -> Block:
    parts: dict[str, Block] = {"stem": conv(stem_width, 3, 2, padding=1, bn=_NORM)}
    parts |= {f"stage_{number}": stage for number, stage in enumerate(stages, 1)}
    parts["head"] = seq(pool=AdaptiveAvgPool2d(1), flatten=Flatten(), fc=Linear(num_classes))
    return seq(**parts)


def _stages(depth: int, w_0: int, w_a: float, w_m: float) -> list[tuple[int, int]]:
    """The width of each stage, and how many blocks it has."""
    as_count("regnet_x: depth", depth)
    if not (0 < w_0 <= DIM_MAX and w_0 % _STEP == 0):
        raise DefinitionError(f"regnet_x: w_0={text(w_0)} must be a positive multiple of {_STEP} below 2**31")
    if not 0 <= w_a <= DIM_MAX:
        raise DefinitionError(f"regnet_x: w_a={w_a} must be from 0 to 2**31")
    if not 1 < w_m <= DIM_MAX:
        raise DefinitionError(f"regnet_x: w_m={w_m} must be above 1 and below 2**31")
    powers = (round(log((w_0 + w_a * j) / w_0) / log(w_m)) for j in range(depth))
    widths = (round(w_0 * w_m**power / _STEP) * _STEP for power in powers)
    return [(width, len(list(blocks))) for width, blocks in groupby(widths)]


def _fitted(width: int, group: int, port: Port) -> int:
    """A width that the group width divides."""
    if port == "pycls":
        return round(width / group) * group
    fitted = (2 * width + group) // (2 * group) * group
    return fitted + group if 10 * fitted < 9 * width else fitted
