"""The picture of the savings by smaller kernels in place of an n x n one, against n."""

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from costlab.counting.count import count
from costlab.report.figure import COLORS, WIDTH, Picture, add_title, format_percents, readable_on_white
from costlab.report.labels import Point, label_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = range(2, 12)
CHANNELS = 64


class Saving(NamedTuple):
    """The saving in multiply-adds of an n x n kernel, exactly, as text."""

    n: int
    saved: str


class Replacement(NamedTuple):
    """A replacement of n x n kernels, with its savings."""

    label: str
    savings: tuple[Saving, ...]


class Savings(NamedTuple):
    """The data; ``named`` are the curves and sizes whose savings are written beside the points."""

    title: str
    curves: tuple[Replacement, ...]
    named: tuple[tuple[int, int], ...]


def savings() -> Savings:
    """Counts of the kernels in the place of n x n, as many channels in as out, no batch norm, no bias."""
    plain = {n: _size(f"conv_nxn:n={n}") for n in SIZES}

    def curve(label: str, target: Callable[[int], str | None]) -> Replacement:
        targets = [(n, target(n)) for n in SIZES]
        return Replacement(
            label,
            tuple(Saving(n, str(1 - Fraction(_size(target), plain[n]))) for n, target in targets if target),
        )

    def rows_of(small: int) -> Callable[[int], str | None]:
        """So many small kernels in a row as see n x n, where that is possible."""

        def target(n: int) -> str | None:
            parts, rest = divmod(n - 1, small - 1)
            return None if rest or parts < 2 else f"conv_stack:n={small},parts={parts}"

        return target

    return Savings(
        f"What is saved of an n x n convolution, {CHANNELS} channels in and out",
        (
            curve("1 x n and n x 1", lambda n: f"conv_1xn_nx1:n={n}"),
            curve("3 x 3 in a row", rows_of(3)),
            curve("2 x 2 in a row", rows_of(2)),
            curve("depthwise, then 1 x 1", lambda n: f"conv_separable:n={n}"),
        ),
        ((0, 3), (0, 7), (1, 5), (1, 7), (2, 3)),
    )


def _size(target: str) -> int:
    return int(count(f"{target},channels={CHANNELS},bn=false").multiply_adds)


def savings_picture() -> Picture[Savings]:
    """A line for each replacement; those that the paper speaks of are named with what they save."""
    alt = "Lines: the share of multiply-adds saved against n, for kernels in the place of n x n"
    return Picture("savings", alt, savings(), draw_savings, (WIDTH, 5.0))


def draw_savings(figure: "Figure", data: Savings) -> None:
    """Draw savings against n."""
    add_title(figure, data.title)
    axes = figure.subplots()
    points, lines, others = [], [], []
    for i, (curve, color, marker) in enumerate(zip(data.curves, COLORS, "osD^", strict=False)):
        at = [(saving.n, float(Fraction(saving.saved))) for saving in curve.savings]
        axes.plot(*zip(*at, strict=True), color=color, marker=marker, markersize=5, linewidth=1.6)
        lines.append(at)
        axes.annotate(
            curve.label,
            at[-1],
            (9, 0),
            textcoords="offset points",
            va="center",
            color=readable_on_white(color),
            fontweight="bold",
        )
        points += [Point(n, saved, f"{n}x{n}: {saved:.1%}", color) for n, saved in at if (i, n) in data.named]
        others += [place for place in at if (i, place[0]) not in data.named]
    axes.set_xticks(SIZES)
    axes.set_xlim(SIZES[0] - 0.3, SIZES[-1] + 3.5)
    axes.set_ylim(-0.04, 1.05)
    axes.grid(visible=True, axis="y")
    format_percents(axes.yaxis)
    axes.set_xlabel("n, height and width of the kernel")
    axes.set_ylabel("multiply-adds saved")
    label_points(axes, points, lines, others)
