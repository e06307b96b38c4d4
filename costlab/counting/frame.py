"""The rows of a count as a pandas frame, and as HTML where a notebook shows it."""

from collections.abc import Callable, Iterable
from html import escape
from numbers import Integral
from typing import TYPE_CHECKING, Any

from costlab.algebra.dim import INT64_MAX, is_symbolic, text
from costlab.counting.row import Row, record

if TYPE_CHECKING:
    from pandas import DataFrame

    from costlab.counting.count import Count


def frame_of(count: "Count", rows: Iterable[Row]) -> "DataFrame":
    """The rows with exact integers; a column whose sum exceeds int64 holds Python integers."""
    import pandas as pd

    marks = {"unverified": count.unverified, "partial": count.partial is not None}
    whole = record(count.whole) | marks
    shown = (record(row) | marks for row in rows)
    frame = pd.DataFrame(list(shown), columns=list(whole))
    large = [name for name, size in whole.items() if isinstance(size, int) and abs(size) > INT64_MAX]
    return frame.astype(dict.fromkeys(large, "object"))


def html_of(count: "Count") -> str:
    """The title, and a table of the modules below the root."""
    counted = ["operations", "parameters", count.measures[0], "activations"]
    frame = frame_of(count, [*count.modules(1), count.whole._replace(path=count.total_name)])
    show: dict[Any, Callable[[Any], str]] = dict.fromkeys(counted, _thousands)
    columns = ["module", "operation", "output", *counted]
    table = frame[columns].to_html(index=False, formatters=show, justify="left", border=0)
    return f"<p>{escape(count.title)}</p>{table}"


def _thousands(value: Any) -> str:
    return f"{value:,}" if isinstance(value, Integral) and not is_symbolic(value) else text(value)
