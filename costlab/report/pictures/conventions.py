"""The picture of the counting tools: what each adds to the plain multiply-adds of a network, by term."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from costlab.counting.convention import MULTIPLY_ADDS
from costlab.counting.reconcile import NAMES, Account
from costlab.report.cell import human
from costlab.report.figure import BEHIND, COLORS, SMALL, WIDTH, Picture, add_title, wrap_text
from costlab.report.pictures.numbered_points import format_percents

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST = 0.0001
"""The smallest share that is shown in digits."""


class Additions(NamedTuple):
    """The data: the amount by network, tool and term, and the plain multiply-adds by network.

    Amounts of tools that charge two for each multiply-add are halved.
    """

    title: str
    networks: tuple[str, ...]
    tools: tuple[str, ...]
    terms: tuple[str, ...]
    amounts: tuple[tuple[tuple[float, ...], ...], ...]
    plain: tuple[int, ...]


def additions(accounts: Mapping[str, Sequence[Account]]) -> Additions:
    """The terms beyond the plain multiply-adds of each network, for the tools that have any in one."""
    all_accounts = list(accounts.values())
    places = [
        place
        for place, account in enumerate(all_accounts[0])
        if account.convention.measured_on
        and any(network_accounts[place].terms[1:] for network_accounts in all_accounts)
    ]
    names = [
        name
        for name in NAMES
        if name != MULTIPLY_ADDS
        and any(account.of(name) for network_accounts in all_accounts for account in network_accounts)
    ]
    return Additions(
        "What each tool adds to the multiply-adds",
        tuple(accounts),
        tuple(all_accounts[0][place].convention.title for place in places),
        tuple(names),
        tuple(
            tuple(
                tuple(
                    network_accounts[place].of(name) / network_accounts[place].convention.scale
                    for name in names
                )
                for place in places
            )
            for network_accounts in all_accounts
        ),
        tuple(network_accounts[0].plain for network_accounts in all_accounts),
    )


def conventions_picture(accounts: Mapping[str, Sequence[Account]]) -> Picture[Additions]:
    """A panel for each network, all on one scale, a bar for each tool, a color for each term."""
    data = additions(accounts)
    alt = (
        "Stacked bars: what each counting tool adds to the multiply-adds of "
        f"{', '.join(data.networks)}, by term, in percent"
    )
    return Picture("conventions", alt, data, draw_additions, (WIDTH, 2.4 + 0.34 * len(data.tools)))


def draw_additions(figure: "Figure", data: Additions) -> None:
    """Draw what the tools add."""
    add_title(figure, f"{data.title},\nin percent of these, all networks on one scale")
    rows = range(len(data.tools))
    panels = figure.subplots(1, len(data.networks), sharex=True, sharey=True, squeeze=False)[0]
    longest = 1e-9
    for i, axes in enumerate(panels):
        starts = [0.0] * len(data.tools)
        for j, term in enumerate(data.terms):
            shares = [data.amounts[i][row][j] / data.plain[i] for row in rows]
            label = term if i == 0 else None
            axes.barh(
                rows, shares, 0.74, starts, color=COLORS[j % len(COLORS)], edgecolor="white", label=label
            )
            starts = [start + share for start, share in zip(starts, shares, strict=True)]
        for row in rows:
            axes.annotate(
                _share(starts[row]),
                (max(starts[row], 0), row),
                (3, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
                bbox=BEHIND,
            )
        axes.set_title(f"{data.networks[i]}\n{human(data.plain[i])} multiply-adds")
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=True, axis="x")
        longest = max(longest, *starts)
    panels[0].set_xlim(0, 1.6 * longest)
    panels[0].locator_params(axis="x", nbins=4)
    format_percents(panels[0].xaxis)
    panels[0].set_yticks(rows, [wrap_text(tool, 26) for tool in data.tools])
    panels[0].set_ylim(len(data.tools) - 0.4, -0.6)
    figure.legend(ncols=4, loc="outside lower center")


def _share(share: float) -> str:
    if 0 < abs(share) < LEAST:
        return "less than 0.01%"
    return f"{share:+.2%}" if share else "nothing"
