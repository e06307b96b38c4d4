"""The picture of the errors in design spaces: a step curve each, the share of members with at most an error.

Source: I. Radosavovic, J. Johnson, S. Xie, W.-Y. Lo and P. Dollár, "On Network Design Spaces for Visual
Recognition", ICCV 2019, which draws spaces so.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.report.cell import plural
from costlab.report.figure import BEHIND, INK, SMALL, WIDTH, Picture, add_title, wrap_text
from costlab.report.pictures.numbered_points import format_percents
from costlab.report.pictures.space_looks import BASELINE_LINE, in_legend, line_of_space, shade_of
from costlab.report.trained_members import baseline_of, errors_in, members_of, space_names
from costlab.report.trained_on import picture_title
from costlab.train.record import Run
from costlab.train.two_samples import distribution, largest_gap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST_ROOM = 0.005
"""The least room beside the errors."""
DIGITS = 6
BESIDE = 26
"""Letters in a line of the baseline's name."""
POINTS, LINE = 4.6, 0.2
"""The height in inches without the legend, and of a line of it."""


class Curve(NamedTuple):
    """The errors of the members of a space in ascending order, of which the curve climbs one step at each.

    ``place`` is that of the space in the record.
    """

    name: str
    place: int
    errors: tuple[float, ...]


class Gap(NamedTuple):
    """The largest gap between two curves: at which error, and from which share to which."""

    at: float
    low: float
    high: float


class Distributions(NamedTuple):
    """The data: a curve for each space with results, the error of the baseline, the gap of two spaces."""

    title: str
    baseline: str
    error: float | None
    curves: tuple[Curve, ...]
    gap: Gap | None

    @property
    def legend(self) -> list[str]:
        """What is said of each curve."""
        return [in_legend(f"{each.name}: {plural(len(each.errors), 'member')}") for each in self.curves]


def distributions_of(run: Run) -> Distributions:
    """The errors in each space of which a member came to a result."""
    members = members_of(run)
    found = ((name, place, errors_in(members, place)) for place, name in enumerate(space_names(run)))
    curves = tuple(
        Curve(name, place, tuple(round(error, DIGITS) for error in errors))
        for name, place, errors in found
        if errors
    )
    baseline = baseline_of(run)
    error = baseline.error if baseline else None
    return Distributions(
        f"{picture_title(run)}: errors of the members",
        baseline.label if baseline else "",
        None if error is None else round(error, DIGITS),
        curves,
        _gap(*curves) if len(curves) == 2 else None,
    )


def _gap(first: Curve, second: Curve) -> Gap | None:
    """The largest gap of two curves; None if they are one."""
    test = largest_gap(first.errors, second.errors)
    low, high = sorted(round(share, DIGITS) for share in test.shares)
    return Gap(test.at, low, high) if high > low else None


def distribution_picture(run: Run, name: str) -> Picture[Distributions]:
    """A step curve for each space."""
    data = distributions_of(run)
    alt = f"Steps: {picture_title(run)}; the share of the members of each space with at most some top-1 error"
    lines = sum(text.count("\n") + 1 for text in data.legend)
    return Picture(f"{name}_errors", alt, data, draw_distributions, (WIDTH, POINTS + LINE * lines))


def draw_distributions(figure: "Figure", data: Distributions) -> None:
    """Draw the curves, the baseline's error, and the gap."""
    add_title(figure, data.title)
    axes = figure.subplots()
    every = [error for curve in data.curves for error in curve.errors]
    every += [] if data.error is None else [data.error]
    room = max(0.06 * (max(every) - min(every)), LEAST_ROOM)
    ends = (min(every) - room, max(every) + room)
    axes.set(xlim=ends, ylim=(0, 1))
    for curve, text in zip(data.curves, data.legend, strict=True):
        steps = distribution(curve.errors)
        axes.plot(
            [ends[0], *steps.values, ends[1]],
            [0.0, *steps.shares, 1.0],
            drawstyle="steps-post",
            color=shade_of(curve.place),
            linestyle=line_of_space(curve.place),
            linewidth=2,
            label=text,
            clip_on=False,
        )
    if data.gap:
        _draw_gap(axes, data)
    if data.error is not None:
        _draw_baseline(axes, data.baseline, data.error)
    axes.set_xlabel("top-1 error on validation images")
    axes.set_ylabel("share of members with at most this error")
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    format_percents(axes.xaxis)
    format_percents(axes.yaxis)
    axes.grid(visible=True)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=1)


def _draw_gap(axes: "Axes", data: Distributions) -> None:
    """A line between the curves where they are farthest from each other, its length where there is room."""
    gap = data.gap
    assert gap is not None
    axes.plot([gap.at, gap.at], [gap.low, gap.high], color=INK, linewidth=1.4, zorder=4)
    half = (gap.low + gap.high) / 2
    climbs = [each.errors[min(int(half * len(each.errors)), len(each.errors) - 1)] for each in data.curves]
    to_the_right = max(climbs) - gap.at > gap.at - min(climbs)
    axes.annotate(
        f"D = {gap.high - gap.low:.3f}",
        (gap.at, half),
        xytext=(6 if to_the_right else -6, 0),
        textcoords="offset points",
        ha="left" if to_the_right else "right",
        va="center",
        fontsize=SMALL,
        bbox={**BEHIND, "alpha": 0.8},
        zorder=5,
    )


def _draw_baseline(axes: "Axes", label: str, error: float) -> None:
    """A line at the error of the baseline, with its name above the frame."""
    axes.axvline(error, **BASELINE_LINE)
    low, high = axes.get_xlim()
    part = (error - low) / (high - low)
    side = "left" if part < 1 / 4 else "right" if part > 3 / 4 else "center"
    above: Any = axes.get_xaxis_transform()
    text = wrap_text(f"baseline: {label}", BESIDE if side == "center" else 2 * BESIDE)
    axes.text(error, 1.015, text, transform=above, ha=side, va="bottom", fontsize=SMALL)
