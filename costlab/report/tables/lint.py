"""What lint says of a network: its findings, as a list for people, and the balance of its grids."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from costlab.advise.lint.finding import Finding
from costlab.advise.lint.lint import Lint
from costlab.advise.lint.text import ROOT, in_a_line
from costlab.algebra.inputs import Inputs
from costlab.algebra.window import times
from costlab.report.cell import Column
from costlab.report.table import MULTIPLY_ADDS, Table
from costlab.report.tables.count import NOT_VERIFIED
from costlab.report.text import PAGE, folded

FORMAT, VERSION = "costlab lint", 1
INDENT = " " * 4
BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
PRINTED = Column("", "")
"""How a text is shown, whatever signs are in the names of a user's modules."""
COLORS = {"warning": "\x1b[33m", "note": "\x1b[36m"}
TEXTS = (
    Column("module", "module", empty=ROOT, fold=20),
    Column("severity", "severity", sacrifice=1),
    Column("rule", "rule", fold=16),
    Column("message", "finding", fold=32),
    Column("source", "paper", sacrifice=2, fold=12),
    Column("title", "says", machine_only=True),
    Column("change", "change", sacrifice=3, fold=32),
)
NUMBERS = (
    Column("before", "before"),
    Column("pool", "pooling"),
    Column("convolution", "convolution"),
    Column("kernel", "kernel"),
    Column("channels", "channels", "size"),
    Column("filters", "filters", "size"),
    Column("from_grid", "from grid"),
    Column("to_grid", "to grid"),
    Column("from_sizes", "from sizes"),
    Column("to_sizes", "to sizes"),
    Column("from_elements", "from elements", "size"),
    Column("to_elements", "to elements", "size"),
    Column("ratio", "times fewer", "amount"),
    Column("multiply_adds", "multiply-adds", "size"),
    Column("share_of_convolutions", "of convolutions", "share"),
    Column("share_of_all", "of all", "share"),
)
"""What is known of a finding, by its rule: for machines, and for people who ask for it."""
OTHER_NAMES = {"to_grid": "grid", "share_of_all": "share"}
"""What some of them are called in a `Finding`: names of the balance's columns are left to these."""
ALTERNATIVES = {"3x3-pairs": "multiply_adds_as_3x3_pairs", "1xn+nx1": "multiply_adds_as_1xn_nx1"}
"""The schemes that stand in the paper for a large kernel, with the columns of what they would cost."""
COLUMNS = (
    *TEXTS,
    *(column._replace(machine_only=True) for column in NUMBERS),
    *(
        Column(key, f"{MULTIPLY_ADDS} as {scheme}", "size", machine_only=True)
        for scheme, key in ALTERNATIVES.items()
    ),
)
GRIDS = (
    Column("grid", "grid", empty="1"),
    Column("convolutions", "convolutions", "size", sacrifice=2),
    Column("mean_width", "mean width", "amount", sacrifice=1),
    Column("widest", "widest", "size", sacrifice=3),
    Column("multiply_adds", "multiply-adds", "size"),
    Column("share", "share", "share"),
)
BALANCED = "balance of width and depth (principle 4, section 2) and shares are reported, and never warned of"


class FindingsTable(Table):
    """Findings: a table in a document, for people in a terminal a list as of any linter."""

    def to_text(self, width: int | None = None, *, color: bool = False, unicode: bool = True) -> str:
        if self.chosen is not None:
            return super().to_text(width, color=color, unicode=unicode)
        title = folded(self.title, width or PAGE)
        lines = [f"{BOLD}{line}{PLAIN}" for line in title] if color else title
        for row in self.rows:
            lines += ["", *_listed(self.record(row), width or PAGE, color)]
        notes = [line for note in self.remarks(self.visible()) for line in folded(str(note), width or PAGE)]
        return "\n".join([*lines, *(["", *notes] if notes else []), ""])


def lint_tables(found: Lint, configuration: Path | None = None) -> tuple[Table, ...]:
    """The findings, in the order of execution, and where there are convolutions the balance of the grids.

    ``configuration`` is the file that says what is heard.
    """
    findings = FindingsTable(
        title=found.title,
        columns=COLUMNS,
        rows=tuple(map(_values, found.findings)),
        facts=lambda: _facts(found, configuration),
    )
    notes = tuple(_notes(found))
    if not found.grids:
        return (findings._replace(notes=notes),)
    return findings, _grids_table(found)._replace(notes=(BALANCED, *notes))


def told(path: str, severity: str, rule: str, message: str) -> str:
    """A finding in a line."""
    return PRINTED.show(in_a_line(path, severity, rule, message))


def _listed(finding: dict[str, Any], width: int, color: bool) -> Iterator[str]:
    """The lines of a finding; all below the first are indented."""
    room = max(width - len(INDENT), 1)
    path, severity = finding["module"], finding["severity"]
    first, *others = folded(told(path, severity, finding["rule"], finding["message"]), room)
    head = "\n".join([first, *(f"{INDENT}{line}" for line in others)])
    if color:
        place, joint, rest = head.partition(f" {severity}:")
        head = f"{BOLD}{place}{PLAIN} {COLORS[severity]}{severity}{PLAIN}:{rest}" if joint else head
    yield head
    for text in (f"{finding['source']}: {finding['title']}", f"change: {finding['change']}"):
        for line in folded(PRINTED.show(text), room):
            yield f"{INDENT}{DIM}{line}{PLAIN}" if color else f"{INDENT}{line}"


def _values(finding: Finding) -> tuple[Any, ...]:
    costs = {each.scheme: each.multiply_adds for each in finding.alternatives}
    return (
        finding.path,
        finding.severity,
        finding.rule,
        finding.message,
        finding.source,
        finding.title,
        finding.change,
        *(_number(finding, column.key) for column in NUMBERS),
        *(costs.get(scheme) for scheme in ALTERNATIVES),
    )


def _number(finding: Finding, key: str) -> Any:
    """A number, a path, or sizes as ``64x73x73``; None for what the rule doesn't say."""
    value = finding.numbers.get(key, finding.numbers.get(OTHER_NAMES.get(key, key)))
    return times(value) if isinstance(value, tuple) else value


def _grids_table(found: Lint) -> Table:
    return Table(
        title="Convolutions by the grid of what they put out",
        columns=GRIDS,
        rows=tuple(
            (
                times(grid.sizes),
                grid.convolutions,
                float(grid.mean_width),
                grid.widest,
                grid.multiply_adds,
                grid.share,
            )
            for grid in found.grids
        ),
        total=(
            "total",
            sum(grid.convolutions for grid in found.grids),
            None,
            None,
            found.balance.multiply_adds_of_convolutions,
            None,
        ),
        name="grids",
    )


def _notes(found: Lint) -> Iterator[str]:
    if found.unverified:
        yield NOT_VERIFIED
    yield found.summary


def _facts(found: Lint, configuration: Path | None) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "target": found.label,
        "input": str(found.input) if isinstance(found.input, Inputs) else list(found.input),
        "traced": found.traced,
        "unverified": found.unverified,
        "configuration": None if configuration is None else str(configuration),
        "expensive_share": found.expensive_share,
        "warnings": len(found.warnings),
        "notes": len(found.notes),
        "silenced": [{"module": each.path, "rule": each.rule} for each in found.silenced],
        "multiply_adds": found.balance.multiply_adds,
        "multiply_adds_of_convolutions": found.balance.multiply_adds_of_convolutions,
    }
