"""Counts beside published figures, in separate columns."""

from typing import Any

from costlab.counting.compare import Comparison
from costlab.counting.count import Count
from costlab.report.cell import Column, Remark
from costlab.report.table import Table
from costlab.report.tables.count import UNVERIFIED_COLUMN, unverified_note
from costlab.targets.published import ERRORS

NAMES = {error: error[:5].replace("_", "-") for error in ERRORS}
PUBLISHED = (
    Column("reported_in", "reported in", sacrifice=4, fold=9),
    Column("reported_billions", "billions (reported)", "printed", sacrifice=5, empty="-", fold=10),
    *(
        Column(
            f"reported_{error}",
            f"{short} error, % (reported)",
            "printed",
            sacrifice=place,
            empty="-",
            fold=10,
        )
        for place, (error, short) in enumerate(NAMES.items())
    ),
    Column("beyond", "beyond", sacrifice=1, empty="-", fold=13),
    *(
        Column(
            f"multiply_adds_per_point_of_{error}",
            f"per {short} point (counted / reported)",
            "rounded",
            sacrifice=2 if short == "top-1" else 3,
            empty="-",
            fold=11,
        )
        for error, short in NAMES.items()
    ),
)


PER_POINT = Remark(
    "per point: multiply-adds more than in the variant gone beyond, by points of error less, where those are "
    "more than rounding",
    tuple(f"multiply_adds_per_point_of_{error}" for error in ERRORS),
)


def published_table(comparison: Comparison) -> Table:
    """The counted multiply-adds, the reported errors, and the cost of one further point from row to row."""
    return Table(
        title="Counted multiply-adds beside what is reported",
        columns=(
            Column("variant", "variant", marked_by="unverified", fold=16),
            UNVERIFIED_COLUMN,
            Column("multiply_adds", "multiply-adds, counted", "size", fold=17),
            *PUBLISHED,
        ),
        rows=tuple(
            (count.label, count.unverified, count.multiply_adds, *published_values(comparison, count))
            for count in comparison.counts
            if count.label in comparison.published
        ),
        notes=(
            PER_POINT,
            *comparison.notes,
            *unverified_note(comparison.counts),
        ),
    )


def published_values(comparison: Comparison, count: Count) -> tuple[Any, ...]:
    """A row of `PUBLISHED`."""
    figures = comparison.published.get(count.label)
    if figures is None:
        return (None,) * len(PUBLISHED)
    errors = (figures.top_1_error, figures.top_5_error)
    points = (comparison.per_point(count.label, error) for error in ERRORS)
    return (figures.source, figures.multiply_adds, *errors, figures.after or None, *points)
