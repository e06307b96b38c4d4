"""The tables of closed forms: a network's, module by module, and a comparison's with its ratios."""

from collections.abc import Mapping, Sequence
from math import lcm
from typing import Any

from costlab.algebra.work import Work
from costlab.counting.closed_form import (
    ClosedForm,
    condition_of,
    ratio_in_symbols,
    saving_in_symbols,
    tidy,
    unnested,
)
from costlab.counting.count import MEASURES, Row
from costlab.report.cell import Column
from costlab.report.compare import TITLES
from costlab.report.count import By
from costlab.report.table import Table

FORMS = (
    Column("parameters", "parameters", "formula", sacrifice=1),
    Column("multiply_adds", "multiply-adds", "formula"),
    Column("activations", "activations", "formula", sacrifice=2),
    Column("weights", "weights", "formula", machine_only=True),
    Column("bias_adds", "bias adds", "formula", machine_only=True),
)
COMPARED = (
    Column("variant", "variant", once=True),
    Column("quantity", "quantity"),
    Column("closed_form", "closed form", "formula"),
    Column("ratio", "ratio", "formula", sacrifice=1, empty="-"),
    Column("saving", "saving", "formula", sacrifice=2, empty="-"),
)


def closed_form_table(form: ClosedForm, depth: int = 1, by: By = "module") -> Table:
    """A closed form per module at ``depth``, or per kind of operation."""
    rows = form.count.kinds() if by == "kind" else form.count.modules(depth)
    columns = (Column("kind", "kind") if by == "kind" else Column("module", "module", empty="(root)"), *FORMS)
    return Table(
        title=f"{form.label} in {', '.join(form.symbols)}{_elsewhere(form)}",
        columns=columns,
        rows=tuple(_values(form, row.work, _name(row, by)) for row in rows),
        total=_values(form, form.count.total, "total"),
        notes=(*notes_of([form]), *_anywhere(form)),
        facts={
            "target": form.label,
            "symbols": {name: _plain(form.numbers.get(name)) for name in form.symbols},
            "holds": [text for text in (form.condition, form.rounding) if text],
            "any_size": {name: str(unnested(getattr(form.count.total, name))) for name in MEASURES}
            if form.anywhere
            else None,
        },
    )


def compared_forms_table(title: str, forms: Sequence[ClosedForm]) -> Table:
    """The closed forms of variants, each with its ratio to the first and what is saved."""
    rows = []
    for form in forms:
        for name in MEASURES:
            size = getattr(form, name)
            ratio = ratio_in_symbols(size, getattr(forms[0], name))
            saving = None if ratio is None else saving_in_symbols(ratio)
            rows.append((form.label, TITLES[name], size, ratio, saving))
    names = dict.fromkeys(name for form in forms for name in form.symbols)
    return Table(
        title=f"{title}, in {', '.join(names)}",
        columns=COMPARED,
        rows=tuple(rows),
        notes=(f"ratio and saving: against {forms[0].label}", *notes_of(forms)),
        facts={
            "title": title,
            "baseline": forms[0].label,
            "symbols": list(names),
            "holds": [text for text in (_shared(forms), *_roundings(forms)) if text],
        },
    )


def notes_of(forms: Sequence[ClosedForm]) -> tuple[str, ...]:
    """For which numbers the forms hold."""
    texts = [_shared(forms), *_roundings(forms)]
    return tuple(f"holds {text}" for text in texts if text)


def _shared(forms: Sequence[ClosedForm]) -> str:
    """For which sizes all the forms hold: each starts from the same number, so that periods combine."""
    classes: dict[str, tuple[int, int]] = {}
    for form in forms:
        for name, (period, _) in form.classes.items():
            joint = lcm(period, classes.get(name, (1, 0))[0])
            classes[name] = (joint, int(form.numbers[name]) % joint)
    ranges = {name: numbers for form in forms for name, numbers in form.ranges.items()}
    for form in forms:
        for name, numbers in form.ranges.items():
            ranges[name] = range(max(ranges[name].start, numbers.start), min(ranges[name].stop, numbers.stop))
    return condition_of(classes, ranges)


def _roundings(forms: Sequence[ClosedForm]) -> list[str]:
    return list(dict.fromkeys(form.rounding for form in forms if form.rounding))


def _anywhere(form: ClosedForm) -> tuple[str, ...]:
    if not form.steps or not form.anywhere:
        return ()
    sizes = " and ".join(map(str, form.steps))
    return (f"multiply-adds for any {sizes}: {tidy(unnested(form.count.multiply_adds))}",)


def _elsewhere(form: ClosedForm) -> str:
    """What is no symbol: the input and the batch as far as they are numbers."""
    back = {spread: size for size, spread in form.steps.items()}
    shape = [back.get(size, size) for size in form.count.input]
    return f", input ({', '.join(map(str, shape))}), batch {form.count.batch}"


def _name(row: Row, by: By) -> str:
    return row.work.kind if by == "kind" else row.path


def _values(form: ClosedForm, work: Work, name: str) -> tuple[Any, ...]:
    sizes: Mapping[str, Any] = work._asdict()
    return (name, *(form.read(sizes[column.key]) for column in FORMS))


def _plain(number: Any) -> Any:
    return number if number is None or isinstance(number, int | float) else str(number)
