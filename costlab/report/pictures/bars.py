"""The picture of a comparison: multiply-adds, parameters and activations by the baseline, as bars."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.algebra.combine import UNVERIFIED
from costlab.counting.compare import Comparison
from costlab.report.cell import human, in_percent
from costlab.report.figure import (
    BEHIND,
    COLORS,
    HATCHES,
    SMALL,
    WIDTH,
    Picture,
    add_title,
    format_ratios,
    wrap_text,
)
from costlab.report.tables.count import NOT_VERIFIED, listed, titles_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THICKNESS = 0.27
MANY = 9
"""A cost of more than ten times the baseline is stated as a factor, not in percent."""
FAR = 100
"""The factor between ratios from which on the axis is logarithmic."""

TICKS = 8
"""The most on that axis."""


class Bars(NamedTuple):
    """The data: per variant and quantity the size, its ratio to the baseline, and the saving as text."""

    title: str
    baseline: str
    variants: tuple[str, ...]
    sizes: tuple[tuple[int, ...], ...]
    relative: tuple[tuple[float, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    measures: tuple[str, ...]

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest ratio, including the 1 of the baseline."""
        drawn = [1.0, *(ratio for row in self.relative for ratio in row if ratio)]
        return min(drawn), max(drawn)

    @property
    def logarithmic(self) -> bool:
        """Whether the ratios are too far apart for a linear axis."""
        return self.ends[1] > FAR * self.ends[0]


def bars_of(comparison: Comparison) -> Bars:
    """The data of the picture, for every variant and the baseline.

    Raises:
        DefinitionError: one of them is counted in part: there is no ratio of it.
    """
    for count in comparison.counts:
        count.refuse_partial("there is no ratio to draw")
    relative, texts = [], []
    for count in comparison.counts:
        ratios = [comparison.ratio(count, name) for name in comparison.measures]
        relative.append(tuple(0.0 if ratio is None else float(ratio) for ratio in ratios))
        texts.append(
            tuple(
                "none in the baseline" if ratio is None else _saving_in_words(1 - ratio) for ratio in ratios
            )
        )
    return Bars(
        comparison.title,
        comparison.baseline.shown,
        tuple(count.shown for count in comparison.counts),
        tuple(tuple(int(count.size(name)) for name in comparison.measures) for count in comparison.counts),
        tuple(relative),
        tuple(texts),
        titles_of(comparison.baseline),
    )


def compare_picture(comparison: Comparison, name: str = "") -> Picture[Bars]:
    """Each variant is a group of bars, labelled with the savings."""
    bars = bars_of(comparison)
    alt = f"Bars: {bars.title}; {listed(bars.measures)} relative to {bars.baseline}"
    return Picture(name, alt, bars, draw_bars, (WIDTH, 1.5 + 0.84 * len(bars.variants)))


def draw_bars(figure: "Figure", bars: Bars) -> None:
    """Draw the comparison."""
    from matplotlib.ticker import LogLocator

    add_title(figure, bars.title)
    axes = figure.subplots()
    shortest, longest = bars.ends
    for i, name in enumerate(bars.measures):
        drawn: Any = axes.barh(
            [row + (i - 1) * THICKNESS for row in range(len(bars.variants))],
            [row[i] for row in bars.relative],
            THICKNESS * 0.92,
            color=COLORS[i],
            hatch=HATCHES[i],
            edgecolor="white",
            label=name,
        )
        labels = [
            f"{human(sizes[i])}{texts[i] and ', '}{texts[i]}"
            for sizes, texts in zip(bars.sizes, bars.texts, strict=True)
        ]
        axes.bar_label(drawn, labels, padding=3, fontsize=SMALL, bbox=BEHIND)
    axes.axvline(1, color="black", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    axes.set_yticks(range(len(bars.variants)), [_on_lines(label) for label in bars.variants])
    axes.set_ylim(len(bars.variants) - 0.5, -0.5)
    if bars.logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(shortest / 3, longest * 60)
        axes.xaxis.set_major_locator(LogLocator(numticks=TICKS))
    else:
        axes.set_xlim(0, 1.45 * longest)
    format_ratios(axes.xaxis)
    scale = ", logarithmic" if bars.logarithmic else ""
    axis_label = wrap_text(f"relative to {bars.baseline}{scale}", 84)
    if any(label.endswith(UNVERIFIED) for label in bars.variants):
        axis_label += f"\n{NOT_VERIFIED}"
    axes.set_xlabel(axis_label)
    figure.legend(ncols=len(bars.measures), loc="outside lower center")


def _on_lines(label: str) -> str:
    """A label in lines; a target, which has no spaces, ends them between its settings."""
    if " " in label:
        return wrap_text(label, 24)
    return "\n".join(
        line.rstrip() for line in wrap_text(label.replace(",", ", "), 24).replace(", ", ",").split("\n")
    )


def _saving_in_words(saving: Fraction) -> str:
    """A saving in words, without a sign; empty if there is none."""
    if saving == 0:
        return ""
    if saving < -MANY:
        return f"{float(1 - saving):.4g} times as much"
    return f"{in_percent(abs(saving))} {'less' if saving > 0 else 'more'}"
