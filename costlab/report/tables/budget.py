"""The tables of budgets: what is used of each limit, and the modules that are responsible."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from costlab.algebra.combine import marked
from costlab.algebra.inputs import Inputs
from costlab.explore.budget import Budget, Check, Outcome
from costlab.explore.budgets.responsible import Part
from costlab.hardware.memory import Memory
from costlab.report.cell import Column, human, plural
from costlab.report.table import Table
from costlab.report.tables.count import (
    UNVERIFIED_COLUMN,
    convention_facts,
    convention_notes,
    key_of,
    marks_of,
    unknown_notes,
)

FORMAT, VERSION = "costlab budget", 1
FEW = 5
"""The modules that people are shown of what is over a limit."""
NOT_COUNTED = "not counted"
WITH_MODULES = "write it with costlab count -f json, without --by and --columns"
NAME = Column("budget", "budget", once=True, marked_by="unverified", fold=12)
QUANTITY = Column("quantity", "quantity", "name")
RULE = Column("rule", "rule", sacrifice=1)
COLUMNS = (
    NAME,
    UNVERIFIED_COLUMN,
    Column("target", "target", machine_only=True),
    QUANTITY,
    RULE,
    Column("reference", "reference", "size", sacrifice=6),
    Column("change", "change", "deviation", sacrifice=4),
    Column("limit", "limit", "size", sacrifice=3),
    Column("used", "used", "size", sacrifice=2),
    Column("headroom", "headroom", "change", sacrifice=5),
    Column("verdict", "verdict"),
)
COMPARED = ("reference", "change")
MODULES = (
    NAME._replace(marked_by=""),
    QUANTITY,
    RULE._replace(sacrifice=4),
    Column("module", "module", empty="(root)"),
    Column("module_reference", "reference", "size", sacrifice=3),
    Column("module_used", "used", "size"),
    Column("module_change", "change", "change", sacrifice=1),
    Column("share", "share", "share", sacrifice=2),
)
COMPARED_MODULES = ("module_reference", "module_change")


def budget_table(outcomes: Sequence[Outcome], source: str = "") -> Table:
    """What each budget allows and what is used of it; ``source`` is the file that names several."""
    compared = any(check.increase is not None for _, _, check in _checks(outcomes))
    return Table(
        title=_title(outcomes, source),
        columns=_hidden(COLUMNS, source, () if compared else COMPARED),
        rows=tuple(_row(outcome, check) for outcome in outcomes for check in _checks_of(outcome)),
        notes=tuple(
            note for outcome in outcomes for note in _notes(outcome, f"{outcome.name}: " if source else "")
        ),
        facts=lambda: {
            "format": FORMAT,
            "version": VERSION,
            "within": all(outcome.budget is not None and outcome.budget.within for outcome in outcomes),
            "budgets": [_facts(outcome) for outcome in outcomes],
        },
    )


def responsible_table(outcomes: Sequence[Outcome], source: str = "", most: int | None = FEW) -> Table:
    """The modules that are responsible for what is over a limit: so many for each, or all."""
    over = [(outcome, budget, check) for outcome, budget, check in _checks(outcomes) if check.over]
    compared = any(check.increase is not None for _, _, check in over)
    return Table(
        title="What is responsible",
        columns=_hidden(MODULES, source, () if compared else COMPARED_MODULES),
        rows=tuple(
            (outcome.name, _key(budget, check), _rule(check), *_values(part, check))
            for outcome, budget, check in over
            for part in (check.modules or ())[:most]
        ),
        notes=tuple(
            note
            for outcome, budget, check in over
            for note in _left_out(budget, check, most, f"{outcome.name}: " if source else "")
        ),
        name="responsible",
    )


def with_modules(outcomes: Sequence[Outcome], source: str = "") -> Table:
    """Both in one table: what is over has a row for each module, with its sizes behind."""
    table = budget_table(outcomes, source)
    rows: list[tuple[Any, ...]] = []
    for outcome in outcomes:
        for check in _checks_of(outcome):
            parts = (check.modules or ()) if check is not None and check.over else ()
            values = [_values(part, check) for part in parts if check is not None]
            rows += [(*_row(outcome, check), *each) for each in values or [(None,) * len(MODULES[3:])]]
    return table._replace(columns=(*table.columns, *MODULES[3:]), rows=tuple(rows))


def told(outcome: Outcome) -> Iterator[str]:
    """A line for each limit that a budget is over, for people who do not see the table."""
    for _, budget, check in _checks([outcome]):
        if check.over:
            quantity = _key(budget, check).replace("_", "-")
            parts = "; ".join(_part(part) for part in (check.modules or ())[:FEW])
            name = marked(outcome.name, budget.count.unverified)
            yield (
                f"{name}: {quantity} {check.size:,}, {-check.headroom:,} over {check.limit:,} "
                f"({_rule(check)}){parts and f': {parts}'}"
            )


def _part(part: Part) -> str:
    size = f"{part.size:,}" if part.before is None else f"{part.increase:+,}"
    return f"{part.path or '(root)'} {size}"


def _hidden(columns: Sequence[Column], source: str, empty: Sequence[str]) -> tuple[Column, ...]:
    """The columns, those that say nothing for machines only."""
    needless = {*empty, *(() if source else ("budget",))}
    return tuple(
        column._replace(machine_only=True) if column.key in needless else column for column in columns
    )


def _title(outcomes: Sequence[Outcome], source: str) -> str:
    if not source:
        (outcome,) = outcomes
        assert outcome.budget is not None
        return f"{outcome.budget.count.title}: {'within' if outcome.budget.within else 'over'} budget"
    failed = sum(outcome.budget is None for outcome in outcomes)
    over = sum(outcome.budget is not None and not outcome.budget.within for outcome in outcomes)
    found = [f"{number} {word}" for number, word in ((over, "over"), (failed, NOT_COUNTED)) if number]
    return f"{plural(len(outcomes), 'budget')} of {source}: {', '.join(found) or 'all within'}"


def _checks(outcomes: Sequence[Outcome]) -> list[tuple[Outcome, Budget, Check]]:
    return [
        (outcome, outcome.budget, check)
        for outcome in outcomes
        if outcome.budget is not None
        for check in outcome.budget.checks
    ]


def _checks_of(outcome: Outcome) -> tuple[Check | None, ...]:
    return (None,) if outcome.budget is None else outcome.budget.checks


def _row(outcome: Outcome, check: Check | None) -> tuple[Any, ...]:
    if outcome.budget is None or check is None:
        return (outcome.name, False, outcome.target, *(None,) * 7, NOT_COUNTED)
    return (
        outcome.name,
        outcome.budget.count.unverified,
        outcome.target,
        _key(outcome.budget, check),
        _rule(check),
        check.before,
        check.change,
        check.limit,
        check.size,
        check.headroom,
        "over" if check.over else "within",
    )


def _values(part: Part, check: Check) -> tuple[Any, ...]:
    change = None if part.before is None else part.increase
    return (part.path, part.before, part.size, change, part.size / check.size)


def _key(budget: Budget, check: Check) -> str:
    return key_of(budget.count, check.quantity)


def _rule(check: Check) -> str:
    return "maximum" if check.increase is None else f"+{percent(check.increase)}"


def percent(share: Fraction) -> str:
    """A share in percent, ``0.5%``; one whose digits have no end is shown as the fraction that it is."""
    from decimal import Decimal, Inexact, localcontext

    with localcontext(prec=40) as context:
        context.traps[Inexact] = True
        try:
            shown = f"{Decimal(100 * share.numerator) / share.denominator:f}"
        except Inexact:
            return str(share)
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown}%"


def _left_out(budget: Budget, check: Check, most: int | None, prefix: str) -> Iterator[str]:
    quantity = f"{prefix}{_key(budget, check).replace('_', '-')}, {_rule(check)}"
    more = (check.modules or ())[most:] if most is not None else ()
    if more:
        together = sum(part.size if part.before is None else part.increase for part in more)
        what = "with" if check.increase is None else "that grew, by"
        size = f"{together:,} together" if len(more) > 1 else f"{together:,}"
        yield f"{quantity}: {plural(len(more), 'more module')} {what} {size}"


def _notes(outcome: Outcome, prefix: str) -> Iterator[str]:
    budget = outcome.budget
    if budget is None:
        yield f"{prefix}{NOT_COUNTED}: {outcome.failure}"
        return
    if prefix:
        yield f"{prefix}{budget.count.title}"
    if (used := budget.memory) is not None:
        step = "inference" if used.optimizer is None else f"a step of training with {used.optimizer}"
        held = human(int(used.total), "B")
        yield f"{prefix}peak memory: {held} held at most, with all that stays, in {step}, {used.dtype}"
    if (reference := budget.reference) is not None:
        target = f", a count of {reference.target}" if reference.count is None else ""
        yield f"{prefix}against {reference.name}{target}"
        if any(check.modules is None for check in budget.checks):
            yield f"{prefix}which modules grew is not known: {reference.name} holds none; {WITH_MODULES}"
        if reference.not_counted:
            yield f"{prefix}not counted in the reference: {', '.join(reference.not_counted)}"
    yield from (
        f"{prefix}{note}"
        for note in (*unknown_notes(budget.count), *convention_notes([budget.count]), *marks_of(budget.count))
    )


def _memory(memory: Memory) -> dict[str, Any]:
    """How it ran whose memory was limited, and where the most is held."""
    optimizer = memory.optimizer
    return {
        "train": optimizer is not None,
        "optimizer": optimizer and optimizer.name,
        "momentum": optimizer is not None and optimizer.momentum,
        "average": memory.average,
        "dtype": memory.dtype,
        "module": memory.peak.path,
        "phase": memory.peak.phase,
    }


def _facts(outcome: Outcome) -> dict[str, Any]:
    budget = outcome.budget
    if budget is None:
        return {"budget": outcome.name, "target": outcome.target, "within": None, "failure": outcome.failure}
    count, reference = budget.count, budget.reference
    return {
        "budget": outcome.name,
        "target": outcome.target,
        "within": budget.within,
        "failure": None,
        "input": str(count.input) if isinstance(count.input, Inputs) else list(count.input),
        "batch": count.batch,
        "auxiliary_heads": count.heads,
        "unverified": count.unverified,
        **convention_facts(count),
        "reference": reference and {"name": reference.name, "target": reference.target},
        **({} if budget.memory is None else {"memory": _memory(budget.memory)}),
        "not_counted": {kind: list(paths) for kind, paths in count.unsupported.items()},
    }
