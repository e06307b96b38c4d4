"""The tables of conventions: a list, and the charges and defects of one."""

from typing import Any

from costlab.counting.convention import Convention, convention, conventions
from costlab.counting.reconcile import rates_in_words
from costlab.report.cell import Column
from costlab.report.table import Table

ALL = (
    Column("name", "name"),
    Column("title", "tool", sacrifice=2),
    Column("measured_on", "measured on", sacrifice=1, empty="-"),
    Column("unit", "what is counted", fold=44),
)
ONE = (
    Column("operations", "operations", fold=22),
    Column("charged", "charged", fold=24),
    Column("told", "what is wrong in it", fold=28),
)


def conventions_table(name: str | None = None) -> Table:
    """A row for each convention; with a name, a row for each of its charges and defects.

    Raises:
        DefinitionError: there is no convention of that name.
    """
    if name is None:
        rows: Any = (
            (entry.name, entry.title, entry.measured_on or None, entry.unit)
            for entry in conventions().values()
        )
        return Table(
            "Conventions", ALL, tuple(rows), notes=("costlab list --conventions NAME describes one",)
        )
    return _described(convention(name))


def _described(by: Convention) -> Table:
    rows = [
        *((pattern, rates_in_words(row) or "nothing", "") for pattern, row in by.charges.items()),
        ("all others", rates_in_words(by.default) or "nothing", ""),
        *((", ".join(defect.match), rates_in_words(defect.charge), defect.reason) for defect in by.defects),
    ]
    unseen = f"only these forms are seen: {', '.join(sorted(by.forms))}" if by.forms else ""
    unknown = f"no rule for: {', '.join(by.unknown)}" if by.unknown else ""
    known = f"it fails on operators other than: {', '.join(sorted(by.operators))}" if by.operators else ""
    types = f"it fails on inputs other than: {', '.join(sorted(by.input_types))}" if by.input_types else ""
    fails = f"it fails on: {'; '.join(each.reason for each in by.fails)}" if by.fails else ""
    constants = f"computed of constants: {by.constants}" if by.constants else ""
    measurement = f", measured on {by.measured_on}" if by.measured_on else ""
    return Table(
        f"{by.name}: {by.unit}{measurement}",
        ONE,
        tuple(rows),
        notes=tuple(filter(None, (unseen, unknown, known, types, fails, constants, by.note))),
        facts=lambda: {"convention": by.name, "unit": by.unit, "measured_on": by.measured_on or None},
    )
