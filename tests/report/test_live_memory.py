"""The picture of live memory: its data against hand arithmetic and moments, its letters, what is drawn."""

from dataclasses import replace
from itertools import pairwise
from json import dumps, loads
from typing import Any, cast

import pytest
from matplotlib.patches import StepPatch

from costlab.algebra import BatchNorm2d, Conv2d, Dropout, Flatten, ReLU, concat, seq
from costlab.algebra.dim import symbols
from costlab.algebra.shape import Shape
from costlab.errors import DefinitionError
from costlab.hardware.held.moments import Inference, Moment, Training
from costlab.hardware.held.optimizer import Optimizer
from costlab.hardware.memory import Memory, memory
from costlab.report.figure import SMALL
from costlab.report.pictures.live_memory import (
    LEAST,
    LOOKS,
    Stretch,
    live_memory_of,
    live_memory_picture,
)
from tests.report.rendering import letters_of, overlaps, render

SMALL_NETWORK = seq(first=seq(conv=Conv2d(4, 3), bn=BatchNorm2d(), relu=ReLU()), second=Conv2d(2, 1))
LONG = seq(
    a_module_with_a_very_long_name_indeed_that_goes_on=seq(
        **{"another_such_module_" * 4: seq(**{"and_the_last_of_them_" * 4: Conv2d(64, 3)}), "relu": ReLU()}
    )
)


def step(**settings: Any) -> Memory:
    return memory("inception_v3", train=True, optimizer="rmsprop", momentum=True, batch=32, **settings)


def traced(modules: int, each: int) -> Memory:
    """A step of a module as a trace gives it: many operators, of which some are in no module."""
    names = [f"layers.{k}.linear" if k % 5 else "" for k in range(modules)]
    ways: list[tuple[Any, list[str]]] = [("forward", names), ("loss", [""]), ("backward", names[::-1])]
    moments = [
        Moment(path, phase, 10**6 * (1 + k % 7) + len(path))
        for phase, paths in ways
        for path in paths
        for k in range(each)
    ]
    ran = Training((), (*moments, *[Moment("", "optimizer", 5)] * each), 40, 80, 12)
    net = "nets.py:make_a_network_of_many_layers:width=512,depth=48,heads=16,dropout=0.1,classes=21843"
    return Memory(net, Shape(3, 224, 224), 8, "float32", (), ran, Optimizer("adam", False), traced=True)


def test_the_data_of_a_small_network_by_hand() -> None:
    """A convolution's 4 x 6 x 6 numbers of 4 bytes; batch norm holds its input; ReLU is a call as that is."""
    data = live_memory_of(memory(SMALL_NETWORK, (3, 8, 8)))
    one = 4 * 6 * 6 * 4
    assert data.stretches == (
        Stretch("forward", "first", (one, 2 * one, 2 * one)),
        Stretch("forward", "second", (one + one // 2,)),
    )
    assert (data.live, data.peak) == ((one, 2 * one, 2 * one, 3 * one // 2), "first.bn")
    assert data.phases == ("forward",) * 4
    assert data.edges == (0, 0.25, 0.5, 0.75, 1)
    weights, buffers, given = 4 * (4 * 3 * 9 + 4 + 2 * 4 + 4 * 2 + 2), 4 * 2 * 4 + 8, 4 * 3 * 8 * 8
    assert data.stays == weights + buffers + given


def test_the_data_of_a_step_is_that_of_its_moments() -> None:
    held = step()
    data = live_memory_of(held)
    assert data.live == tuple(moment.live for moment in held.moments)
    assert data.phases == tuple(moment.phase for moment in held.moments)
    assert max(data.live) == 3_151_334_824
    assert data.peak == held.peak.path == "mixed_7c.b3x3dbl.0.conv"
    modules = [each.module for each in data.stretches if each.phase == "forward"]
    assert [modules[0], *modules[-2:]] == ["stem", "mixed_7c", "head"]
    back = [each.module for each in data.stretches if each.phase == "backward"]
    assert back == ["loss", *reversed(modules)]
    assert len(live_memory_of(held, depth=2).stretches) > 2 * len(data.stretches)


def test_a_phase_of_one_moment_is_wide_enough_to_be_seen() -> None:
    data = live_memory_of(step())
    edges = data.edges
    assert (edges[0], round(edges[-1], 9), len(edges)) == (0, 1, len(data.live) + 1)
    assert all(a < b for a, b in pairwise(edges))
    assert data.phases[-2:] == ("backward", "optimizer")
    assert 0.9 * LEAST < edges[-1] - edges[-2] <= LEAST
    forward = [
        b - a for (a, b), phase in zip(pairwise(edges), data.phases, strict=True) if phase == "forward"
    ]
    assert max(forward) == pytest.approx(min(forward))


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("a step", step()),
        ("inference", memory("inception_v3")),
        ("one operation", memory(Conv2d(4, 3), (3, 8, 8))),
        ("a step of one", memory(Conv2d(4, 3), (3, 8, 8), train=True)),
        ("long names", memory(LONG, (3, 8, 8), train=True)),
        ("branches", memory(concat(a=Conv2d(900, 1), b=Conv2d(1, 1)), (3, 300, 300))),
        ("many layers", memory(seq(*(Conv2d(3, 1) for _ in range(150))), (3, 4, 4), train=True)),
        ("a trace", traced(48, 20)),
    ],
)
def test_letters_can_be_read_and_what_is_drawn_is_the_data(name: str, held: Memory) -> None:
    picture = live_memory_picture(held)
    data = picture.data
    assert loads(dumps(data)) == loads(dumps(tuple(data)))
    figure = render(picture)
    letters = letters_of(figure)
    assert overlaps(letters) == []
    assert [each.text for each in letters if each.size < SMALL] == []
    width, height = figure.get_size_inches() * figure.dpi
    assert [
        each.text
        for each in letters
        if each.box.x0 < 0 or each.box.y0 < 0 or each.box.x1 > width or each.box.y1 > height
    ] == []
    (axes,) = figure.axes
    *filled, line = [each for each in axes.patches if isinstance(each, StepPatch)]
    sizes, edges, _ = line.get_data()
    assert (tuple(sizes), tuple(edges)) == (data.live, data.edges)
    assert [each.get_label() for each in filled] == [LOOKS[phase][0] for phase in dict.fromkeys(data.phases)]
    assert [size for each in filled for size in each.get_data()[0]] == [*data.live]
    assert bool(figure.legends) == (held.optimizer is not None)
    (mark,) = [each for each in axes.lines if each.get_marker() == "o"]
    place: Any = mark.get_xydata()
    x, y = map(float, place[0])
    assert y == held.peak.live
    start = max(edge for edge in data.edges if edge <= x)
    assert data.live[data.edges.index(start)] == held.peak.live
    (words,) = [each.text for each in letters if each.text.startswith("peak: ")]
    where = "".join(words.split("\n")[1:])
    assert where.startswith("from the loss" if data.peak == "loss" else data.peak[:40])


def test_modules_are_named_where_they_run() -> None:
    held = memory("inception_v3")
    data = live_memory_of(held)
    (axes,) = render(live_memory_picture(held)).axes
    named = {
        label.get_text(): float(at)
        for at, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    }
    assert [*sorted(named, key=lambda name: named[name])] == [each.module for each in data.stretches]
    start = 0
    for each in data.stretches:
        end = start + len(each.live)
        assert named[each.module] == pytest.approx((data.edges[start] + data.edges[end]) / 2)
        start = end


def test_the_digest_is_of_the_data() -> None:
    held = memory(SMALL_NETWORK, (3, 8, 8))
    digest = live_memory_picture(held).digest
    assert live_memory_picture(held, "another").digest == digest
    ran = cast("Inference", held.ran)
    for place, moment in enumerate(ran.moments):
        moments = (*ran.moments[:place], moment._replace(live=1), *ran.moments[place + 1 :])
        assert live_memory_picture(replace(held, ran=ran._replace(moments=moments))).digest != digest
    assert live_memory_picture(replace(held, label="another")).digest != digest


def test_what_has_no_peak_is_not_drawn() -> None:
    with pytest.raises(DefinitionError, match="nothing is allocated, and there is nothing to draw"):
        live_memory_picture(memory(seq(Flatten(), Dropout()), (3, 4, 4)))
    with pytest.raises(DefinitionError, match="plain numbers only"):
        live_memory_picture(memory(Conv2d(2, 1), (3, 4, 4), batch=symbols("N")))
