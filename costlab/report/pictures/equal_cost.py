"""The picture of the choices of Inception v3 at equal cost: how much wider each lets the network be."""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from costlab.counting.count import count
from costlab.explore.scale import scale_to
from costlab.report.cell import human
from costlab.report.figure import COLORS, FAINT, SMALL, WIDTH, Picture, add_title, format_percents, wrap_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NETWORK = "inception_v3"
MEASURES = ("width", "parameters", "activations")
CHOICES: Mapping[str, tuple[str, str]] = {
    "1x7 and 7x1 for a 7x7": ("", "kernel_7x7=7x7"),
    "1x3 beside 3x1 for a 3x3": ("", "split_3x3=false"),
    "two 3x3 in a row for a 5x5": ("", "pair_3x3=5x5"),
    "three 3x3 for the stem's 7x7": ("", "stem_kernel=7x7"),
    "all four of these": ("", "kernel_7x7=7x7,split_3x3=false,pair_3x3=5x5,stem_kernel=7x7"),
    "reductions side by side, not convolution, then pooling": ("", "reductions=conv+pool"),
    "reductions side by side, not pooling, then convolution": ("", "reductions=pool+conv"),
    "n = 7, not 5": ("", "n=5"),
    "n = 7, not 3": ("", "n=3"),
    "two 3x3 for the last 5x5": ("branch_5x5=3x3+3x3", ""),
    "one 3x3 there, as in figure 5": ("branch_5x5=3x3", ""),
}
"""The settings of the network with each choice and without it: as released where there are none."""


class Sized(NamedTuple):
    """The widest network within a cost: its target, the widths that give it, and its quantities.

    ``width`` is the end of these widths, as a fraction in text: all below it are within the cost.
    """

    target: str
    interval: str
    width: str
    multiply_adds: int
    parameters: int
    activations: int

    def measure(self, name: str) -> Fraction:
        """The width or a quantity."""
        return Fraction(getattr(self, name))


class Choice(NamedTuple):
    """A choice, and the networks with it and without it at the same cost."""

    label: str
    having: Sized
    lacking: Sized

    def gain(self, measure: str) -> Fraction:
        """By what share the network with the choice has more than the one without it."""
        return self.having.measure(measure) / self.lacking.measure(measure) - 1


class EqualCost(NamedTuple):
    """The data: choices of the network, each at most at the released network's multiply-adds."""

    title: str
    most: int
    choices: tuple[Choice, ...]

    @property
    def least_used(self) -> Fraction:
        """The share of the cost that the network has which comes least near to it."""
        sized = [network for each in self.choices for network in (each.having, each.lacking)]
        return min(Fraction(network.multiply_adds, self.most) for network in sized)


@cache
def equal_cost() -> EqualCost:
    """The widest network with each choice and without it, at most at the released network's cost."""
    most = int(count(NETWORK).multiply_adds)
    every = dict.fromkeys(settings for pair in CHOICES.values() for settings in pair)
    sized = {settings: _widest(f"{NETWORK}:{settings}".rstrip(":"), most) for settings in every}
    return EqualCost(
        f"What each choice of Inception v3 allows at equal cost, {human(most)} multiply-adds",
        most,
        tuple(Choice(label, sized[having], sized[lacking]) for label, (having, lacking) in CHOICES.items()),
    )


def _widest(target: str, most: int) -> Sized:
    scaled = scale_to(target, most, axis="width")
    best, counted = scaled.best, scaled.count
    assert best is not None
    assert counted is not None
    sizes = (int(counted.size(measure)) for measure in ("multiply_adds", "parameters", "activations"))
    return Sized(best.target, best.interval, str(best.high), *sizes)


def equal_cost_picture() -> Picture[EqualCost]:
    """A panel each for the width, the parameters and the activations, a row for each choice."""
    alt = "Bars: by how much each choice of Inception v3 raises width, parameters, activations at equal cost"
    return Picture("equal_cost", alt, equal_cost(), draw_equal_cost, (WIDTH, 5.6))


def draw_equal_cost(figure: "Figure", data: EqualCost) -> None:
    """Draw what each choice allows."""
    add_title(figure, data.title)
    panels = figure.subplots(1, len(MEASURES), sharey=True)
    labels = [wrap_text(each.label, 30) for each in data.choices]
    panels[0].set_yticks(range(len(labels)), labels)
    panels[0].set_ylim(len(labels) - 0.5, -0.5)
    for axes, measure, color in zip(panels, MEASURES, COLORS, strict=False):
        _panel(axes, [float(each.gain(measure)) for each in data.choices], color)
        axes.set_title(measure, fontsize=SMALL + 1)
        axes.tick_params(axis="y", length=0)
    panels[1].set_xlabel("more with the choice than without it, at equal multiply-adds", fontsize=SMALL)


def _panel(axes: "Axes", gains: list[float], color: str) -> None:
    bars = axes.barh(range(len(gains)), gains, 0.6, color=color)
    axes.bar_label(bars, [f"{gain:+.1%}" for gain in gains], padding=3, fontsize=SMALL)
    axes.axvline(0, color=FAINT, linewidth=1)
    low, high = min(0.0, *gains), max(0.0, *gains)
    room = 0.5 * (high - low)  # for the labels
    axes.set_xlim(low - room * (low < 0), high + room)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=3)
    format_percents(axes.xaxis)
