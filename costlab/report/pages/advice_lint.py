"""Lint on the page of advice: findings by network, pinches, large kernels, and the forms of reductions."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from costlab.advise.lint.finding import (
    CONVOLUTION_BEFORE_POOL,
    LARGE_KERNEL,
    PINCH,
    POOL_BEFORE_EXPANSION,
    RULES,
    Finding,
)
from costlab.advise.lint.lint import EXPENSIVE_SHARE, Lint, lint
from costlab.algebra.window import times
from costlab.report.cell import Column
from costlab.report.page import Part
from costlab.report.table import Table
from costlab.report.tables.count import listed

NETWORK = "inception_v3"
FORMS = {"side by side": "parallel", "pooling, convolution": "pool+conv", "convolution, pooling": "conv+pool"}
"""The forms of the grid reductions of Inception v3, the released one first, as its setting has them."""
REDUCTIONS = ("mixed_6a", "mixed_7a")
STEM = "stem."
ABOUT = (
    "`costlab lint` holds a network against the paper. A pinch is where all that comes from the input goes "
    "through one tensor, with less than half the elements of the last such tensor before it; what half an "
    "odd grid loses by rounding down is not held against it. Where a grid is reduced by pooling, lint looks"
    " at the convolutions before and behind it; a kernel is large where it is dense and above 3x3. A "
    "convolution before a pooling is a warning from {share:.0%} of the convolutions' multiply-adds on, a "
    "threshold of costlab's own, and a note below. Shares are of the convolutions' multiply-adds."
)
ASKED = "A warning is a question and no verdict: nothing is said about accuracy."


def lint_parts(found: Mapping[str, Lint], released: str) -> list[Part]:
    """What the page says of lint, by the shown names of networks; ``released`` is that of Inception v3."""
    forms = {name: lint(NETWORK, reductions=form) for name, form in FORMS.items()}
    return [
        "## What lint finds",
        ABOUT.format(share=EXPENSIVE_SHARE),
        _findings_table(found),
        ASKED,
        "### Pinches",
        _pinches_in_words(found[released]),
        _pinches_table(found),
        "### Grid reductions",
        _forms_in_words(forms),
        _forms_table(forms),
        "### Large kernels",
        _kernels_in_words(found, released),
        _kernels_table(found),
    ]


def of_rule(found: Lint, rule: str) -> list[Finding]:
    """The findings of one rule."""
    return [each for each in found.findings if each.rule == rule]


def _findings_table(found: Mapping[str, Lint]) -> Table:
    columns = (
        Column("network", "network"),
        Column("warnings", "warnings", "size"),
        *(Column(rule, rule, "size") for rule in RULES),
        Column("notes", "notes", "size"),
    )
    rows: list[tuple[Any, ...]] = []
    for label, each in found.items():
        by_rule = [sum(warning.rule == rule for warning in each.warnings) for rule in RULES]
        rows.append((label, len(each.warnings), *by_rule, len(each.notes)))
    total = [sum(row[place] for row in rows) for place in range(1, len(columns))]
    notes = [f"{rule.name}: {rule.title} ({rule.source})" for rule in RULES.values()]
    return Table("Warnings by rule, and notes", columns, tuple(rows), ("total", *total), tuple(notes))


def _pinches_table(found: Mapping[str, Lint]) -> Table:
    columns = (
        Column("network", "network", once=True),
        Column("at", "at"),
        Column("before", "before that"),
        Column("from_sizes", "from"),
        Column("to_sizes", "to"),
        Column("from_elements", "elements before", "size"),
        Column("to_elements", "elements", "size"),
        Column("ratio", "times fewer", "times"),
    )
    rows = []
    for label, each in found.items():
        for pinch in of_rule(each, PINCH):
            names = ("before", "from_sizes", "to_sizes", "from_elements", "to_elements", "ratio")
            rows.append((label, pinch.path, *(_shown(pinch.numbers[name]) for name in names)))
    return Table("Pinches", columns, tuple(rows))


def _pinches_in_words(released: Lint) -> str:
    pinches = of_rule(released, PINCH)
    early = [each for each in pinches if each.path.startswith(STEM)]
    strongest = max(pinches, key=_ratio)
    where = "in the stem, too" if strongest in early else f"at `{strongest.path}`"
    return (
        "The paper would have no bottlenecks, above all none early in a network (section 2). The released "
        f"Inception v3 has {len(pinches)} pinches, and {len(early)} of them are in its stem: "
        f"{listed([f'{_times(each)} at `{each.path}`' for each in pinches])}. The strongest is {where}."
    )


def _forms_in_words(forms: Mapping[str, Lint]) -> str:
    beside, pooled, expensive = forms.values()
    blunt = [_at(expensive, CONVOLUTION_BEFORE_POOL, at) for at in REDUCTIONS]
    shares = [f"{_number(each, 'share_of_convolutions'):.1%}" for each in blunt]
    more = Fraction(expensive.balance.multiply_adds, beside.balance.multiply_adds) - 1
    left = {at: _at(beside, PINCH, at) for at in REDUCTIONS}
    removed = [f"`{at}`" for at, pinch in left.items() if pinch is None]
    kept = [
        f"{_times(_at(pooled, PINCH, at))} become {_times(pinch)} at `{at}`"
        for at, pinch in left.items()
        if pinch
    ]
    return (
        "The paper puts convolution and pooling side by side where a grid is reduced: pooling first is a "
        "bottleneck, convolution first is expensive (section 5). With convolution first, the two reductions "
        f"of Inception v3 take {listed(shares)} of the convolutions' multiply-adds, and the network has "
        f"{float(more):.1%} more in all. Side by side, lint warns of neither. But the bottleneck is avoided "
        f"in part only: the pinch of pooling first is gone at {listed(removed)}, and {listed(kept)}."
    )


def _forms_table(forms: Mapping[str, Lint]) -> Table:
    columns = (
        Column("form", "form", once=True),
        Column("total", "multiply-adds of the network", "size", once=True),
        Column("at", "at"),
        Column("rule", "warned of", empty="nothing"),
        Column("share", "convolution's share", "share", empty="not before a pooling"),
        Column("pinch", "times fewer elements", "times", empty="no pinch"),
    )
    rows = []
    for name, each in forms.items():
        for at in REDUCTIONS:
            blunt = _at(each, CONVOLUTION_BEFORE_POOL, at)
            pooled, pinch = _at(each, POOL_BEFORE_EXPANSION, at), _at(each, PINCH, at)
            found = next((finding.rule for finding in (blunt, pooled) if finding is not None), None)
            share = None if blunt is None else _number(blunt, "share_of_convolutions")
            total = each.balance.multiply_adds
            rows.append((name, total, at, found, share, None if pinch is None else _ratio(pinch)))
    return Table("The reductions of Inception v3 in three forms", columns, tuple(rows))


def _at(found: Lint, rule: str, module: str) -> Finding | None:
    """What a rule finds in a module, of several the first."""
    inside = (
        each for each in of_rule(found, rule) if each.path == module or each.path.startswith(f"{module}.")
    )
    return next(inside, None)


def _kernels(found: Lint) -> dict[str, list[Finding]]:
    """The large kernels of a network by their size."""
    by_size: dict[str, list[Finding]] = {}
    for each in of_rule(found, LARGE_KERNEL):
        by_size.setdefault(str(_shown(each.numbers["kernel"])), []).append(each)
    return by_size


def _kernels_table(found: Mapping[str, Lint]) -> Table:
    columns = (
        Column("network", "network", once=True),
        Column("kernel", "kernel"),
        Column("number", "how many", "size"),
        Column("multiply_adds", "multiply-adds", "size"),
        Column("share", "of the convolutions", "share"),
        Column("pairs", "saved by 3x3 in a row", "change"),
        Column("asymmetric", "saved by 1xn and nx1", "change"),
    )
    rows = [
        (label, kernel, len(large), _sum(large, "multiply_adds"), _share(each, large), *_saved(large))
        for label, each in found.items()
        for kernel, large in _kernels(each).items()
    ]
    notes = ("saved: with the channels between them from those in to those out in equal steps of the ratio",)
    return Table("Dense kernels above 3x3, by size", columns, tuple(rows), notes=notes)


def _kernels_in_words(found: Mapping[str, Lint], released: str) -> str:
    ((kernel, large),) = _kernels(found[released]).items()
    pairs, _ = _saved(large)
    dearer = [each for one in found.values() for each in of_rule(one, LARGE_KERNEL) if _saved([each])[0] < 0]
    channels = {str(_number(each, "channels")) for each in dearer}
    of_all = pairs / found[released].balance.multiply_adds
    return (
        "The paper finds kernels above 3x3 disproportionately expensive (section 3.1), and its figure 5 puts "
        f"two 3x3 in the place of a 5x5. The released Inception v3 keeps {len(large)} dense {kernel}. They "
        f"take {_share(found[released], large):.1%} of the convolutions' multiply-adds; two 3x3 in the place "
        f"of each would save {of_all:.1%} of all. Below 0, smaller kernels in a row cost more: so they do "
        f"in the {len(dearer)} layers here that read {listed(sorted(channels))} channels, fewer than there "
        "would be between the kernels."
    )


def _saved(large: Sequence[Finding]) -> tuple[int, int]:
    """What 3x3 in a row save in the place of some kernels, and what asymmetric pairs do."""
    saved = {"3x3-pairs": 0, "1xn+nx1": 0}
    for each in large:
        for other in each.alternatives:
            saved[other.scheme] += other.saved
    return saved["3x3-pairs"], saved["1xn+nx1"]


def _sum(findings: Iterable[Finding], name: str) -> int:
    return sum(int(_number(each, name)) for each in findings)


def _share(found: Lint, large: Sequence[Finding]) -> float:
    return found.balance.share_of_convolutions(_sum(large, "multiply_adds"))


def _number(finding: Finding | None, name: str) -> Any:
    assert finding is not None
    return finding.numbers[name]


def _ratio(pinch: Finding) -> Fraction:
    """By how many times the elements drop, exactly."""
    return Fraction(_number(pinch, "from_elements"), _number(pinch, "to_elements"))


def _times(pinch: Finding | None) -> str:
    assert pinch is not None
    return f"{float(_ratio(pinch)):.2f}x"


def _shown(number: Any) -> Any:
    """Sizes as text, and all else as it is."""
    return times(number) if isinstance(number, tuple) else number
