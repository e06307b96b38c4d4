"""The picture of the grid reductions: the cost of each form, relative to the expensive one."""

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from costlab.counting.compare import compare
from costlab.report.cell import human, ratio
from costlab.report.figure import COLORS, HATCHES, SMALL, WIDTH, Picture, add_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SETS = {
    "grid_reduction": "as section 5 reckons,\n1x1 kernels",
    "grid_reduction_35": "3x3 kernels",
    "grid_reduction_17": "3x3 kernels",
}


class Reduction(NamedTuple):
    """One set: by form the multiply-adds, and the ratio to the first, exactly, as text."""

    label: str
    sizes: tuple[int, ...]
    ratios: tuple[str, ...]


class Reductions(NamedTuple):
    """What is drawn."""

    title: str
    forms: tuple[str, ...]
    sets: tuple[Reduction, ...]


def reductions() -> Reductions:
    """The sets of grid reductions, each by convolution, then pooling."""
    sets: list[Reduction] = []
    forms: tuple[str, ...] = ()
    for name, kernels in SETS.items():
        compared = compare(ablation=name)
        first = compared.baseline
        height, halved = (next(iter(shape[1:])) for shape in (first.root.input, first.root.output))
        sets.append(
            Reduction(
                f"{height}x{height} to {halved}x{halved},\n{kernels}",
                tuple(int(counted.multiply_adds) for counted in compared.counts),
                tuple(str(compared.ratio(counted) or Fraction(0)) for counted in compared.counts),
            )
        )
        forms = tuple(counted.label for counted in compared.counts)
    return Reductions(
        "Grid reductions: multiply-adds by those of convolution, then pooling", forms, tuple(sets)
    )


def reductions_picture() -> Picture[Reductions]:
    """Three groups of bars: as in the paper's calculation, and on the two grids of the network."""
    alt = "Bars: the multiply-adds of three forms of grid reduction, relative to convolution, then pooling"
    return Picture("reductions", alt, reductions(), draw_reductions, (WIDTH, 4.2))


def draw_reductions(figure: "Figure", data: Reductions) -> None:
    """Draw the grid reductions."""
    add_title(figure, data.title)
    axes = figure.subplots()
    thick = 0.8 / len(data.forms)
    for i, form in enumerate(data.forms):
        places = [row + (i - 1) * thick for row in range(len(data.sets))]
        ratios = [Fraction(group.ratios[i]) for group in data.sets]
        drawn = axes.barh(
            places,
            [float(share) for share in ratios],
            thick * 0.9,
            color=COLORS[i],
            hatch=HATCHES[i],
            edgecolor="white",
        )
        bar_labels = [
            f"{form}: {ratio(share)}, {human(group.sizes[i])}"
            for share, group in zip(ratios, data.sets, strict=True)
        ]
        axes.bar_label(drawn, bar_labels, padding=4, fontsize=SMALL)
    axes.set_yticks(range(len(data.sets)), [group.label for group in data.sets])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(data.sets) - 0.5, -0.5)
    axes.set_xlim(0, 1.55)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xlabel("multiply-adds, relative")
