"""The tables of the audit: every claim with what became of it, and how that was found."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from costlab.paper.audit import Audited, Outcome, tally
from costlab.paper.stated import NUMBER, PERCENT, TIMES, Stated, Trained, Value
from costlab.report.cell import SHORT, Column, percent, ratio
from costlab.report.count import NOT_VERIFIED
from costlab.report.table import Table

COLUMNS = (
    Column("claim", "claim", once=True, marked_by="unverified"),
    Column("section", "section", sacrifice=3),
    Column("figure", "figure", sacrifice=1),
    Column("stated", "stated", "printed"),
    Column("counted", "counted", "printed", marked_by="unverified"),
    Column("from_reported", "from reported", "printed", sacrifice=2),
    Column("deviation", "deviation", "deviation", sacrifice=4),
    Column("verdict", "verdict"),
    Column("value", "exact value", machine_only=True),
    Column("deviation_percent", "deviation in percent", machine_only=True),
    Column("expected_verdict", "expected verdict", machine_only=True),
    Column("expected_value", "expected value", machine_only=True),
    Column("unverified", "unverified", machine_only=True),
)
STEPS = (
    Column("quantity", "quantity"),
    Column("formula", "formula", sacrifice=1),
    Column("value", "value", "printed"),
)


def verify_table(audited: Sequence[Audited], verbose: bool = False) -> Table:
    """The claims figure by figure, each as stated, as counted, and with the verdict."""
    return Table(
        title="Claims of the Inception-v3 paper, recomputed",
        columns=COLUMNS,
        rows=tuple(_row(each, outcome) for each in audited for outcome in each.outcomes),
        notes=(
            _summary(audited),
            "close: within the tolerance that the claim declares behind ±, and no more; it is not verified",
            *([NOT_VERIFIED] if any(each.unverified for each in audited) else []),
        ),
        facts={
            "verdicts": {str(verdict): number for verdict, number in tally(audited).items()},
            "claims": [_record(each, verbose) for each in audited],
        },
    )


def derivation_table(each: Audited) -> Table:
    """How a claim was recomputed: every number that was taken, and what was made of it."""
    shown_by = [f"to be shown by training: {s.shown_by}" for s in each.claim.stated if isinstance(s, Trained)]
    mark = [NOT_VERIFIED] if each.unverified else []
    return Table(
        title=f"{each.claim.id} ({each.claim.section}): {each.verdict}",
        columns=STEPS,
        rows=tuple((step.name, step.formula, plain(step.value)) for step in each.steps),
        notes=tuple(filter(None, (each.claim.statement, each.claim.reading, each.problem, *shown_by, *mark))),
    )


def _row(each: Audited, outcome: Outcome) -> tuple[Any, ...]:
    stated, value = outcome.stated, outcome.value
    told = shown(stated, value)
    deviation = outcome.deviation
    return (
        each.claim.id,
        each.claim.section,
        stated.name,
        stated.text,
        None if stated.reported else told,
        told if stated.reported else None,
        None if outcome.verdict == "exact" else deviation,
        str(outcome.verdict),
        outcome.found.value,
        None if deviation is None else float(100 * deviation),
        None if outcome.expected is None else str(outcome.expected.verdict),
        None if outcome.expected is None else outcome.expected.value,
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
    if each.problem:
        record["problem"] = each.problem
    if verbose:
        record["steps"] = [
            {"quantity": step.name, "formula": step.formula, "value": step.value} for step in each.steps
        ]
        record["reading"] = each.claim.reading
    return record


def _summary(audited: Iterable[Audited]) -> str:
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
    return f"{value:.7g}" if isinstance(value, float) else str(value)
