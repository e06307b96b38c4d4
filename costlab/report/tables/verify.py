"""The tables of the audit: every claim with its verdict, and its derivation."""

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from costlab.algebra.combine import marked
from costlab.paper.audit import AuditedClaim, tally
from costlab.paper.derivation import Step, format_number
from costlab.paper.expected import as_text
from costlab.paper.stated import NUMBER, PERCENT, TIMES, Stated, Trained, Value, Verdict
from costlab.report.cell import SHORT, Column, plural, ratio, stated_percent
from costlab.report.table import Table
from costlab.report.tables.count import NOT_VERIFIED, UNVERIFIED_COLUMN

CLOSE = "close: within the tolerance that the claim declares behind ±, and no more; it is not verified"
UNCOUNTABLE = "not countable: only training could show it; --verbose says what is there to be trained"
COLUMNS = (
    Column("claim", "claim", once=True, marked_by="unverified", fold=10),
    Column("section", "section", sacrifice=4, fold=8),
    Column("figure", "figure", sacrifice=3, fold=11),
    Column("stated", "stated", "printed", fold=8),
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


def verify_table(claims: Sequence[AuditedClaim], verbose: bool = False) -> Table:
    """The claims figure by figure, each as stated, as counted, and with the verdict."""
    verdicts = {outcome.verdict for audited in claims for outcome in audited.outcomes}
    return Table(
        title="Claims of the Inception-v3 paper, recomputed",
        columns=COLUMNS,
        rows=tuple(_row(audited, i) for audited in claims for i in range(len(audited.outcomes))),
        notes=(
            summary_of(claims),
            *([CLOSE] if Verdict.CLOSE in verdicts else []),
            *([UNCOUNTABLE] if Verdict.NOT_COUNTABLE in verdicts and not verbose else []),
            *dict.fromkeys(
                f"{audited.claim.id}: {how_tried(stated)}"
                for audited in claims
                for stated in trained_figures(audited)
                if not verbose
            ),
            *(
                f"{audited.claim.id} cannot be recomputed: {audited.problem}"
                for audited in claims
                if audited.problem
            ),
            *([NOT_VERIFIED] if any(audited.unverified for audited in claims) else []),
        ),
        facts=lambda: {
            "verdicts": {str(verdict): number for verdict, number in tally(claims).items()},
            "claims": [_record(audited, verbose) for audited in claims],
        },
    )


def derivation_table(audited: AuditedClaim) -> Table:
    """The derivation of a claim: its steps, with their values."""
    shown_by = [
        f"to be shown by training: {stated.shown_by}; {how_tried(stated)}"
        for stated in trained_figures(audited)
    ]
    mark = [NOT_VERIFIED] if audited.unverified else []
    apart = any(step.reported for step in audited.steps)
    rows = []
    for step in audited.steps:
        value = plain(step.value)
        if (
            step.reported
            and isinstance(step.value, Fraction)
            and not format_number(step.value).startswith("(")
        ):
            value = format_number(step.value)
        values = ("" if step.reported else value, step.unverified, value if step.reported else "")
        rows.append((step.name, step.formula, *values[: 2 + apart]))
    return Table(
        title=f"{marked_id(audited)} ({audited.claim.section}): {audited.verdict}",
        columns=(*STEPS, FROM_REPORTED) if apart else STEPS,
        rows=tuple(rows),
        notes=tuple(
            filter(None, (audited.claim.statement, audited.claim.reading, audited.problem, *shown_by, *mark))
        ),
    )


def with_steps(table: Table, claims: Iterable[AuditedClaim]) -> Table:
    """The table of the claims with the steps of each below its figures, for formats that hold one table."""
    keys = [column.key for column in (*table.columns, *STEPS[:2])]
    figures: dict[str, list[tuple[Any, ...]]] = {}
    for row in table.rows:
        figures.setdefault(row[0], []).append((*row, None, None))
    rows = []
    for audited in claims:
        rows += figures.get(audited.claim.id, [])
        for step in audited.steps:
            known = {"claim": audited.claim.id, "section": audited.claim.section}
            values = known | dict(zip(STEP_KEYS, _values(step), strict=True))
            rows.append(tuple(values.get(key) for key in keys))
    return table._replace(columns=(*table.columns, *STEPS[:2]), rows=tuple(rows))


def _values(step: Step) -> tuple[Any, ...]:
    value = step.value if isinstance(step.value, int) else as_text(step.value)
    return (step.name, step.formula, value, step.reported, step.unverified)


def marked_id(audited: AuditedClaim) -> str:
    """The id of a claim, with a mark if it counts a definition that was not compared with its source."""
    return marked(audited.claim.id, audited.unverified)


def _row(audited: AuditedClaim, place: int) -> tuple[Any, ...]:
    outcome = audited.outcomes[place]
    figures = audited.expected.figures if audited.expected else ()
    expected = figures[place] if place < len(figures) else None
    stated, value = outcome.stated, outcome.value
    deviation = None if outcome.verdict is Verdict.EXACT else outcome.deviation  # none to the stated digits
    recomputed = as_stated(stated, value)
    return (
        audited.claim.id,
        audited.claim.section,
        stated.name,
        stated.text,
        None if stated.reported else recomputed,
        recomputed if stated.reported else None,
        deviation,
        str(outcome.verdict),
        value if isinstance(value, int) else as_text(value),
        None if deviation is None else float(100 * deviation),
        expected and str(expected.verdict),
        expected and expected.value,
        stated.reported,
        audited.unverified,
    )


def _record(audited: AuditedClaim, verbose: bool) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": audited.claim.id,
        "section": audited.claim.section,
        "statement": audited.claim.statement,
        "verdict": str(audited.verdict),
        "unverified": audited.unverified,
    }
    if figures := trained_figures(audited):
        record["shown_by"] = [stated.shown_by for stated in figures]
        record["tried_by"] = list(dict.fromkeys(each for stated in figures for each in commands_of(stated)))
    if audited.problem:
        record["problem"] = audited.problem
    if verbose:
        record["steps"] = [dict(zip(STEP_KEYS, _values(step), strict=True)) for step in audited.steps]
        record["reading"] = audited.claim.reading
    return record


def trained_figures(audited: AuditedClaim) -> list[Trained]:
    """The figures of a claim that cannot be counted."""
    return [stated for stated in audited.claim.stated if isinstance(stated, Trained)]


def how_tried(stated: Trained) -> str:
    """The commands that try a figure which only training could show, or that there are none."""
    *others, last = commands_of(stated) or [""]
    by = " and by ".join(filter(None, (", by ".join(others), last)))
    return f"tried at a reduced scale by {by}" if by else "nothing that costlab trains tries it"


def commands_of(stated: Trained) -> list[str]:
    """The commands that try it; none where no experiment of costlab does."""
    from costlab.train.claimed import experiment_of

    return list(dict.fromkeys(f"costlab train {experiment_of(key)}" for key in stated.tried_as))


def summary_of(claims: Iterable[AuditedClaim]) -> str:
    """How many claims have each verdict, in a line."""
    counted = {verdict: number for verdict, number in tally(claims).items() if number}
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in counted.items())
    return f"{plural(sum(counted.values()), 'claim')}, each by its weakest figure: {verdicts}"


def figures_of(claims: Iterable[AuditedClaim]) -> str:
    """How many figures of all claims have each verdict, in a line."""
    found = [outcome.verdict for audited in claims for outcome in audited.outcomes]
    verdicts = ", ".join(f"{found.count(verdict)} {verdict}" for verdict in Verdict if verdict in found)
    return f"{plural(len(found), 'figure')}: {verdicts}"


def as_stated(stated: Stated, value: Value) -> str:
    """A recomputed value in the unit of the stated figure."""
    unit = getattr(stated, "unit", NUMBER)
    if isinstance(value, Fraction) and unit == PERCENT:
        return stated_percent(value)
    if isinstance(value, Fraction) and unit == TIMES:
        exact = str(value)
        decimal = f"{float(value):.4g}x"
        return f"{decimal} ({exact})" if value.denominator > 1 and len(exact) <= SHORT else decimal
    return plain(value)


def plain(value: Value) -> str:
    """A value for people: whole numbers in full, short fractions exactly and others in four digits."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Fraction) and value.denominator > 1:
        return ratio(value, "both" if len(str(value)) <= SHORT else "decimal")
    if isinstance(value, Fraction):
        return f"{value.numerator:,}"
    if isinstance(value, float):
        return f"{value:.7g}"
    return re.sub(r"(?<!\*)[*/](?!\*)", r" \g<0> ", str(value))
