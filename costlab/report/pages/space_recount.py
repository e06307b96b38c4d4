"""Whether the spaces of a run are as its record says: counted anew, and their members drawn anew."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from costlab.errors import CostlabError, one_line
from costlab.explore.given import exact, share
from costlab.explore.member import Member
from costlab.explore.region import together
from costlab.explore.space import Space
from costlab.report.pages.run_parts import is_of_costlab
from costlab.report.tables.space_run import conditions_of
from costlab.report.trained_members import space_names
from costlab.search.labels import as_target
from costlab.search.regime import index_of, side_of, space_at
from costlab.search.written import written_in
from costlab.train.record import ArmRecord, Run
from costlab.train.space_record import SpaceRecord


def spaces_recounted(run: Run) -> tuple[str, ...]:
    """Hold the spaces of a record against what counting gives: a line for each thing that differs.

    Whatever a space is of, the multiply-adds of its members have to lie in the regime, and each has to be an
    arm. Of definitions of costlab the members are counted anew, and drawn anew with the seed.
    """
    arms = {arm.label: arm for arm in run.arms}
    return tuple(
        f"{name}: {line}"
        for name, space in zip(space_names(run), run.spaces, strict=True)
        for line in (*_outside(space, arms), *_differences(run, space, arms))
    )


def regime_of(space: SpaceRecord) -> tuple[Fraction, Fraction] | None:
    """The least and the most multiply-adds of its members, exactly; None where it has no regime.

    Raises:
        DefinitionError: a number of it is malformed.
    """
    if not space.within:
        return None
    middle = exact("of", space.of)
    reach = middle * share("within", space.within)
    return middle - reach, middle + reach


def made_again(space: SpaceRecord, run: Run) -> Space:
    """The space at the images of the run, with the conditions that its members meet.

    Raises:
        CostlabError: there is no such space.
    """
    whole = space_at(written_in(space), run.data.own_side, run.data.classes)
    return whole.near(space.within or None, space.of or None)


def _outside(space: SpaceRecord, arms: Mapping[str, ArmRecord]) -> Iterator[str]:
    """Members that are no arms, or cost less or more than the conditions allow."""
    for label in space.drawn:
        if label not in arms:
            yield f"{label} is a member of it, and no arm of the record"
    try:
        regime = regime_of(space)
    except CostlabError as error:
        yield f"its regime cannot be read: {one_line(str(error))}"
        return
    for label in space.drawn:
        size = arms[label].multiply_adds if label in arms else None
        if size is not None and regime and not regime[0] <= size <= regime[1]:
            yield f"{label} has {size:,} multiply-adds, which are not {together(conditions_of(space))}"


def _differences(run: Run, space: SpaceRecord, arms: Mapping[str, ArmRecord]) -> Iterator[str]:
    if not is_of_costlab(space.target):
        return
    members = {label: arms[label] for label in space.drawn if label in arms}
    try:
        now = made_again(space, run)
        yield from _sizes(space, (now.size, now.count()))
        if run.search is None:
            yield from _not_drawn(space, members, now)
        else:
            yield from (f"{label} is no member of it" for label, arm in members.items() if not _has(now, arm))
    except CostlabError as error:
        yield f"cannot be counted anew: {one_line(str(error))}"


def _sizes(space: SpaceRecord, sizes: tuple[int, int]) -> Iterator[str]:
    recorded = (space.size, space.among)
    for what, size, before in zip(("in all", "that meet the conditions"), sizes, recorded, strict=True):
        if size != before:
            yield f"members {what} are recorded as {before:,}, and it has {size:,}"


def _not_drawn(space: SpaceRecord, members: Mapping[str, ArmRecord], now: Space) -> Iterator[str]:
    """The first that is not what the sampler draws with the seed."""
    drawn = [*now.sample(max(1, len(space.drawn)), seed=space.seed).members]
    for place, label in enumerate(space.drawn):
        member = drawn[place] if place < len(drawn) else None
        if label in members and not (member and _is_the_same(members[label], now, member)):
            what = as_target(member.variant).label if member else "nothing"
            yield f"{label} is not what is drawn as number {place + 1} with seed {space.seed}: {what}"
            return


def _is_the_same(arm: ArmRecord, space: Space, member: Member) -> bool:
    return (arm.network, arm.side) == (as_target(member.variant).label, side_of(space, member.index))


def _has(space: Space, arm: ArmRecord) -> bool:
    """Whether a space has the network of an arm as a member that meets its conditions."""
    try:
        index = index_of(space, arm)
    except CostlabError:
        return False
    return space.has(index) and _is_the_same(arm, space, space.member(index))
