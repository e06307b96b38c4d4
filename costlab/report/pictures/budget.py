"""The picture of inference budgets: the reported error against the cost of inference."""

from typing import TYPE_CHECKING, NamedTuple

from costlab.counting.compare import Comparison
from costlab.report.figure import COLORS, SMALL, WIDTH, Picture, add_title, format_sizes, wrap_text
from costlab.report.labels import Point, label_points
from costlab.report.tables.count import NOT_VERIFIED
from costlab.targets.published import ERRORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = "osD^vP"


class InferenceCost(NamedTuple):
    """A way of inference: its counted cost, and its reported errors, as printed."""

    label: str
    multiply_adds: int
    top_1_error: str
    top_5_error: str


class Budgets(NamedTuple):
    """The data: chains of ways of inference, each with more crops or networks than the one before.

    ``notes`` are those about an error that is drawn.
    """

    title: str
    chains: tuple[tuple[InferenceCost, ...], ...]
    notes: tuple[str, ...]
    unverified: bool


def budgets_of(comparison: Comparison) -> Budgets:
    """The chains of a comparison, in which each variant takes more inputs or networks than the one before.

    A variant with one input begins a chain, or is left out if no other improves on it; one with more inputs
    continues the chain of the variant that it improves on.
    """
    counts = {counted.label: counted for counted in comparison.counts}
    chains: dict[str, list[str]] = {}
    for label, figures in comparison.published.items():
        if int(counts[label].batch) == 1:
            chains[label] = [label]
            continue
        chain = next((chain for chain in chains.values() if chain[-1] == figures.after), None)
        if chain is None:
            chains[label] = [label]
        else:
            chain.append(label)
    kept = [chain for chain in chains.values() if len(chain) > 1 or int(counts[chain[0]].batch) > 1]
    chains_of_costs = tuple(
        tuple(_inference_cost(comparison, label, chain[0]) for label in chain) for chain in kept
    )
    errors = {f"{getattr(cost, error)}%" for chain in chains_of_costs for cost in chain for error in ERRORS}
    return Budgets(
        "Reported error against the counted cost of inference",
        chains_of_costs,
        tuple(note for note in comparison.notes if errors & set(note.split())),
        any(counts[label].unverified for chain in kept for label in chain),
    )


def _inference_cost(comparison: Comparison, label: str, first: str) -> InferenceCost:
    """A way of inference in a chain; its label does not repeat that of the first."""
    counted, figures = comparison[label], comparison.published[label]
    errors = (getattr(figures, error) or "" for error in ERRORS)
    return InferenceCost(counted.shown.removeprefix(f"{first}, "), int(counted.multiply_adds), *errors)


def budget_picture(comparison: Comparison) -> Picture[Budgets]:
    """A panel for each kind of error, a line for each network."""
    alt = "Lines: the reported top-5 and top-1 error against multiply-adds, from one crop to ensembles"
    return Picture("budget", alt, budgets_of(comparison), draw_budgets, (WIDTH, 9.2))


def draw_budgets(figure: "Figure", data: Budgets) -> None:
    """Draw error against budget."""
    add_title(figure, data.title)
    panels = figure.subplots(2, 1, sharex=True)
    costs = [cost.multiply_adds for chain in data.chains for cost in chain]
    panels[1].set_xscale("log")
    panels[1].set_xlim(min(costs) / 2, max(costs) * 4)
    format_sizes(panels[1].xaxis)
    notes = [wrap_text(note, 104) for note in (*data.notes, *([NOT_VERIFIED] if data.unverified else []))]
    panels[1].set_xlabel(
        "\n".join(["multiply-adds of an inference, counted, logarithmic", *notes]), fontsize=SMALL
    )
    drawn = []
    for axes, error, name in zip(panels, ("top_5_error", "top_1_error"), ("top-5", "top-1"), strict=True):
        points, lines = [], []
        for chain, color, marker in zip(data.chains, COLORS, MARKERS, strict=False):
            shown = [cost for cost in chain if getattr(cost, error)]
            at = [(float(cost.multiply_adds), float(getattr(cost, error))) for cost in shown]
            if not at:
                continue
            axes.plot(*zip(*at, strict=True), color=color, marker=marker, linewidth=1.4, markersize=6)
            lines.append(at)
            points += [
                Point(*place, f"{cost.label}, {getattr(cost, error)}%", color)
                for place, cost in zip(at, shown, strict=True)
            ]
        axes.set_ylabel(f"{name} error, %, reported")
        axes.margins(y=0.12)
        axes.grid(visible=True)
        drawn.append((axes, points, lines))
    for axes, points, lines in drawn:
        label_points(axes, points, lines)
