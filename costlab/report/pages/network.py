"""The page of a network: its cost by module, grid and kernel, and the cross-check."""

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from costlab.counting.breakdown import grid_of, kernel_of
from costlab.counting.count import Count
from costlab.errors import CostlabError
from costlab.report.cell import Column, human
from costlab.report.page import Page, page
from costlab.report.pictures.grids import grids_picture
from costlab.report.pictures.modules import modules_picture
from costlab.report.table import Table
from costlab.report.tables.count import breakdown_table, count_table
from costlab.targets.resolve import without_folder

if TYPE_CHECKING:
    from costlab.checking.finding import Finding

CHECKED = (
    "The PyTorch module is built from the same value and run; every module of the tree is compared with what "
    "each source says of it, and so is what the tables add up to."
)
RAN = (
    "The module itself is run under PyTorch's flop counter and fvcore, as far as these see what it does; the "
    "flop counter is held against every module that is in one place only."
)
NOTHING = "Nothing in it costs multiply-adds, parameters or activations."
LONGEST = 150
"""The most bytes of a page's name, which suffixes for its pictures follow."""
FINDING_COLUMNS = (
    Column("source", "source"),
    Column("quantity", "quantity"),
    Column("modules", "modules", "size"),
    Column("outcome", "outcome"),
)


def network_page(
    count: Count, name: str, report: Callable[[str], None], *, depth: int = 1, target: str = ""
) -> Page:
    """The cost of a network by module, grid, kernel and kind, and the cross-check."""
    from costlab.checking.cross_check import check

    try:
        findings, problem = check(count, progress=lambda step: report(f"checking {count.shown}: {step}")), ""
    except CostlabError as error:
        findings, problem = [], str(error)
    problems = [problem] if problem else [str(finding) for finding in findings if not finding.agreed]
    total = count.total
    sizes = (
        f"{human(int(total.multiply_adds))} multiply-adds, {human(int(total.parameters))} parameters and "
        f"{human(int(total.activations))} activations"
    )
    checked = "not checked" if problem else "something disagrees" if problems else "checked against what runs"
    drawn = any(count.size(measure) != 0 for measure in count.measures)
    return page(
        name,
        count.shown,
        f"{sizes} at input {count.input}, batch {count.batch}; {checked}.",
        (
            "## By module",
            count_table(count, depth),
            modules_picture(count, f"{name}_modules", depth) if drawn else NOTHING,
            "## By grid",
            *([grids_picture(count, f"{name}_grids")] if drawn else []),
            breakdown_table(count, grid_of, "grid"),
            "## By kernel and by kind of operation",
            breakdown_table(count, kernel_of, "kernel", largest_first=True),
            count_table(count, by="kind"),
            "## Cross-check",
            RAN if count.held else CHECKED,
            problem or _findings_table(findings),
        ),
        [f"{count.shown}: {line}" for line in problems],
        target,
    )


def _findings_table(findings: "Sequence[Finding]") -> Table:
    rows = (
        (finding.source, finding.quantity, finding.modules, finding.problem or "agreed")
        for finding in findings
    )
    return Table("What each source says", FINDING_COLUMNS, tuple(rows))


def file_name(target: str) -> str:
    """A name for files from a target with its options, of letters, digits, ``_``, ``.``, ``+`` and ``-``."""
    name = re.sub(r"[^\w.+]+", "-", without_folder(target)).strip("-.") or "network"
    if len(name.encode()) <= LONGEST:
        return name
    return f"{name.encode()[: LONGEST - 9].decode(errors='ignore')}-{sha256(target.encode()).hexdigest()[:8]}"
