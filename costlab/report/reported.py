"""What is counted beside what a publication reports, each in columns of its own."""

from typing import Any

from costlab.counting.compare import Comparison
from costlab.counting.count import Count
from costlab.report.cell import Column
from costlab.report.count import unverified_note
from costlab.report.table import Table

ERRORS = {"top_1_error": "top-1", "top_5_error": "top-5"}
REPORTED = (
    Column("reported_in", "reported in", sacrifice=2),
    Column("reported_billions", "billions (reported)", "printed", sacrifice=3, empty="-"),
    *(
        Column(f"reported_{error}", f"{short} error, % (reported)", "printed", empty="-")
        for error, short in ERRORS.items()
    ),
    *(
        Column(f"multiply_adds_per_point_of_{error}", f"per {short} point", "rounded", sacrifice=1, empty="-")
        for error, short in ERRORS.items()
    ),
)


def reported_table(comparison: Comparison) -> Table:
    """The counted multiply-adds, the reported errors, and what one further point costs from row to row."""
    return Table(
        title="Counted multiply-adds beside what is reported",
        columns=(
            Column("variant", "variant", marked_by="unverified"),
            Column("unverified", "unverified", machine_only=True),
            Column("multiply_adds", "multiply-adds (counted)", "size"),
            *REPORTED,
        ),
        rows=tuple(
            (count.label, count.unverified, count.multiply_adds, *reported_values(comparison, count))
            for count in comparison.counts
            if count.label in comparison.reported
        ),
        notes=(
            "per point: counted multiply-adds more than in the variant before, by points of error less",
            *comparison.notes,
            *unverified_note(comparison.counts),
        ),
    )


def reported_values(comparison: Comparison, count: Count) -> tuple[Any, ...]:
    """A row of `REPORTED`."""
    told = comparison.reported.get(count.label)
    if told is None:
        return (None,) * len(REPORTED)
    errors = (told.top_1_error, told.top_5_error)
    points = (comparison.per_point(count.label, error) for error in ERRORS)
    return (told.source, told.multiply_adds, *errors, *points)
