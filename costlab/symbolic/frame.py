"""Closed forms as pandas frames, and the words and rows by which they show themselves."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from costlab.algebra.work import QUANTITIES
from costlab.counting.row import MEASURES, Row, record

if TYPE_CHECKING:
    from pandas import DataFrame

    from costlab.symbolic.closed_form import ClosedForm


def frame_of_form(form: "ClosedForm") -> "DataFrame":
    """A row for each operation, its quantities as expressions; of an interpolated form the total alone."""
    import pandas as pd

    rows = [form.count.whole] if form.ranges else form.count.rows
    return pd.DataFrame([_expressions(form, row) | {"unverified": form.unverified} for row in rows])


def lines_of_form(form: "ClosedForm") -> list[str]:
    """What the form is of, the expressions of the whole, and where they hold."""
    whole = _shown(form, form.count.whole)
    return [
        form.headline,
        *(f"{name}: {whole[name]}" for name in _titles(MEASURES)),
        *(f"holds {text}" for text in form.holds),
    ]


def records_of_form(form: "ClosedForm") -> list[dict[str, str]]:
    """The modules below the root, and the total; of an interpolated form the total alone."""
    below = () if form.ranges else form.count.modules(1)
    return [_shown(form, row) for row in (*below, form.count.whole._replace(path="total"))]


def _shown(form: "ClosedForm", row: Row) -> dict[str, str]:
    sizes = zip(_titles(MEASURES), row.sizes(), strict=True)
    return {"module": row.path, **{name: str(form.read(size)) for name, size in sizes}}


def _expressions(form: "ClosedForm", row: Row) -> dict[str, Any]:
    read = {name: form.read(row.size(name)) for name in QUANTITIES}
    plain = {name: value for name, value in record(row).items() if name not in ("cost", "output")}
    return plain | read


def _titles(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.replace("_", "-") for name in names)
