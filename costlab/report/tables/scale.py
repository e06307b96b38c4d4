"""The table of a scaling: the largest network within a budget on each axis, what was asked for first."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from costlab.algebra.combine import marked
from costlab.counting.count import Count
from costlab.counting.row import DEFAULT, MEASURES
from costlab.explore.scaling.answer import Network, Scaling
from costlab.explore.scaling.compound import EFFICIENTNET, Compound
from costlab.report.cell import Column
from costlab.report.table import Table
from costlab.report.tables.count import (
    TITLES,
    UNVERIFIED_COLUMN,
    convention_facts,
    convention_notes,
    key_of,
    listed,
    unverified_note,
)

LONGEST = 24
"""The most characters of an interval that is shown in fractions."""


def scale_table(
    scaled: Scaling, others: Sequence[Scaling], options: Sequence[str] = (), rule: Compound | None = None
) -> Table:
    """A row for each axis; ``options`` are those by which `costlab count` counts the networks so."""
    count = scaled.count
    assert count is not None
    quantity = key_of(count, scaled.of)
    title = TITLES.get(scaled.of, scaled.words)
    measures = tuple(name for name in reversed(MEASURES) if name != scaled.of)
    rows = [_row(each, measures, options) for each in (scaled, *others)]
    return Table(
        title=f"{marked(scaled.label, count.unverified)} within {scaled.budget:,} {scaled.words}",
        columns=(
            Column("axis", "axis"),
            Column("now", "now", sacrifice=3),
            Column("largest", "largest", empty="none"),
            Column("interval", "interval", sacrifice=4),
            Column(quantity, title, "size", sacrifice=1, fold=13),
            Column("share", "of budget", "saving", sacrifice=6),
            *(
                Column(name, TITLES[name], "size", 7 + i, machine_only=i == 2, fold=13)
                for i, name in enumerate(measures)
            ),
            Column("above", "next above", sacrifice=2),
            Column(f"above_{quantity}", f"its {title}", "size", sacrifice=5, fold=13),
            *(Column(name, name, machine_only=True) for name in MACHINE),
            UNVERIFIED_COLUMN,
        ),
        rows=tuple(rows),
        notes=(
            f"counts it: {_command(scaled.best, options)}",
            *_how(scaled),
            *(f"{each.axis}: {each.reason}" for each in others if each.reason),
            *(note for each in others for note in each.notes),
            *_guessed(others),
            *_rule(rule),
            *convention_notes([count]),
            *unverified_note([count]),
        ),
        facts=lambda: _facts(scaled, count, quantity, rule),
    )


MACHINE = (
    "target", "input", "command", "low", "high", "high_is_in", "above_target", "above_input", "looked_at",
    "up_to", "every", "falls", "counts", "reason",
)  # fmt: skip
"""The columns that machine formats have besides."""


def _row(scaled: Scaling, measures: Sequence[str], options: Sequence[str]) -> tuple[Any, ...]:
    best, above = scaled.best, scaled.above
    sizes = [None if scaled.count is None else scaled.count.size(name) for name in measures]
    return (
        scaled.axis,
        scaled.now,
        best and best.number,
        best and _interval(best),
        best and best.total,
        best and best.total / scaled.budget,
        *sizes,
        above and above.number,
        above and above.total,
        best and best.target,
        best and best.input,
        best and _command(best, options),
        best and best.low,
        best and best.high,
        best and best.ends_in,
        above and above.target,
        above and above.input,
        scaled.looked_at,
        scaled.up_to or None,
        scaled.every,
        scaled.falls,
        scaled.counts,
        scaled.reason or None,
        scaled.count and scaled.count.unverified,
    )


def _interval(network: Network) -> str:
    """The numbers that give a network, as fractions where these are short, else in decimals."""
    if network.low is None or len(network.interval) <= LONGEST:
        return network.interval
    opening, closing = network.interval[0], network.interval[-1]
    ends = [None if end is None else float(end) for end in (network.low, network.high)]
    low, high = (None if end is None else f"{end:.8g}" for end in ends)
    if low == high:  # floats side by side
        low, high = map(repr, ends)
    return f"{opening}{low}, {high or '...'}{closing}"


def _command(network: Network | None, options: Sequence[str]) -> str:
    assert network is not None
    given = ["--input", network.input] if network.input else []
    return shlex.join(["costlab", "count", network.target, *given, *options])


def _how(scaled: Scaling) -> list[str]:
    """How the answer was found."""
    name, words = scaled.axis, scaled.words
    networks = f"{scaled.looked_at:,} networks on {name} below {scaled.up_to} were looked at"
    counts = f"in {scaled.counts:,} counts"
    if not scaled.every:
        return [f"{networks}, {counts}; {_between(words, scaled.falls)}", *scaled.notes]
    rises = "" if scaled.falls else f"; where {name} rises, the {words} never fall"
    return [f"all {networks}, {counts}{rises}", *scaled.notes]


def _between(words: str, falls: bool) -> str:
    """What is not known of networks that were not looked at."""
    if falls:
        return "between these there may be others nearer to the budget"
    return f"between these the {words} are taken to rise only"


def _guessed(others: Sequence[Scaling]) -> list[str]:
    """On which other axes not all networks were looked at."""
    names = [each.axis for each in others if each.best and not each.every]
    return [f"not all networks on {listed(names)} were looked at"] if names else []


def _rule(rule: Compound | None) -> list[str]:
    if rule is None:
        return []
    given = ", ".join(f"{name}={value:g}" for name, value in rule._asdict().items())
    found = (
        "what Tan and Le (2019) found by a grid search on EfficientNet-B0, and not searched for this network"
    )
    source = found if rule == EFFICIENTNET else "given, and not those of EfficientNet"
    return [
        "phi: depth x alpha^phi, rounded up, width x beta^phi, input x gamma^phi; one more phi costs about "
        f"{rule.growth:.3g} times as much",
        f"{given}: {source}",
    ]


def _facts(scaled: Scaling, count: Count, quantity: str, rule: Compound | None) -> Mapping[str, Any]:
    return {
        "target": scaled.label,
        "of": quantity,
        "budget": scaled.budget,
        "axis": scaled.axis,
        "batch": count.batch,
        "auxiliary_heads": count.heads,
        "compound": None if rule is None else rule._asdict(),
        **(convention_facts(count) if count.priced != DEFAULT else {}),
        "notes": list(scaled.notes),
    }
