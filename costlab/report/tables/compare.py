"""The tables of a comparison: the variants beside each other, and the modules in which they differ."""

from collections.abc import Iterable
from typing import Any

from costlab.counting.compare import Comparison
from costlab.counting.count import Count
from costlab.counting.difference import Difference
from costlab.report.cell import Column, Kind, Remark
from costlab.report.table import Table
from costlab.report.tables.count import (
    PARTIAL_COLUMN,
    UNVERIFIED_COLUMN,
    convention_facts,
    convention_notes,
    key_of,
    partial_facts,
    partial_notes,
    titles_of,
    unknown_notes,
    unverified_note,
)
from costlab.report.tables.published import PUBLISHED, published_values

SIDES = (
    Column("variant", "variant", once=True, marked_by="unverified", fold=13),
    UNVERIFIED_COLUMN,
    Column("module", "module", empty="(root)"),
    Column("change", "change", sacrifice=1),
    Column("before", "before", sacrifice=3, fold=14),
    Column("after", "after", sacrifice=2, fold=14),
)


def compare_table(comparison: Comparison, exact: bool = True) -> Table:
    """The variants with their sizes, ratios to the baseline, as fractions or in decimals, and savings."""
    titles = titles_of(comparison.baseline)
    inputs = {str(count.input) for count in comparison.counts}
    batches = {count.batch for count in comparison.counts}
    columns = (
        Column("variant", "variant", marked_by="unverified", partial_by="partial", fold=20),
        UNVERIFIED_COLUMN,
        PARTIAL_COLUMN,
        Column("input", "input", sacrifice=9, machine_only=len(inputs) == 1),
        Column("batch", "batch", "size", sacrifice=9, machine_only=len(batches) == 1),
        *(
            column
            for i, name in enumerate(comparison.measures)
            for column in _columns(
                key_of(comparison.baseline, name), titles[i], i, exact, inverse=exact or len(batches) == 1
            )
        ),
        *(column._replace(machine_only=True) for column in PUBLISHED if comparison.published),
    )
    first = comparison.baseline
    return Table(
        title=comparison.headline,
        columns=columns,
        rows=tuple(_row(comparison, count) for count in comparison.counts),
        notes=(
            *partial_notes(comparison.counts),
            *(f"{count.shown}: {note}" for count in comparison.counts for note in unknown_notes(count)),
            _against(first.shown, comparison),
            *convention_notes(comparison.counts),
            *(() if comparison.published else comparison.notes),
            *unverified_note(comparison.counts),
        ),
        facts=lambda: {
            "ablation": comparison.name or None,
            "title": comparison.title,
            "baseline": first.label,
            "batch": first.batch if len(batches) == 1 else None,
            "baseline_unverified": first.unverified,
            "partial": {count.label: partial_facts(count) for count in comparison.counts if count.partial},
            "not_counted": {
                count.label: {kind: list(paths) for kind, paths in count.unsupported.items()}
                for count in comparison.counts
                if count.unsupported
            },
            "notes": list(comparison.notes),
            "auxiliary_heads": first.heads,
            **convention_facts(first),
        },
    )


def _against(baseline: str, comparison: Comparison) -> Remark:
    names = [key_of(comparison.baseline, name) for name in comparison.measures]
    kinds = ("ratio", "saving", "saving_percent", "inverse_ratio")
    keys = tuple(f"{name}_{kind}" for name in names for kind in kinds)
    return Remark(f"ratio and saving: against {baseline}", keys)


def _columns(name: str, title: str, place: int, exact: bool, inverse: bool) -> tuple[Column, ...]:
    first = place == 0
    ratio: Kind = "ratio" if exact else "times"
    return (
        Column(name, title, "size", sacrifice=0 if first else 2 * place + 1, fold=13),
        Column(f"{name}_ratio", "ratio", ratio, sacrifice=1 if first else 2 * place + 4, empty="-"),
        Column(f"{name}_saving", "saving", "saving", sacrifice=2 if first else 2 * place + 2, empty="-"),
        Column(f"{name}_saving_percent", "saving in percent", "printed", machine_only=True),
        Column(
            f"{name}_inverse_ratio",
            "1/ratio",
            ratio,
            sacrifice=10,
            empty="-",
            machine_only=not (first and inverse),
        ),
    )


def _row(comparison: Comparison, count: Count) -> tuple[Any, ...]:
    marks = (count.unverified, count.partial is not None)
    values: list[Any] = [count.label, *marks, str(count.input), count.batch]
    for name in comparison.measures:
        ratio, saving = comparison.ratio(count, name), comparison.saving(count, name)
        percent = None if saving is None else float(100 * saving)
        inverse = 1 / ratio if ratio else None
        values += [count.size(name), ratio, saving, percent, inverse]
    return (*values, *(published_values(comparison, count) if comparison.published else ()))


def difference_table(comparison: Comparison, depth: int | None = None) -> Table:
    """Every module of the variants that differs from the baseline, with its additional cost."""
    rows = [
        (count.label, count.unverified, *_values(difference, comparison.measures))
        for count in comparison.counts[1:]
        for difference in comparison.differences(count, depth)
    ]
    labels_shown = {comparison.baseline.label, *(label for label, *_ in rows)}
    same = [c.shown for c in comparison.counts[1:] if not comparison.differences(c, depth)]
    return Table(
        title=f"What differs from {comparison.baseline.shown}",
        columns=_difference_columns(comparison.baseline),
        rows=tuple(rows),
        notes=(
            *(f"{label}: no module differs" for label in same),
            *unverified_note(count for count in comparison.counts if count.label in labels_shown),
        ),
        name="differences",
    )


def with_differences(table: Table, comparison: Comparison, depth: int | None = None) -> Table:
    """The table of a comparison with a row for each module that differs, one for a variant without any.

    That is for formats which hold one table: each row has the sizes of its variant, too.
    """
    own = _difference_columns(comparison.baseline)[2:]
    rows = [
        (*row, *values)
        for row, count in zip(table.rows, comparison.counts, strict=True)
        for values in _differing(comparison, count, depth) or [(None,) * len(own)]
    ]
    return table._replace(columns=(*table.columns, *own), rows=tuple(rows))


def _differing(comparison: Comparison, count: Count, depth: int | None) -> list[tuple[Any, ...]]:
    """The modules of a variant that differ from the baseline, as rows."""
    if count == comparison.baseline:
        return []
    return [tuple(_values(each, comparison.measures)) for each in comparison.differences(count, depth)]


def _difference_columns(baseline: Count) -> tuple[Column, ...]:
    keys = (key_of(baseline, name) for name in baseline.measures)
    measures = tuple(zip(keys, titles_of(baseline), strict=True))
    return (
        *SIDES,
        *(
            Column(f"{name}_change", title, "change", sacrifice=i, fold=13)
            for i, (name, title) in enumerate(measures)
        ),
        *(
            Column(f"{name}_{when}", f"{title} {when}", "size", machine_only=True)
            for name, title in measures
            for when in ("before", "after")
        ),
    )


def _values(difference: Difference, measures: tuple[str, ...]) -> Iterable[Any]:
    yield from (difference.path, difference.change, difference.before, difference.after)
    yield from (difference.of(name) for name in measures)
    for name in measures:
        yield from (int(row.size(name)) for row in (difference.size_before, difference.size_after))
