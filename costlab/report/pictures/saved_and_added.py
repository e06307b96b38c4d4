"""The picture of what schemes trade: multiply-adds that they save beside activations that they add."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.advise.factorize.plan import Plan
from costlab.algebra.combine import UNVERIFIED
from costlab.report.figure import COLORS, FAINT, SMALL, WIDTH, Picture, add_title, format_percents
from costlab.report.tables.count import NOT_VERIFIED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = ("o", "s", "^", "D", "v")
SPREAD = 0.145
"""How far apart the schemes of a network are drawn, in rows."""


class Traded(NamedTuple):
    """What a scheme makes of a network: multiply-adds and activations, before and after."""

    scheme: str
    multiply_adds: tuple[int, int]
    activations: tuple[int, int]


class Network(NamedTuple):
    """A network, with the schemes that replace something in it."""

    label: str
    traded: tuple[Traded, ...]


class SavedAndAdded(NamedTuple):
    """The data: networks and what each scheme trades in them."""

    title: str
    schemes: tuple[str, ...]
    networks: tuple[Network, ...]


def saved_and_added(plans: Mapping[str, Mapping[str, Plan]]) -> SavedAndAdded:
    """The data, of plans by network and scheme."""
    networks = tuple(
        Network(
            label,
            tuple(
                Traded(name, plan.saving.sizes("multiply_adds"), plan.saving.sizes("activations"))
                for name, plan in by_scheme.items()
                if plan.replacements
            ),
        )
        for label, by_scheme in plans.items()
    )
    schemes = dict.fromkeys(scheme for by_scheme in plans.values() for scheme in by_scheme)
    return SavedAndAdded(
        "Multiply-adds that each scheme saves, beside the activations that it adds",
        tuple(schemes),
        networks,
    )


def saved_and_added_picture(plans: Mapping[str, Mapping[str, Plan]]) -> Picture[SavedAndAdded]:
    """Two panels, a row for each network, a mark for each scheme."""
    data = saved_and_added(plans)
    alt = "Points: the shares of multiply-adds saved and of activations added, by network and scheme"
    return Picture("saved_and_added", alt, data, draw_traded, (WIDTH, 1.7 + 0.5 * len(data.networks)))


def draw_traded(figure: "Figure", data: SavedAndAdded) -> None:
    """Draw what is saved and what is added."""
    add_title(figure, data.title)
    rows = range(len(data.networks))
    panels = figure.subplots(1, 2, sharey=True)
    middle = (len(data.schemes) - 1) / 2
    for place, (scheme, marker) in enumerate(zip(data.schemes, MARKERS, strict=True)):
        here = [
            (row, each)
            for row, network in enumerate(data.networks)
            for each in network.traded
            if each.scheme == scheme
        ]
        heights = [row + SPREAD * (place - middle) for row, _ in here]
        saved = [1 - each.multiply_adds[1] / each.multiply_adds[0] for _, each in here]
        added = [each.activations[1] / each.activations[0] - 1 for _, each in here]
        look: Any = {"marker": marker, "color": COLORS[place], "markersize": 5.5, "linestyle": "none"}
        for axes, shares in zip(panels, (saved, added), strict=True):
            axes.hlines(heights, 0, shares, color=COLORS[place], linewidth=1.2)
            axes.plot(shares, heights, label=scheme if axes is panels[0] else None, **look)
    for axes, words in zip(panels, ("multiply-adds saved", "activations added"), strict=True):
        for row in rows[1:]:
            axes.axhline(row - 0.5, color=FAINT, linewidth=0.8)
        axes.set_xlim(0, None)
        axes.grid(visible=True, axis="x")
        axes.tick_params(axis="y", length=0)
        format_percents(axes.xaxis)
        axes.set_xlabel(f"{words}, of those of the network")
    panels[0].set_yticks(rows, [each.label for each in data.networks])
    panels[0].set_ylim(len(data.networks) - 0.5, -0.5)
    mark = NOT_VERIFIED if any(each.label.endswith(UNVERIFIED) for each in data.networks) else None
    figure.legend(
        ncols=len(data.schemes), loc="outside lower center", title=mark, title_fontsize=SMALL, columnspacing=2
    )
