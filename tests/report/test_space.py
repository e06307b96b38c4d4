"""The picture of a space: cells, front and budgets against counts one by one, and letters on any space."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.lines import Line2D

from costlab.algebra import Block, MaxPool2d, block, seq
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.explore.space import Space
from costlab.report.figure import SMALL
from costlab.report.pictures import space as pictures
from costlab.report.pictures.space import BUDGET, Density, density_of, space_picture
from tests.report.rendering import letters_of, overlaps, render
from tests.sampling import one_in

LAYERS = {"n": [1, 2, 3, 5, 7], "channels": [*range(3, 60, 2)], "bn": [True, False]}


@block(input="3x40x40")
def pooled(size: int = 3) -> Block:
    """Nothing but a pooling."""
    return seq(MaxPool2d(size))


@block(input="3x4x4")
def never(size: int = 2) -> Block:
    """Two poolings, of which one is too large."""
    return seq(MaxPool2d(size), MaxPool2d(7 - size))


def layers(**more: Any) -> Space:
    return Space("conv_nxn", **{**LAYERS, **more})


def counted(space: Space) -> list[tuple[int, int]]:
    """Multiply-adds and parameters of every member, one by one."""
    found = []
    for n in LAYERS["n"]:
        for channels in next(axis.values for axis in space.axes if axis.name == "channels"):
            for bn in LAYERS["bn"]:
                each = count("conv_nxn", n=n, channels=channels, bn=bn)
                found.append((int(each.multiply_adds), int(each.parameters)))
    return found


def in_cells(data: Density, members: list[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(
            sum(left <= x < right and low <= y < high for x, y in members)
            for low, high in pairwise(data.edges[1])
        )
        for left, right in pairwise(data.edges[0])
    )


def best(members: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those with more parameters than any that has no more multiply-adds."""
    found: list[tuple[int, int]] = []
    for x, y in sorted(set(members), key=lambda each: (each[0], -each[1])):
        if not found or y > found[-1][1]:
            found.append((x, y))
    return found


def test_cells_and_front_against_counts_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "FEW", 100)
    space = layers().where("multiply_adds <= 2e7 and parameters <= 8000 and activations >= 2")
    members = counted(space)
    data = density_of(space)
    assert (data.members, data.drawn) == (len(members), len(members)) == (290, 290)
    assert data.cells == in_cells(data, members)
    assert sum(map(sum, data.cells)) == 290
    assert list(data.front) == best([each for each in members if each[0] <= 2e7 and each[1] <= 8000])
    assert len(data.front) > 5
    assert data.limits == ((20_000_000,), (8000,))
    base = count("conv_nxn")
    assert data.baseline == ("conv_nxn", base.multiply_adds, base.parameters)
    within = sum(x <= 2e7 and y <= 8000 for x, y in members)
    assert data.title.startswith(f"conv_nxn: 290 members\n{within} with multiply_adds <= 2e7")
    for edges, far in zip(data.edges, zip(*members, strict=True), strict=True):
        assert list(edges) == sorted(set(edges))
        assert edges[0] <= min(far)
        assert edges[-1] > max(far)


def test_of_more_members_some_are_drawn_into_the_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "FEW", 100)
    monkeypatch.setattr(pictures, "COUNTED", 200)
    monkeypatch.setattr(pictures, "DRAWN", 150)
    space = layers()
    data = density_of(space)
    assert (data.members, data.drawn) == (290, 150)
    every = in_cells(data, counted(space))
    pairs = [pair for both in zip(data.cells, every, strict=True) for pair in zip(*both, strict=True)]
    assert sum(drawn for drawn, _ in pairs) == 150
    assert all(drawn <= there for drawn, there in pairs)
    assert density_of(space) == data


def test_totals_beyond_64_bits_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    space = layers(channels=[2**k for k in range(3, 30)])
    members = counted(space)
    assert max(each for each, _ in members) > 2**63
    assert list(density_of(space).points) == sorted(members)
    monkeypatch.setattr(pictures, "FEW", 10)
    data = density_of(space)
    assert data.cells == in_cells(data, members)
    assert list(data.front) == best(members)


def test_what_no_member_meets_is_still_drawn_and_what_does_not_fit_is_refused() -> None:
    data = density_of(layers().where("multiply_adds < 5"))
    assert data.front == ()
    assert "\n0 with" in data.title
    assert data.limits == ((), ())  # it is far from all members
    with pytest.raises(DefinitionError, match="no member fits, and there is nothing to draw"):
        density_of(Space(never, size=[2, 5]))


SPACES: dict[str, Callable[[], Space]] = {
    "few": lambda: Space("inception_v3", n=[3, 5, 7], kernel_7x7=["1x7+7x1", "7x7"], width=[0.9, 1]).where(
        "multiply_adds <= 5e9 and parameters <= 20e6"
    ),
    "one axis": lambda: Space("inception_v3", width="0.25:2:0.05"),
    "one member": lambda: Space("inception_v3", n=[5]).where("multiply_adds <= 5e9"),
    "the same parameters": lambda: Space("inception_v3", input="139:395", stem_pool=[True, False]),
    "nearly the same": lambda: Space("inception_v3", num_classes=[1000, 1001, 1002, 1003]),
    "many conditions": lambda: layers(channels=[*range(3, 200)]).where(
        "multiply_adds <= 2e7 and parameters <= 25e3 and activations <= 12e6 and n <= 7 and n >= 2 and n < 9"
    ),
    "huge": lambda: layers(channels=[2**k for k in range(3, 30)]),
    "nothing": lambda: Space(pooled, size="2:10"),
    "a long name": lambda: Space(
        "inception_v3:branch_5x5=3x3+3x3,kernel_7x7=7x7,stem_kernel=7x7", n=[3, 5, 7]
    ),
}


@pytest.mark.parametrize("name", one_in(3, SPACES))
def test_any_space_is_drawn_where_its_data_says_with_letters_that_can_be_read(name: str) -> None:
    picture = space_picture(SPACES[name]())
    figure = render(picture)
    refuse_other_places(figure.axes[0], picture.data)
    letters = letters_of(figure)
    assert len(letters) > 5
    assert overlaps(letters) == []
    assert min(each.size for each in letters) >= SMALL
    width, height = figure.get_size_inches() * figure.dpi
    assert all(each.box.x0 >= 0 and each.box.x1 <= width for each in letters)
    assert all(each.box.y0 >= 0 and each.box.y1 <= height for each in letters)
    for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = [tick.label1.get_text() for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        assert len(set(ticks)) == len(ticks) > 0


def refuse_other_places(axes: Axes, data: Density) -> None:
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    if data.points:
        assert places(lines["members"]) == floats(data.points)
    else:
        (mesh,) = axes.collections
        assert isinstance(mesh, QuadMesh)
        found: Any = mesh.get_array()
        wanted = [[*row] for row in zip(*data.cells, strict=True)]
        assert found.filled(0).reshape(len(wanted), -1).tolist() == wanted
        corners: Any = mesh.get_coordinates()
        assert corners[0, :, 0].tolist() == [float(edge) for edge in data.edges[0]]
        assert corners[:, 0, 1].tolist() == [float(edge) for edge in data.edges[1]]
    if data.front:
        front = lines["the most parameters for the multiply-adds"]
        assert front.get_drawstyle() == "steps-post"
        assert places(front) == floats(data.front)
    wanted_lines = [[(limit, 0), (limit, 1)] for limit in data.limits[0]]
    wanted_lines += [[(0, limit), (1, limit)] for limit in data.limits[1]]
    assert [places(line) for line in axes.get_lines() if line.get_color() == BUDGET] == wanted_lines
    baselines = [places(line) for line in axes.get_lines() if line.get_marker() == "D"]
    assert baselines == ([floats([data.baseline[1:]])] if data.baseline else [])


def places(line: Line2D) -> list[tuple[float, float]]:
    drawn: Any = line.get_xydata()
    return [(x, y) for x, y in drawn.tolist()]


def floats(pairs: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in pairs]
