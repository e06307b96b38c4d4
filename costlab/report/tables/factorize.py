"""The tables of a plan of factorizations: what is replaced, the whole network, and what is left."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from costlab.advise.factorize.plan import TITLES, Plan, Replacement, Saving
from costlab.advise.factorize.site import Left
from costlab.algebra.combine import marked
from costlab.algebra.inputs import Inputs
from costlab.algebra.ops.convolution import Conv2d
from costlab.algebra.window import brief, times
from costlab.hardware.saved_time import SavedTime
from costlab.report.cell import Column, Remark, duration, human
from costlab.report.table import Table
from costlab.report.tables.count import NOT_VERIFIED

FORMAT, VERSION = "costlab factorize", 1
FEW = 2
"""The most paths that are named of what is left for one reason."""
PATH = Column("module", "module", empty="(root)", fold=14)
WHAT = (
    Column("convolution", "convolution", fold=14, sacrifice=3),
    Column("grid", "input", fold=8, sacrifice=6),
    Column("replacement", "replacement", fold=14, sacrifice=4),
)
RANK = (Column("rank", "rank", "size", sacrifice=2), Column("rank_out", "rank out", "size", sacrifice=2))
EXACT = Column("exact", "exact", sacrifice=5)
SIZES = (
    Column("multiply_adds", "multiply-adds", "size", fold=13),
    Column("multiply_adds_after", "after", "size", sacrifice=8),
    Column("multiply_adds_change", "change", "deviation"),
    Column("parameters", "parameters", "size", machine_only=True),
    Column("parameters_after", "parameters after", "size", machine_only=True),
    Column("parameters_change", "parameters", "deviation", sacrifice=10),
    Column("activations", "activations", "size", machine_only=True),
    Column("activations_after", "activations after", "size", machine_only=True),
    Column("activations_change", "activations", "deviation", sacrifice=9),
)
ERROR = Column("error", "error", "amount", sacrifice=1)
WHOLE = (
    Column("quantity", "whole network", "name"),
    Column("before", "before", "size", sacrifice=3),
    Column("after", "after", "size"),
    Column("in_short", "in short", sacrifice=4),
    Column("change", "change", "change", sacrifice=2),
    Column("share", "share", "deviation", sacrifice=1),
)
LEFT = (
    Column("module", "module", empty="(root)"),
    Column("reason", "left because"),
    Column("multiply_adds", "multiply-adds", "size"),
)
CHANGES = (
    "parameters and activations: how they change; activations are what convolutions and linear layers put out"
)
APPROXIMATE = "weights that are approximated are a start for fine-tuning, and no trained network"
FRESH = "its convolutions begin with fresh weights, and are to be trained"
BOUND = "lower bounds, no predictions"


class Told(NamedTuple):
    """What is known of a plan beside it: errors of approximation by path, and the time on a device."""

    errors: Mapping[str, float] | None = None
    time: SavedTime | None = None


PLAN_ALONE = Told()


def factorize_tables(plan: Plan, told: Told = PLAN_ALONE, *, machine: bool = False) -> Sequence[Table]:
    """What is replaced, the whole network, and what is left; people are told the last below the second.

    Where nothing is replaced, people are shown the network alone.
    """
    whole = whole_table(plan, told)
    if machine:
        return replaced_table(plan, told), whole, left_table(plan)
    if not plan.replacements:
        return (whole._replace(title=f"{_title(plan)}: nothing to replace"),)
    return replaced_table(plan, told), whole


def all_in_one(plan: Plan, told: Told = PLAN_ALONE) -> Table:
    """What is replaced and what is left in one table, for a form that holds one alone."""
    table, left = replaced_table(plan, told), LEFT[1]._replace(key="left")
    columns = (*table.columns, left)

    def kept(each: Left) -> tuple[Any, ...]:
        size = each.multiply_adds
        known = {"module": each.path, "multiply_adds": size, "multiply_adds_after": size, "left": each.reason}
        return tuple(known.get(column.key) for column in columns)

    rows = (*((*row, None) for row in table.rows), *map(kept, plan.left))
    return table._replace(columns=columns, rows=rows)


def replaced_table(plan: Plan, told: Told = PLAN_ALONE) -> Table:
    """A row for each convolution that is replaced, with all its calls and the whole batch."""
    columns = _columns(plan, told)
    return Table(
        title=_title(plan),
        columns=columns,
        rows=tuple(_values(each, told, columns) for each in plan.replacements),
        notes=(Remark(CHANGES, ("parameters_change", "activations_change")),),
        facts=lambda: _facts(plan, told),
    )


def whole_table(plan: Plan, told: Told = PLAN_ALONE) -> Table:
    """The quantities of the whole network, before and after."""
    return Table(
        title=f"{_label(plan)} with {_many(plan)} replaced",
        columns=WHOLE,
        rows=tuple(_whole(plan.saving, name) for name in TITLES),
        notes=tuple(_notes(plan, told)),
        name="whole",
        facts=lambda: _facts(plan, told),
    )


def left_table(plan: Plan) -> Table:
    """A row for each convolution that stays as it is, and why."""
    return Table(
        title=f"Left as they are in {_label(plan)}",
        columns=LEFT,
        rows=tuple((each.path, each.reason, each.multiply_adds) for each in plan.left),
        name="left",
    )


def conv_in_words(conv: Conv2d, channels: Any) -> str:
    """A convolution in a few words: ``3x3/2, 64 to 128``; with its dilation, where it has one."""
    apart = "" if conv.dilation == (1, 1) else f" dilated {times(conv.dilation)}"
    return f"{brief(conv.kernel, conv.stride)}{apart}, {channels} to {conv.filters}"


def parts_in_words(replacement: Replacement) -> str:
    """What stands in its place, ``1x3 to 48, 3x1``; the last has as many filters as the convolution."""
    *first, last = replacement.parts

    def kernel(part: Conv2d) -> str:
        return f"{times(part.kernel)}{' depthwise' if part.groups != 1 else ''}"

    between = (kernel(part) + (f" to {part.filters}" if part.groups == 1 else "") for part in first)
    return ", ".join((*between, kernel(last)))


def left_in_words(plan: Plan) -> str:
    """What is left, by its reasons, what is most first, with its share; few of a kind by their paths."""
    groups: dict[str, list[Left]] = {}
    for each in plan.left:
        groups.setdefault(each.reason, []).append(each)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    whole: Any = plan.before.multiply_adds
    parts, of_all = [], " of all multiply-adds"
    for reason, lefts in ordered:
        share = sum(each.multiply_adds for each in lefts) / whole if whole else 0.0
        paths = ", ".join(each.path or "the root" for each in lefts)
        parts.append(f"{reason} ({paths if len(lefts) <= FEW else len(lefts)} with {share:.1%}{of_all})")
        of_all = ""
    return ", ".join(parts)


def _title(plan: Plan) -> str:
    found = plan.found
    batch = f", batch {found.batch}" if found.batch != 1 else ""
    return f"{_label(plan)}, input {found.input}{batch}, by {plan.scheme.name}"


def _label(plan: Plan) -> str:
    return marked(plan.found.label, plan.unverified)


def _many(plan: Plan) -> str:
    return f"{len(plan.replacements):,} of {len(plan.replacements) + len(plan.left):,} convolutions"


def _columns(plan: Plan, told: Told) -> tuple[Column, ...]:
    """The columns; those that say nothing here are for machines only."""
    most = max((len(each.rank) for each in plan.replacements), default=0)
    exact = any(each.is_exact for each in plan.replacements)
    hidden = {
        *(column.key for column in RANK[most:]),
        *(() if exact else (EXACT.key,)),
        *(() if told.errors is not None else (ERROR.key,)),
    }
    columns = (PATH, *WHAT, *RANK, EXACT, *SIZES, ERROR)
    return tuple(each._replace(machine_only=True) if each.key in hidden else each for each in columns)


def _values(each: Replacement, told: Told, columns: Sequence[Column]) -> tuple[Any, ...]:
    site, rank = each.site, (*each.rank, None, None)
    grids = dict.fromkeys(f"{call.input.height}x{call.input.width}" for call in site.calls)
    known: dict[str, Any] = {
        "module": each.path,
        "convolution": conv_in_words(site.conv, site.channels),
        "grid": ", ".join(grids),
        "replacement": parts_in_words(each),
        "rank": rank[0],
        "rank_out": rank[1],
        "exact": each.is_exact,
        "error": None if told.errors is None else told.errors.get(each.path),
    }
    for name in TITLES:
        before, after = each.saving.sizes(name)
        known |= {name: before, f"{name}_after": after, f"{name}_change": _share(before, after)}
    return tuple(known[column.key] for column in columns)


def _whole(saving: Saving, name: str) -> tuple[Any, ...]:
    before, after = saving.sizes(name)
    short = f"{human(before)} to {human(after)}" if before != after else human(before)
    return (name, before, after, short, after - before, _share(before, after) or None)


def _share(before: int, after: int) -> float | None:
    return (after - before) / before if before else None


def _notes(plan: Plan, told: Told) -> Iterator[str]:
    if plan.unverified:
        yield NOT_VERIFIED
    if plan.left:
        yield f"{len(plan.left):,} left: {left_in_words(plan)}"
    if told.errors:
        errors = [*told.errors.values()]
        yield f"relative error of the kernels: median {median(errors):.2g}, at most {max(errors):.2g}"
    if told.time is not None:
        yield from _time(told.time)
    if plan.replacements and not all(each.is_exact for each in plan.replacements):
        yield APPROXIMATE if plan.scheme.has_rank else FRESH


def _time(time: SavedTime) -> Iterator[str]:
    before, after = time.before, time.after
    yield (
        f"at least {duration(before.seconds)} before and {duration(after.seconds)} after on "
        f"{before.device.name} in {before.dtype} ({-time.saved_seconds:+.1%}): {BOUND}"
    )
    if before.device.unverified:
        yield f"(?) {before.device.name}: {before.device.remark or 'not held against a source'}"


def _facts(plan: Plan, told: Told) -> dict[str, Any]:
    found, time = plan.found, told.time
    return {
        "format": FORMAT,
        "version": VERSION,
        "target": found.label,
        "input": str(found.input) if isinstance(found.input, Inputs) else list(found.input),
        "by": plan.scheme.name,
        "unverified": plan.unverified,
        "replaced": len(plan.replacements),
        "device": time and time.before.device.name,
        "dtype": time and time.before.dtype,
        "seconds_at_least": time and time.before.seconds,
        "seconds_at_least_after": time and time.after.seconds,
    }
