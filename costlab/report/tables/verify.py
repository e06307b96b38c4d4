"""The tables of the audit: every claim with what became of it, and how that was found."""

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from costlab.algebra.combine import marked
from costlab.paper.audit import Audited, tally
from costlab.paper.derivation import Step
from costlab.paper.derivation import shown as decimal
from costlab.paper.expected import as_text
from costlab.paper.stated import NUMBER, PERCENT, TIMES, Stated, Trained, Value, Verdict
from costlab.report.cell import SHORT, Column, percent, ratio
from costlab.report.table import Table
from costlab.report.tables.count import NOT_VERIFIED, UNVERIFIED_COLUMN

CLOSE = "close: within the tolerance that the claim declares behind ±, and no more; it is not verified"
UNCOUNTABLE = "not countable: only training could show it; --verbose says what is there to be trained"
COLUMNS = (
    Column("claim", "claim", once=True, marked_by="unverified", fold=10),
    Column("section", "section", sacrifice=4, fold=8),
    Column("figure", "figure", sacrifice=3, fold=10),
    Column("stated", "stated", "printed", fold=9),
    Column("counted", "counted", "printed", marked_by="unverified", fold=13),
    Column("from_reported", "from reported", "printed", sacrifice=1, fold=8),
    Column("deviation", "deviation", "deviation", sacrifice=2),
    Column("verdict", "verdict", fold=9),
    Column("value", "exact value", machine_only=True),
    Column("deviation_percent", "deviation in percent", machine_only=True),
    Column("expected_verdict", "expected verdict", machine_only=True),
    Column("expected_value", "expected value", machine_only=True),
    Column("reported", "follows from what is reported", machine_only=True),
    UNVERIFIED_COLUMN,
)
STEPS = (
    Column("quantity", "quantity", fold=24),
    Column("formula", "formula", fold=29),
    Column("value", "value", "printed", fold=17, marked_by="unverified"),
    UNVERIFIED_COLUMN,
)
STEP_KEYS = ("quantity", "formula", "value", "reported", "unverified")
FROM_REPORTED = Column("from_reported", "from reported", "printed", fold=10)


def verify_table(audited: Sequence[Audited], verbose: bool = False) -> Table:
    """The claims figure by figure, each as stated, as counted, and with the verdict."""
    verdicts = {outcome.verdict for each in audited for outcome in each.outcomes}
    return Table(
        title="Claims of the Inception-v3 paper, recomputed",
        columns=COLUMNS,
        rows=tuple(_row(each, i) for each in audited for i in range(len(each.outcomes))),
        notes=(
            summary_of(audited),
            *([CLOSE] if Verdict.CLOSE in verdicts else []),
            *([UNCOUNTABLE] if Verdict.NOT_COUNTABLE in verdicts and not verbose else []),
            *(f"{each.claim.id} cannot be recomputed: {each.problem}" for each in audited if each.problem),
            *([NOT_VERIFIED] if any(each.unverified for each in audited) else []),
        ),
        facts=lambda: {
            "verdicts": {str(verdict): number for verdict, number in tally(audited).items()},
            "claims": [_record(each, verbose) for each in audited],
        },
    )


def derivation_table(each: Audited) -> Table:
    """How a claim was recomputed: every number that was taken, and what was made of it."""
    shown_by = [f"to be shown by training: {text}" for text in _shown_by(each)]
    mark = [NOT_VERIFIED] if each.unverified else []
    apart = any(step.reported for step in each.steps)
    rows = []
    for step in each.steps:
        told = plain(step.value)
        if step.reported and isinstance(step.value, Fraction) and not decimal(step.value).startswith("("):
            told = decimal(step.value)
        values = ("" if step.reported else told, step.unverified, told if step.reported else "")
        rows.append((step.name, step.formula, *values[: 2 + apart]))
    return Table(
        title=f"{shown_id(each)} ({each.claim.section}): {each.verdict}",
        columns=(*STEPS, FROM_REPORTED) if apart else STEPS,
        rows=tuple(rows),
        notes=tuple(filter(None, (each.claim.statement, each.claim.reading, each.problem, *shown_by, *mark))),
    )


def steps_table(audited: Iterable[Audited]) -> Table:
    """The derivations of all claims in one, for programs: the values are exact."""
    return Table(
        title="Derivations",
        columns=tuple(Column(name, name) for name in ("claim", *STEP_KEYS)),
        rows=tuple((each.claim.id, *_values(step)) for each in audited for step in each.steps),
    )


def _values(step: Step) -> tuple[Any, ...]:
    value = step.value if isinstance(step.value, int) else as_text(step.value)
    return (step.name, step.formula, value, step.reported, step.unverified)


def shown_id(each: Audited) -> str:
    """The id of a claim, with a mark where it counts what was not held against its source."""
    return marked(each.claim.id, each.unverified)


def _row(each: Audited, place: int) -> tuple[Any, ...]:
    outcome = each.outcomes[place]
    figures = each.expected.figures if each.expected else ()
    expected = figures[place] if place < len(figures) else None
    stated, value = outcome.stated, outcome.value
    deviation = None if outcome.verdict is Verdict.EXACT else outcome.deviation  # none to the stated digits
    told = shown(stated, value)
    return (
        each.claim.id,
        each.claim.section,
        stated.name,
        stated.text,
        None if stated.reported else told,
        told if stated.reported else None,
        deviation,
        str(outcome.verdict),
        value if isinstance(value, int) else as_text(value),
        None if deviation is None else float(100 * deviation),
        expected and str(expected.verdict),
        expected and expected.value,
        stated.reported,
        each.unverified,
    )


def _record(each: Audited, verbose: bool) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": each.claim.id,
        "section": each.claim.section,
        "statement": each.claim.statement,
        "verdict": str(each.verdict),
        "unverified": each.unverified,
    }
    if trained := _shown_by(each):
        record["shown_by"] = trained
    if each.problem:
        record["problem"] = each.problem
    if verbose:
        record["steps"] = [dict(zip(STEP_KEYS, _values(step), strict=True)) for step in each.steps]
        record["reading"] = each.claim.reading
    return record


def _shown_by(each: Audited) -> list[str]:
    """What would have to be trained to show what cannot be counted."""
    return [stated.shown_by for stated in each.claim.stated if isinstance(stated, Trained)]


def summary_of(audited: Iterable[Audited]) -> str:
    """How many claims came to each verdict, in a line."""
    counted = {verdict: number for verdict, number in tally(audited).items() if number}
    told = ", ".join(f"{number} {verdict}" for verdict, number in counted.items())
    whole = sum(counted.values())
    return f"{whole} claim{'s' * (whole > 1)}, each by its weakest figure: {told}"


def shown(stated: Stated, value: Value) -> str:
    """A recomputed value in the terms of what is stated."""
    unit = getattr(stated, "unit", NUMBER)
    if isinstance(value, Fraction) and unit == PERCENT:
        return percent(value)
    if isinstance(value, Fraction) and unit == TIMES:
        exact = str(value)
        return f"{float(value):.4g}x" + f" ({exact})" * (value.denominator > 1 and len(exact) <= SHORT)
    return plain(value)


def plain(value: Value) -> str:
    """A value for people: whole numbers in full, short fractions exactly and others in four digits."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Fraction):
        return f"{value.numerator:,}" if value.denominator == 1 else ratio(value, len(str(value)) <= SHORT)
    if isinstance(value, float):
        return f"{value:.7g}"
    return re.sub(r"(?<!\*)[*/](?!\*)", r" \g<0> ", str(value))
