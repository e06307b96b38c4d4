"""The picture of what could be replaced: the multiply-adds of networks by what a scheme does with them."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from costlab.advise.factorize.plan import Plan
from costlab.algebra.combine import UNVERIFIED
from costlab.report.cell import human
from costlab.report.figure import (
    BEHIND,
    COLORS,
    SMALL,
    WIDTH,
    Picture,
    add_title,
    format_percents,
    readable_ink,
    wrap_text,
)
from costlab.report.tables.count import NOT_VERIFIED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAVED, AFTER, REST = "saved", "what replaces them", "what is no convolution"
KINDS: Mapping[str, str] = {
    "1xn already": "1xn or nx1 already",
    "grouped": "grouped or depthwise",
    "depthwise": "grouped or depthwise",
    "1x1": "1x1",
}
"""What is left as it is, by the reason that a plan gives."""
LOOKS: Mapping[str, tuple[str, str]] = {
    SAVED: (COLORS[0], ""),
    AFTER: (COLORS[5], ""),
    KINDS["1xn already"]: (COLORS[3], ""),
    KINDS["grouped"]: (COLORS[2], "///"),
    KINDS["1x1"]: ("#CCCCCC", ""),
    REST: ("#EEEEEE", "..."),
}
"""The color and the hatch of each part, in the order of a bar: neighbours differ in gray, too."""
ROOM = 0.062
"""The share of a bar from which on its percentage fits."""


class Parts(NamedTuple):
    """A network, and its multiply-adds by the parts of `LOOKS`."""

    label: str
    sizes: tuple[int, ...]


class Replaceable(NamedTuple):
    """The data: networks, and the parts of each."""

    title: str
    parts: tuple[str, ...]
    networks: tuple[Parts, ...]


def replaceable(plans: Mapping[str, Plan]) -> Replaceable:
    """The data, of plans by the names of their networks, all by one scheme."""
    (scheme,) = {plan.scheme.name for plan in plans.values()}
    networks = tuple(Parts(label, _sizes(plan)) for label, plan in plans.items())
    return Replaceable(
        f"What {scheme} saves at half the cost of each convolution that it replaces",
        tuple(LOOKS),
        networks,
    )


def _sizes(plan: Plan) -> tuple[int, ...]:
    before, after = plan.saving.sizes("multiply_adds")
    replaced = sum(each.saving.sizes("multiply_adds")[1] for each in plan.replacements)
    sizes = Counter({SAVED: before - after, AFTER: replaced})
    for left in plan.left:
        sizes[KINDS[left.reason]] += left.multiply_adds
    sizes[REST] = before - sizes.total()
    return tuple(sizes[part] for part in LOOKS)


def replaceable_picture(plans: Mapping[str, Plan]) -> Picture[Replaceable]:
    """A stacked bar for each network."""
    data = replaceable(plans)
    alt = f"Stacked bars: the shares of multiply-adds in {len(plans)} networks by what could replace them"
    return Picture("replaceable", alt, data, draw_replaceable, (WIDTH, 1.8 + 0.29 * len(data.networks)))


def draw_replaceable(figure: "Figure", data: Replaceable) -> None:
    """Draw what could be replaced."""
    add_title(figure, data.title)
    axes = figure.subplots()
    totals = [sum(each.sizes) for each in data.networks]
    starts = [0.0] * len(totals)
    for place, part in enumerate(data.parts):
        color, hatch = LOOKS[part]
        shares = [each.sizes[place] / total for each, total in zip(data.networks, totals, strict=True)]
        axes.barh(
            range(len(shares)), shares, 0.8, starts, color=color, hatch=hatch, edgecolor="white", label=part
        )
        for row, share in enumerate(shares):
            if share >= ROOM:
                at = (starts[row] + share / 2, row)
                ink = readable_ink(color)
                behind = {**BEHIND, "facecolor": color}
                text = f"{share:.1%}"
                axes.text(*at, text, color=ink, ha="center", va="center", fontsize=SMALL, bbox=behind)
            starts[row] += share
    for row, total in enumerate(totals):
        axes.annotate(human(total), (1, row), (5, 0), textcoords="offset points", va="center", fontsize=SMALL)
    axes.set_yticks(range(len(totals)), [wrap_text(each.label, 24) for each in data.networks])
    axes.set_ylim(len(totals) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 1)
    format_percents(axes.xaxis)
    mark = f"\n{NOT_VERIFIED}" if any(each.label.endswith(UNVERIFIED) for each in data.networks) else ""
    axes.set_xlabel(f"share of the multiply-adds of the network, which stand at the right{mark}")
    figure.legend(ncols=3, loc="outside lower center")
