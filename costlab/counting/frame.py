"""Results as pandas frames, with exact integers, and the words and rows by which they show themselves."""

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

from costlab.algebra.dim import INT64_MAX, is_symbolic, text
from costlab.algebra.work import QUANTITIES
from costlab.counting.row import COST, DEFAULT, Row, record

if TYPE_CHECKING:
    from pandas import DataFrame

    from costlab.counting.compare import Comparison
    from costlab.counting.count import Count


def frame_of(count: "Count", rows: Iterable[Row]) -> "DataFrame":
    """The rows with exact integers; a column whose sum exceeds int64 holds Python integers."""
    whole = record(count.whole)
    return exact_frame([record(row) | _marks(count) for row in rows], whole | _marks(count))


def exact_frame(rows: list[dict[str, Any]], whole: Mapping[str, Any]) -> "DataFrame":
    """Rows with the columns of ``whole``; where its size exceeds int64, a column of Python integers."""
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(whole))
    large = [name for name, size in whole.items() if isinstance(size, int) and abs(size) > INT64_MAX]
    return frame.astype(dict.fromkeys(large, "object"))


def _marks(count: "Count") -> dict[str, bool]:
    return {"unverified": count.unverified, "partial": count.partial is not None}


def frame_of_comparison(comparison: "Comparison") -> "DataFrame":
    """A row for each variant: its quantities, and the ratio and the saving of what people compare by."""
    rows: list[dict[str, Any]] = []
    for count in comparison.counts:
        sizes = {name: count.size(name) for name in (*QUANTITIES, COST)}
        row: dict[str, Any] = {
            "variant": count.label,
            "input": str(count.input),
            "batch": count.batch,
            **sizes,
        }
        for name in comparison.measures:
            ratio = comparison.ratio(count, name)
            row[f"{name}_ratio"] = None if ratio is None else float(ratio)
            row[f"{name}_saving"] = None if ratio is None else float(1 - ratio)
        rows.append(row | _marks(count))
    sums = {name: sum(row[name] for row in rows) if type(rows[0][name]) is int else "" for name in rows[0]}
    return exact_frame(rows, sums)


def lines_of(count: "Count") -> list[str]:
    """What was counted and its totals, with what is to be said beside them."""
    sizes = (f"{size} {name}" for name, size in sizes_of(count.whole, count).items())
    return [count.title, *sizes, *notes_of(count)]


def notes_of(count: "Count") -> list[str]:
    """What is to be said beside the totals: of what they lack, or hold too much of."""
    groups = (
        ("is not counted", count.without_rule),
        ("is not counted, for its sizes are not known", count.unsized),
        ("is counted with both branches, of which data decides which one runs", count.undecided),
    )
    told = [f"{kind} {words}: {len(at)} of it" for words, found in groups for kind, at in found.items()]
    if places := count.complex_products:
        told.append(f"products of complex numbers count as one multiply-add, and take four: {len(places)}")
    return [*told, str(count.partial)] if count.partial else told


def notes_of_comparison(comparison: "Comparison") -> list[str]:
    """What is to be said beside the totals of each variant."""
    return [f"{count.label}: {note}" for count in comparison.counts for note in notes_of(count)]


def lines_of_comparison(comparison: "Comparison") -> list[str]:
    """What is compared, and each variant with its sizes."""
    lines = [comparison.headline]
    for row in records_of_comparison(comparison):
        (_, label), (cost, size), (_, ratio), *others = row.items()
        sizes = (f"{size} {cost} ({ratio})", *(f"{size} {name}" for name, size in others))
        lines.append(f"{label}: {', '.join(sizes)}")
    return [*lines, *notes_of_comparison(comparison)]


def records_of_comparison(comparison: "Comparison") -> list[dict[str, str]]:
    """The variants with their sizes; the ratio is that of the first quantity to the baseline's."""
    rows = []
    for count in comparison.counts:
        (cost, size), *others = sizes_of(count.whole, count).items()
        ratio = comparison.ratio(count, comparison.measures[0])
        shown = "no ratio" if ratio is None else f"{float(ratio):.4g} of the baseline"
        shown = "the baseline" if count is comparison.baseline else shown
        rows.append({"variant": count.shown, cost: size, "ratio": shown, **dict(others)})
    return rows


def sizes_of(row: Row, count: "Count") -> dict[str, str]:
    """What people are shown of a row, by the title of the quantity."""
    sizes = zip(titles_of(count), row.sizes(count.measures), strict=True)
    return {title: thousands(size) for title, size in sizes}


def titles_of(count: "Count") -> list[str]:
    """What the quantities that people are shown are called."""
    first = count.measures[0] if count.priced == DEFAULT else count.convention.column
    return [title.replace("_", "-") for title in (first, *count.measures[1:])]


def thousands(value: Any) -> str:
    """A size with its thousands apart; symbols and arrays as they are."""
    return f"{value:,}" if isinstance(value, Integral) and not is_symbolic(value) else text(value)
