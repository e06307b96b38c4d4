"""The tables of a space: its axes, what fits in it, extremes, a histogram, and members."""

from collections.abc import Mapping, Sequence
from typing import Any

from costlab.algebra.define import Definition
from costlab.algebra.shape import Shape
from costlab.algebra.work import QUANTITIES
from costlab.explore.answers import Extremes, Histogram, Misfit
from costlab.explore.member import Selection
from costlab.explore.quantities import PEAK_MEMORY
from costlab.explore.region import together
from costlab.explore.running import RUNNING, in_words
from costlab.explore.space import Space
from costlab.explore.survey import SPREAD_MAX, Survey
from costlab.explore.written.axis import INPUT, typed
from costlab.report.cell import Column
from costlab.report.table import Table
from costlab.report.tables.count import TITLES
from costlab.targets.target import Variant
from costlab.targets.torch_module import Factory

MEMBER = (
    Column("target", "target", fold=30),
    Column("input", "input"),
    *(Column(name, title, "size", sacrifice=place) for place, (name, title) in enumerate(TITLES.items())),
)
PEAK = Column(PEAK_MEMORY, "peak memory (bytes)", "size", fold=13)
MORE = tuple(Column(name, name, machine_only=True) for name in QUANTITIES if name not in TITLES)


def axes_table(variant: Variant) -> Table:
    """The axes that a definition has, with what each takes, and what it is by default."""
    definition = variant.subject
    assert isinstance(definition, Definition)
    rows: list[tuple[Any, ...]] = []
    for parameter in variant.parameters.values():
        if parameter.name in variant.settings:
            continue
        default = "" if parameter.required else typed_or(parameter.default)
        rows.append((parameter.name, parameter.takes, default, parameter.note))
    shape = variant.place()[0]
    if isinstance(shape, Shape):
        rows.append((INPUT, "a whole number", str(shape.height), "height and width of the input"))
    example = _example(variant)
    return Table(
        title=f"{variant.label}: axes",
        columns=(
            Column("axis", "axis"),
            Column("takes", "takes"),
            Column("default", "default"),
            Column("note", "what it is", sacrifice=1, fold=40),
        ),
        rows=tuple(rows),
        notes=(f"vary some: costlab explore {variant.label} {example}",) if example else (),
    )


def typed_or(value: Any) -> str:
    """A default as it is typed."""
    try:
        return typed(value)
    except Exception:
        return str(value)


def _example(variant: Variant) -> str:
    """How one or two of the axes are varied."""
    parts, numbers = [], []
    for parameter in variant.parameters.values():
        if parameter.name in variant.settings:
            continue
        default = parameter.default
        if parameter.choices or parameter.type is bool:
            parts.append(f"--vary {parameter.name}")
        elif type(default) is float and default > 0:
            low, high, step = (f"{default * share:.4g}" for share in (0.5, 1.5, 0.05))
            parts.append(f"--vary {parameter.name}={low}:{high}:{step}")
        elif type(default) is int and default > 0:
            numbers.append(f"--vary {parameter.name}={default},{2 * default}")
    return " ".join([*parts, *numbers][:2])


def summary_tables(survey: Survey) -> list[Table]:
    """What was found of a space: how many members fit, where others do not, extremes, and a histogram."""
    tables = [_counts_table(survey)]
    if survey.extremes:
        tables.append(_extremes_table(survey.space, survey.extremes))
    if survey.misfits:
        tables.append(_misfits_table(survey.misfits))
    if survey.histogram and survey.histogram.counts:
        tables.append(_histogram_table(survey.histogram))
    return tables


def _counts_table(survey: Survey) -> Table:
    space = survey.space
    counted = [("all", space.size), ("fit", survey.fitting)]
    if space.stated:
        counted.append((together(space.stated), survey.meeting))
    rows = tuple((name, many, many / space.size) for name, many in counted if many is not None)
    return Table(
        title=title_of(space),
        columns=(
            Column("members", "members", fold=40),
            Column("count", "count", "size"),
            Column("share", "share", "share"),
        ),
        rows=rows,
        notes=_notes(survey),
        facts=lambda: facts_of(space),
    )


def _notes(survey: Survey) -> tuple[str, ...]:
    memory = memory_notes(survey.space)
    if survey.is_spread_left_out:
        asked = f"more than {SPREAD_MAX:,} members have a histogram only when --histogram asks for it"
        return (asked, *memory)
    return (survey.unfinished, *memory) if survey.unfinished else memory


def _extremes_table(space: Space, extremes: Sequence[Extremes]) -> Table:
    rows = tuple(
        (each.quantity, end, member.sizes[each.quantity], *_values(space, member))
        for each in extremes
        for end, member in (("least", each.least), ("most", each.most))
    )
    columns = (
        Column("quantity", "of", "name", once=True),
        Column("end", ""),
        Column("value", "", "size"),
        *(
            each._replace(sacrifice=each.sacrifice + 1) if each.key in TITLES else each
            for each in _columns(space)
        ),
    )
    return Table("extremes", columns, rows, name="extremes")


def _misfits_table(misfits: Sequence[Misfit]) -> Table:
    return Table(
        title="members that do not fit, by the first part at which they do not",
        columns=(
            Column("part", "part", empty="(root)"),
            Column("members", "members", "size"),
            Column("example", "for example", sacrifice=1, fold=50),
        ),
        rows=tuple(misfits),
        name="misfits",
    )


def _histogram_table(histogram: Histogram) -> Table:
    whole = sum(histogram.counts)
    rows = tuple(
        (plain_number(low), plain_number(high), many, many / whole)
        for low, high, many in zip(histogram.edges, histogram.edges[1:], histogram.counts, strict=False)
    )
    return Table(
        title=f"members by {histogram.by}",
        columns=(
            Column("from", "from", "size"),
            Column("below", "to below", "size"),
            Column("members", "members", "size"),
            Column("share", "share", "share"),
        ),
        rows=rows,
        name="histogram",
    )


def plain_number(value: Any) -> Any:
    """A fraction as a whole number where it is one, else as a float."""
    return value.numerator if value.denominator == 1 else float(value)


def members_table(space: Space, selection: Selection, by: Sequence[str] = ()) -> Table:
    """Members with their quantities, and the values of what they were selected by."""
    has_column = {*TITLES, PEAK_MEMORY}
    sums = [(text, space.quantity(text)) for text in by if text.lstrip("-") not in has_column]
    named = {text.lstrip("-") for text in by}
    shown = (each._replace(sacrifice=0) if each.key in named else each for each in _columns(space))
    columns = (*shown, *(Column(text, text, "size", fold=20) for text, _ in sums))
    rows = tuple(
        (*_values(space, member), *(plain_number(space.value(linear, member)) for _, linear in sums))
        for member in selection.members
    )
    notes = () if rows else ("no member meets the conditions",)
    notes = (*notes, *memory_notes(space))
    return Table(selection.title, columns, rows, notes=notes, facts=lambda: facts_of(space))


def _columns(space: Space) -> tuple[Column, ...]:
    is_given = space.variant.input is not None or any(axis.name == INPUT for axis in space.axes)
    shown = tuple(column for column in MEMBER if column.key != "input" or is_given)
    if PEAK_MEMORY in space.quantities:
        shown = (*shown, PEAK)
    axes = tuple(Column(axis.name, axis.name, machine_only=True) for axis in space.axes if axis.name != INPUT)
    return (*shown, *MORE, *axes)


def _values(space: Space, member: Any) -> tuple[Any, ...]:
    keys = [column.key for column in _columns(space)]
    known: dict[str, Any] = {**member.values, "target": member.target, "input": str(member.input)}
    known.update(member.sizes)
    return tuple(known[key] for key in keys)


def title_of(space: Space) -> str:
    """The space in one line."""
    axes = ", ".join(axis.name for axis in space.axes)
    return f"{space.variant.label}, {space.size:,} members along {axes}"


def memory_notes(space: Space) -> tuple[str, ...]:
    """How members run whose peak memory is shown."""
    if PEAK_MEMORY not in space.quantities:
        return ()
    otherwise = "the types of the modules" if isinstance(space.variant.subject, Factory) else "float32"
    return (f"peak memory: all that is held at once, in {in_words(space.running or {}, otherwise)}",)


def facts_of(space: Space) -> Mapping[str, Any]:
    """What goes at the head of the JSON form."""
    return {
        "target": space.variant.label,
        "members": space.size,
        "axes": {axis.name: [axis.text(i) for i in range(len(axis.values))] for axis in space.axes},
        "where": [*space.stated],
        **(
            {"running": {**RUNNING, "batch": 1, **(space.running or {})}}
            if PEAK_MEMORY in space.quantities
            else {}
        ),
    }
