"""Whether the spaces of a run are as its record says: counted anew, and their members drawn anew."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from costlab.errors import CostlabError, one_line
from costlab.explore.given import exact, share
from costlab.explore.region import together
from costlab.explore.space import Space
from costlab.explore.written.axis import INPUT, exactly
from costlab.report.pages.run import is_of_costlab
from costlab.report.tables.space_run import conditions_of
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
    """The space at images with so many pixels at a side, with the conditions that its members meet.

    Raises:
        CostlabError: there is no such space.
    """
    axes = {name: _plain(values) for name, values in space.vary.items()}
    images: Any = axes.pop(INPUT, (3, side, side))
    whole = Space(space.target, images, **axes)
    open_ = whole.variant.parameters.get("num_classes")
    is_open = open_ is not None and not {"num_classes"} & {*axes, *whole.variant.settings}
    if open_ is not None and is_open and open_.default != classes:
        whole = Space(space.target, images, **axes, num_classes=classes)
    return whole.where(*space.where).near(space.within or None, space.of or None)


def _plain(values: Any) -> Any:
    """Values of an axis as they were before they were written as JSON, which knows no tuples."""
    if not isinstance(values, list | tuple):
        return values
    return [tuple(each) if isinstance(each, list) else each for each in values]


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
    sides = {arms[label].side for label in space.drawn if label in arms} or {run.baseline.side}
    try:
        now = made_again(space, min(sides), run.data.classes)
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
        drawn = [each.target for each in now.sample(max(1, len(space.drawn)), seed=space.seed)]
        for place, label in enumerate(space.drawn):
            target = drawn[place] if place < len(drawn) else "nothing"
            if networks.get(label, target) != target:
                yield f"{label} is not what is drawn as number {place + 1} with seed {space.seed}: {target}"
                return
        return
    for label, network in networks.items():
        if not _is_member(now, network):
            yield f"{label} is no member of it"


def _is_member(space: Space, network: str) -> bool:
    """Whether a network has values of the axes, is otherwise as all members are, and meets the conditions."""
    variant, axes, equal = find(network), {axis.name: axis for axis in space.axes}, []
    for name, parameter in variant.parameters.items():
        value = variant.settings.get(name, parameter.default)
        if name not in axes:
            if value != space.variant.settings.get(name, parameter.default):
                return False
        elif exactly(value) not in map(exactly, axes[name].values):
            return False
        else:
            equal.append(f"{name} == {value!r}")
    return space.where(*equal).count() == 1
