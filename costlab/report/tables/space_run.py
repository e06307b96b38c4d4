"""The tables of a run over design spaces: the spaces, the front of their members, and all members."""

from collections.abc import Sequence

from costlab.explore.region import together
from costlab.explore.written.axis import typed
from costlab.explore.written.vary import ALL
from costlab.report.cell import Column, plural
from costlab.report.table import Table
from costlab.report.trained_members import (
    TrainedNetwork,
    beside_of,
    by_error,
    front_of,
    members_of,
    space_names,
    surpassing,
    usual_side,
)
from costlab.train.record import Run
from costlab.train.space_record import SpaceRecord

MOST_ROWS = 60
"""Members that are shown at most."""
SPACE_COLUMNS = (
    Column("space", "space"),
    Column("network", "network"),
    Column("axes", "axes"),
    Column("conditions", "conditions", empty="none"),
    Column("size", "members", "size"),
    Column("among", "of these, that fit and meet the conditions", "size"),
    Column("drawn", "trained", "size"),
    Column("results", "with a result", "size"),
    Column("failed", "trainings that failed", "size"),
)
COSTS = (
    Column("multiply_adds", "multiply-adds", "size"),
    Column("parameters", "parameters", "size"),
    Column("error", "top-1 error, %", "printed", empty="-"),
)
FRONT_COLUMNS = (Column("target", "target"), Column("space", "space"), *COSTS)
BESIDE_COLUMNS = (
    Column("variant", "variant"),
    Column("target", "target"),
    *COSTS,
    Column("standing", "beside the members"),
)
MEMBER_COLUMNS = (
    Column("target", "target"),
    Column("space", "space"),
    *COSTS,
    Column("top_1", "top-1, %", "printed", empty="-"),
    Column("loss", "loss", "printed", empty="-"),
    Column("seeds", "seeds done", "printed"),
)


def spaces_table(run: Run) -> Table:
    """Each space as it was written, how many members it has, and how many were trained."""
    done = {each.label: each.seeds for each in members_of(run)}
    failed = [trial.arm for trial in run.trials if trial.failure]
    rows = tuple(
        (
            name,
            space.target,
            axes_of(space),
            together(conditions_of(space)),
            space.size,
            space.among,
            len(space.drawn),
            sum(done.get(label, 0) > 0 for label in space.drawn),
            sum(arm in space.drawn for arm in failed),
        )
        for name, space in zip(space_names(run), run.spaces, strict=True)
    )
    return Table("The spaces, and how many of their members were trained", SPACE_COLUMNS, rows)


def axes_of(space: SpaceRecord) -> str:
    """The axes of a space as they are typed: ``width=0.25:1:0.05; large=5x5,3x3+3x3; small``."""
    return "; ".join(
        name if values == ALL else f"{name}={_values(values)}" for name, values in space.vary.items()
    )


def _values(values: object) -> str:
    several = values if isinstance(values, list | tuple) else [values]
    return ",".join(typed(tuple(each) if isinstance(each, list) else each) for each in several)


def conditions_of(space: SpaceRecord) -> tuple[str, ...]:
    """The conditions that members meet, the regime of their multiply-adds last."""
    regime = f"multiply_adds within {space.within} of {space.of}"
    return (*space.where, *([regime] if space.within else []))


def front_table(run: Run) -> Table:
    """The members that none surpasses in having few multiply-adds and a small error."""
    usual = usual_side(run)
    rows = tuple((each.at(usual), names_of(run, each), *_costs(each)) for each in front_of(members_of(run)))
    return Table("The front: members that no other surpasses", FRONT_COLUMNS, rows, notes=(_counted(run),))


def beside_table(run: Run) -> Table:
    """The baseline and what else was trained beside the members, and by which of them it is surpassed."""
    members, usual = members_of(run), usual_side(run)
    rows = tuple(
        (each.label, each.at(usual), *_costs(each), standing(each, members)) for each in beside_of(run)
    )
    note = (
        "A member surpasses a network where it has no more multiply-adds and no larger error, and less of "
        "one of them."
    )
    return Table("What was trained beside the members", BESIDE_COLUMNS, rows, notes=(note,))


def standing(network: TrainedNetwork, members: Sequence[TrainedNetwork]) -> str:
    """Whether a network stands on the front of the members, or which of them surpass it, in words."""
    if network.error is None:
        return "without a result"
    better = surpassing(members, network)
    if not better:
        return "on the front: no member surpasses it"
    best = better[0]
    assert best.error is not None  # or it would not surpass it
    points = f"{100 * (network.error - best.error):.2f}"
    fewer = 1 - best.multiply_adds / network.multiply_adds if network.multiply_adds else 0.0
    error = f"an error smaller by {points} points" if float(points) else "as small an error"
    cost = f"{fewer:.1%} fewer multiply-adds" if fewer else "as many multiply-adds"
    of = "" if len(better) == 1 else ", of which the one with the smallest error is"
    by = plural(len(better), "member")
    return f"surpassed by {by}{of or ','} {best.target}, with {error} and {cost}"


def members_table(run: Run, record: str) -> Table:
    """All members by error; of very many those with the least, and where the others stand."""
    members, usual = by_error(members_of(run)), usual_side(run)
    rows = tuple(
        (
            each.at(usual),
            names_of(run, each),
            *_costs(each),
            None if each.error is None else _percent(1 - each.error),
            None if each.loss is None else f"{each.loss:.4f}",
            f"{each.seeds} of {run.seeds}",
        )
        for each in members[:MOST_ROWS]
    )
    left = len(members) - len(rows)
    several = ", the means over the seeds" if run.seeds > 1 else ""
    notes = [
        f"Top-1 and loss are those on {plural(run.data.validation, 'validation image')} after the last "
        f"epoch{several}; parameters are those in training."
    ]
    if left:
        title = f"The {len(rows)} members with the smallest errors, of {len(members):,}"
        notes.append(f"The other {left:,} stand in the record, {record}, under arms and trials.")
    else:
        title = "All members, by error"
    return Table(title, MEMBER_COLUMNS, rows, notes=tuple(notes))


def names_of(run: Run, member: TrainedNetwork) -> str:
    """The spaces that a member was drawn from."""
    names = space_names(run)
    return " and ".join(names[place] for place in member.spaces)


def _costs(network: TrainedNetwork) -> tuple[int, int, str | None]:
    error = None if network.error is None else _percent(network.error)
    return network.multiply_adds, network.parameters, error


def _percent(part: float) -> str:
    return f"{100 * part:.2f}"


def _counted(run: Run) -> str:
    """How the members are counted by a user."""
    usual = usual_side(run)
    said = f"Each target is one that costlab count takes, with --input 3x{usual}x{usual} as it was trained"
    others = any(arm.side != usual for arm in run.arms)
    return f"{said}{', or at the pixels that are named' if others else ''}."
