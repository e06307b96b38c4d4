"""Whether the spaces of a run are as its record says: counted anew, and their members drawn anew."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from costlab.errors import CostlabError, DefinitionError, one_line
from costlab.explore.given import exact, share
from costlab.explore.region import together
from costlab.explore.space import Space
from costlab.report.pages.run import is_of_costlab
from costlab.report.tables.space_run import conditions_of
from costlab.search.labels import as_target
from costlab.search.regime import index_of, space_at
from costlab.search.written import written_in
from costlab.targets.resolve import find
from costlab.train.record import ArmRecord, Run
from costlab.train.space_record import SpaceRecord


def spaces_recounted(run: Run) -> tuple[str, ...]:
    """Hold the spaces of a record against what counting gives: a line for each thing that differs.

    Whatever a space is of, the multiply-adds of its members have to lie in the regime, and each has to be an
    arm. Of definitions of costlab the members are counted anew, and drawn anew with the seed.
    """
    arms = {arm.label: arm for arm in run.arms}
    return tuple(
        f"{space.name}: {line}"
        for space in run.spaces
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


def made_again(space: SpaceRecord, side: int, classes: int) -> Space:
    """The space at images that come with so many pixels, with the conditions that its members meet.

    Raises:
        CostlabError: there is no such space.
    """
    return space_at(written_in(space), side, classes).near(space.within or None, space.of or None)


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
    try:
        now = made_again(space, run.data.own_side, run.data.classes)
        sizes = now.size, now.count()
        yield from _sizes(space, sizes)
        yield from _members(run, space, now, arms)
    except CostlabError as error:
        yield f"cannot be counted anew: {one_line(str(error))}"


def _sizes(space: SpaceRecord, sizes: tuple[int, int]) -> Iterator[str]:
    recorded = (space.size, space.among)
    for what, size, before in zip(("in all", "that meet the conditions"), sizes, recorded, strict=True):
        if size != before:
            yield f"members {what} are recorded as {before:,}, and it has {size:,}"


def _members(run: Run, space: SpaceRecord, now: Space, arms: Mapping[str, ArmRecord]) -> Iterator[str]:
    """The first that the sampler does not draw with the seed; of a search all that are no members."""
    networks = {label: arms[label].network for label in space.drawn if label in arms}
    if run.search is None:
        again = now.sample(max(1, len(space.drawn)), seed=space.seed).members
        drawn = [as_target(each.variant).label for each in again]
        for place, label in enumerate(space.drawn):
            target = drawn[place] if place < len(drawn) else "nothing"
            if label in networks and as_target(find(networks[label])).label != target:
                yield f"{label} is not what is drawn as number {place + 1} with seed {space.seed}: {target}"
                return
        return
    for label in networks:
        if not _is_member(now, arms[label]):
            yield f"{label} is no member of it"


def _is_member(space: Space, arm: ArmRecord) -> bool:
    """Whether a network has values of the axes, is otherwise as all members are, and meets the conditions."""
    try:
        index = index_of(space, arm)
    except DefinitionError:
        return False
    return (
        space.has(index)
        and as_target(space.member(index).variant).label == as_target(find(arm.network)).label
    )
