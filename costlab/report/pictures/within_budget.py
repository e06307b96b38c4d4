"""The picture of what a budget buys: the largest width against the size of the input."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from costlab.algebra.shape import Shape
from costlab.counting.count import count
from costlab.explore.space import Space
from costlab.report.cell import human
from costlab.report.figure import COLORS, INK, WIDTH, Picture, add_title
from costlab.report.labels import Point, label_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NETWORK = "inception_v3"
BUDGET = 5_000_000_000
"""Multiply-adds of one input: the paper's abstract says "5 billion multiply-adds per inference"."""
WIDTHS = "0.3:3:0.01"
INPUTS = "139:395:32"
RELEASED = {
    "modules_35": "3",
    "modules_17": "4",
    "modules_8": "2",
    "pair_3x3": "'3x3+3x3'",
    "kernel_7x7": "'1x7+7x1'",
    "split_3x3": "true",
    "stem_kernel": "'3x3'",
}
"""The axes, with the released network's values as conditions name them."""
LINES: Mapping[str, Mapping[str, str]] = {
    "one module fewer on each grid": {"modules_35": "2", "modules_17": "3", "modules_8": "1"},
    "as released": {},
    "one module more on each grid": {"modules_35": "4", "modules_17": "5", "modules_8": "3"},
    "as released, not factorized": {
        "pair_3x3": "'5x5'",
        "kernel_7x7": "'7x7'",
        "split_3x3": "false",
        "stem_kernel": "'7x7'",
    },
}
"""What is not as released, for each line."""


class Line(NamedTuple):
    """By the size of the input the largest width within the budget, as text."""

    label: str
    widths: tuple[tuple[int, str], ...]


class Bought(NamedTuple):
    """The data; ``released`` is the size of the released network's input, and its multiply-adds."""

    title: str
    lines: tuple[Line, ...]
    released: tuple[int, int]


def bought() -> Bought:
    """The largest widths within the budget, in steps of the grid."""
    counted = count(NETWORK)
    shape = counted.input
    assert isinstance(shape, Shape)
    values = {
        axis: dict.fromkeys([own, *(line[axis] for line in LINES.values() if axis in line)])
        for axis, own in RELEASED.items()
    }
    axes = {axis: ",".join(each).replace("'", "") for axis, each in values.items()}
    space = Space(NETWORK, INPUTS, width=WIDTHS, **axes).where(f"multiply_adds <= {BUDGET}")
    return Bought(
        f"What {human(BUDGET).replace('.00', '')} multiply-adds buy: the largest width for each input",
        tuple(Line(label, _widths(space, {**RELEASED, **line})) for label, line in LINES.items()),
        (int(shape.height), int(counted.multiply_adds)),
    )


def _widths(space: Space, settings: Mapping[str, str]) -> tuple[tuple[int, str], ...]:
    """The largest width for each input, with these settings."""
    space = space.where(*(f"{axis} == {value}" for axis, value in settings.items()))
    (inputs,) = (axis.values for axis in space.axes if axis.name == "input")
    found = ((side, space.where(f"input == {side}").max("width")) for side in inputs)
    return tuple((side, str(member.values["width"])) for side, member in found if member)


def within_budget_picture() -> Picture[Bought]:
    """A line for each form of the network; the released one is marked."""
    alt = "Lines: the largest width of Inception v3 within 5 G multiply-adds against the size of its input"
    return Picture("within_budget", alt, bought(), draw_bought, (WIDTH, 5.0))


def draw_bought(figure: "Figure", data: Bought) -> None:
    """Draw widths against inputs."""
    add_title(figure, data.title)
    axes = figure.subplots()
    for line, color, marker in zip(data.lines, COLORS, "osD^", strict=False):
        at = [(side, float(width)) for side, width in line.widths]
        axes.plot(
            *zip(*at, strict=True), color=color, marker=marker, markersize=4, linewidth=1.5, label=line.label
        )
    side, multiply_adds = data.released
    axes.plot(side, 1, "*", color=INK, markersize=12)
    axes.grid(visible=True)
    axes.set_ylim(0, None)
    axes.set_xlabel("height and width of the input")
    axes.set_ylabel("the largest width within the budget")
    axes.legend(loc="upper right", frameon=True, framealpha=1, edgecolor="none")
    released = Point(side, 1, f"released: {human(multiply_adds)}", INK)
    lines = [[(at, float(width)) for at, width in line.widths] for line in data.lines]
    label_points(axes, [released], lines, [place for line in lines for place in line])
