"""The tables of closed forms: a network's, module by module, and a comparison's with its ratios."""

from collections.abc import Mapping, Sequence
from typing import Any

from costlab.algebra.floors import unnested
from costlab.algebra.work import Work
from costlab.counting.compare import Comparison
from costlab.counting.row import MEASURES
from costlab.report.cell import Column, Note, Remark
from costlab.report.table import Table
from costlab.report.tables.count import TITLES, UNVERIFIED_COLUMN, By, unverified_note
from costlab.symbolic.closed_form import ClosedForm
from costlab.symbolic.conditions import conditions_of
from costlab.symbolic.expressions import ratio_in_symbols, saving_in_symbols, tidy

HOLDS = Column("holds", "holds", machine_only=True)
FORMS = (
    Column("parameters", "parameters", "formula", sacrifice=1),
    Column("multiply_adds", "multiply-adds", "formula"),
    Column("activations", "activations", "formula", sacrifice=2),
    Column("weights", "weights", "formula", machine_only=True),
    Column("bias_adds", "bias adds", "formula", machine_only=True),
)
COMPARED = (
    Column("variant", "variant", once=True, marked_by="unverified"),
    UNVERIFIED_COLUMN,
    Column("quantity", "quantity", "name"),
    Column("closed_form", "closed form", "formula", sacrifice=1),
    Column("ratio", "ratio", "formula", empty="-"),
    Column("saving", "saving", "formula", sacrifice=2, empty="-"),
    HOLDS,
)


def closed_form_table(form: ClosedForm, depth: int = 1, by: By = "module") -> Table:
    """A closed form per module at ``depth``, or per kind of operation; only the total if interpolated."""
    rows_of_form = form.count.kinds() if by == "kind" else form.count.modules(depth)
    rows = () if form.ranges else rows_of_form
    name = Column("kind", "kind") if by == "kind" else Column("module", "module", empty="(root)")
    holds = "; ".join(form.holds)
    return Table(
        title=form.headline,
        columns=(name, *FORMS, HOLDS, UNVERIFIED_COLUMN),
        rows=tuple(
            (row.work.kind if by == "kind" else row.path, *_values(form, row.work), holds, form.unverified)
            for row in rows
        ),
        total=("total", *_values(form, form.count.total), holds, form.unverified),
        notes=(
            *_holds([form]),
            *_anywhere(form),
            _confirmed(form),
            *_left_out(form),
            *unverified_note([form]),
        ),
        facts=lambda: {
            "target": form.label,
            "unverified": form.unverified,
            "symbols": {name: _plain(form.numbers.get(name)) for name in form.symbols},
            "holds": list(form.holds),
            "confirmed": _numbers(form),
            "any_size": {name: str(unnested(getattr(form.count.total, name))) for name in MEASURES}
            if form.for_any_size
            else None,
        },
    )


def compared_forms_table(comparison: Comparison, forms: Sequence[ClosedForm]) -> Table:
    """The closed forms of variants, each with its ratio to the first and the saving."""
    rows = []
    holds = "; ".join(conditions_of([form.domain for form in forms]))
    for form in forms:
        for name in MEASURES:
            size = getattr(form, name)
            ratio = ratio_in_symbols(size, getattr(forms[0], name))
            saving = None if ratio is None else saving_in_symbols(ratio)
            rows.append((form.label, form.unverified, name, size, ratio, saving, holds))
    names = dict.fromkeys(name for form in forms for name in form.symbols)
    confirmed = all(form.confirmed is not None for form in forms)
    verified = (
        "each form was held against counts" if confirmed else "not every form could be held against counts"
    )
    return Table(
        title=f"{comparison.title}, in {', '.join(names)}",
        columns=COMPARED,
        rows=tuple(rows),
        notes=(
            Remark(f"ratio and saving: against {forms[0].shown}", ("ratio", "saving")),
            *_holds(forms),
            verified,
            *_left_out(forms[0]),
            *unverified_note(forms),
        ),
        facts=lambda: {
            "ablation": comparison.name or None,
            "title": comparison.title,
            "baseline": forms[0].label,
            "symbols": list(names),
            "holds": list(conditions_of([form.domain for form in forms])),
            "confirmed": {form.label: _numbers(form) for form in forms},
        },
    )


def _holds(forms: Sequence[ClosedForm]) -> list[str]:
    return [f"holds {text}" for text in conditions_of([form.domain for form in forms])]


def _anywhere(form: ClosedForm) -> tuple[Note, ...]:
    if not form.steps or not form.for_any_size:
        return ()
    sizes = " and ".join(map(str, form.steps))
    return (Note(f"multiply-adds for any {sizes}:", tidy(unnested(form.count.multiply_adds))),)


def _confirmed(form: ClosedForm) -> str:
    if form.confirmed is None:
        return "could not be held against a count: no numbers were found for which it holds"
    quantities = form.at(**form.confirmed)
    numbers = ", ".join(f"{name} = {number}" for name, number in form.confirmed.items())
    sizes = ", ".join(f"{quantities[name]:,} {TITLES[name]}" for name in MEASURES)
    return f"at {numbers}: {sizes}, as counted"


def _left_out(form: ClosedForm) -> list[str]:
    if not form.left_out:
        return []
    return [f"no symbol for {', '.join(form.left_out)}: name it to see why"]


def _numbers(form: ClosedForm) -> dict[str, Any] | None:
    return None if form.confirmed is None else {name: _plain(n) for name, n in form.confirmed.items()}


def _values(form: ClosedForm, work: Work) -> tuple[Any, ...]:
    sizes: Mapping[str, Any] = work._asdict()
    return tuple(form.read(sizes[column.key]) for column in FORMS)


def _plain(number: Any) -> Any:
    return number if number is None or isinstance(number, int | float) else str(number)
