"""The tables of a reconciliation: every tool's number by its terms, and why two of them differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from costlab.checking.finding import Report
from costlab.counting.convention import GRAPHS, MODULES, MULTIPLY_ADDS, conventions
from costlab.counting.count import Count
from costlab.counting.holds import is_of
from costlab.counting.reconcile import NAMES, Account, Line, failing
from costlab.report.cell import Column, Remark
from costlab.report.table import Table
from costlab.report.tables.count import marks_of

TOOL = (
    Column("convention", "convention", machine_only=True),
    Column("tool", "tool", fold=24),
    Column("measured_on", "measured on", machine_only=True),
    Column("unit", "unit", machine_only=True),
    Column("number", "number", "size"),
)
REPORTED = (
    Column("release", "release", machine_only=True),
    Column("reported", "reported", "size", empty="-"),
    Column("verdict", "verdict", fold=9),
)
EXPLAINED = (
    Column("term", "term"),
    Column("first", "first", "size"),
    Column("second", "second", "size"),
    Column("difference", "difference", "change", sacrifice=1),
    Column("why", "why", fold=22),
)


DIFFERENCE = Remark(
    "the difference is from one per multiply-add, or two where that is what the tool counts", ("difference",)
)
IN_EXTRA = (
    *("thop", "ptflops", "ptflops_aten", "torchinfo", "torchprofile", "flopco", "calflops_macs"),
    "calflops_flops",
    "onnx_tool",
    "onnx_opcounter",
)
"""The tools that come with ``costlab[peers]``."""
EQUAL, DIFFERS, FAILED, NOT_INSTALLED = "equal", "DIFFERS", "failed", "not installed"


def verdict(account: Account, ran: Report | None) -> str:
    """Whether the tool reported the predicted number."""
    if ran is None:
        return NOT_INSTALLED
    if ran.number is None:
        return FAILED
    return EQUAL if ran.number == account.number else DIFFERS


def agreed(accounts: Sequence[Account], ran: Mapping[str, Report]) -> bool:
    """Whether every tool that ran reported the predicted number, or failed; one that should fail has none."""
    predicted = {account.convention.name for account in accounts}
    return all(report.number is None for name, report in ran.items() if name not in predicted) and all(
        verdict(account, ran.get(account.convention.name)) != DIFFERS for account in accounts
    )


def reconcile_table(
    count: Count, accounts: Sequence[Account], ran: Mapping[str, Report] | None = None
) -> Table:
    """A row for each tool: its number, the terms of it, and its difference from the multiply-adds."""
    names = [name for name in NAMES if any(account.of(name) for account in accounts) or name == MULTIPLY_ADDS]
    terms = [name.replace(" ", "_") for name in names]
    columns = (
        *TOOL,
        *(REPORTED if ran is not None else ()),
        Column("multiply_adds", f"{MULTIPLY_ADDS} in it", "size", sacrifice=2, fold=13),
        *(
            Column(key, name, "size", sacrifice=3 + place, empty="-", fold=10)
            for place, (key, name) in enumerate(zip(terms[1:], names[1:], strict=True))
        ),
        Column("difference", "difference", "change", sacrifice=1),
        Column("defects", "defects", machine_only=True),
        Column("no_rule", "no rule for", machine_only=True),
    )
    return Table(
        title=f"{count.title}: what each tool reports",
        columns=columns,
        rows=tuple(_row(account, names, ran) for account in accounts),
        notes=(
            Remark(
                f"the number is the sum of {MULTIPLY_ADDS} in it and the terms beside them",
                ("number", "multiply_adds", *terms[1:]),
                all_of_them=True,
            ),
            DIFFERENCE,
            *(
                f"{account.convention.title}: {defect}"
                for account in accounts
                for defect in _defects(account)
            ),
            *_failures(accounts, ran or {}),
            *_predicted_failures(count, ran or {}),
            *_left_out(count),
            *_absent(accounts, ran),
            *marks_of(count),
        ),
        facts=lambda: {"target": count.label, "input": str(count.input), "batch": count.batch},
    )


def _failures(accounts: Sequence[Account], ran: Mapping[str, Report]) -> list[str]:
    """A note for each tool that failed."""
    reports = {account.convention.title: ran.get(account.convention.name) for account in accounts}
    return [
        f"{title} failed: {answer.problem}" for title, answer in reports.items() if answer and answer.problem
    ]


def _predicted_failures(count: Count, ran: Mapping[str, Report]) -> list[str]:
    """A note for each tool that fails on what was counted: that its number is known to be none."""
    notes = []
    for name, reason in failing(count).items():
        report = ran.get(name)
        number = None if report is None else report.number
        all_the_same = "" if number is None else f"; it {DIFFERS} and reported {number:,} all the same"
        notes.append(f"{conventions()[name].title} fails on it: {reason}{all_the_same}")
    return notes


COUNTS = {GRAPHS: "graphs of ONNX", MODULES: "modules of PyTorch"}
"""What tools count, in words."""


def _left_out(count: Count) -> list[str]:
    """A note on the tools that count other things than what was counted."""
    others = [each for each in conventions().values() if not is_of(each, count)]
    names = ", ".join(each.name for each in others)
    return [f"left out, for they count {COUNTS[others[0].of]}: {names}"] if others else []


def _absent(accounts: Sequence[Account], ran: Mapping[str, Report] | None) -> list[str]:
    """A note on the tools that are not installed and come with the extra."""
    names = [account.convention.name for account in accounts]
    absent = [] if ran is None else [name for name in names if name in IN_EXTRA and name not in ran]
    brings = f"pip install 'costlab[peers]' brings {', '.join(absent)}"
    return [f"{NOT_INSTALLED}: {brings}"] if absent else []


def _row(account: Account, names: Sequence[str], ran: Mapping[str, Report] | None) -> tuple[Any, ...]:
    by = account.convention
    reported: tuple[Any, ...] = ()
    if ran is not None:
        report = ran.get(by.name)
        mine = not by.measured_on
        reported = (
            report.release if report else None,
            report.number if report else None,
            "" if mine else verdict(account, report),
        )
    return (
        by.name,
        by.title,
        by.measured_on or None,
        by.unit,
        account.number,
        *reported,
        *(account.of(name) or (account.plain if name == MULTIPLY_ADDS else None) for name in names),
        account.difference,
        "; ".join(_defects(account)),
        ", ".join(f"{kind} ({times})" for kind, times in account.unknown.items()),
    )


def _defects(account: Account) -> list[str]:
    """The defects of a tool that affect its number, in words."""
    release = account.convention.measured_on
    return [f"{int(term.amount):+,} {term.name}: {term.reason} ({release})" for term in account.defects]


def explain_table(count: Count, first: Account, second: Account, lines: Sequence[Line]) -> Table:
    """A row for each term in which two tools differ."""
    titles = [account.convention.name for account in (first, second)]
    columns = list(EXPLAINED)
    columns[1:3] = [
        Column(key, title, "size") for key, title in zip(("first", "second"), titles, strict=True)
    ]
    whole = ("total", first.number, second.number, first.number - second.number, "")
    return Table(
        title=f"{count.title}: why {titles[0]} and {titles[1]} differ",
        columns=tuple(columns),
        rows=tuple((line.name, line.first, line.second, line.difference, line.why) for line in lines),
        total=whole,
        notes=("terms that are the same in both are left out of the rows",),
        facts=lambda: {
            "target": count.label,
            "first": first.convention.name,
            "second": second.convention.name,
        },
    )
