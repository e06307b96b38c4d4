"""Regimes: the members of a space that are trained from, counted exactly at the images of the training."""

from typing import Any

from costlab.algebra.dim import as_dim
from costlab.algebra.shape import Shape
from costlab.errors import CostlabError, DefinitionError
from costlab.explore.given import with_input
from costlab.explore.region import together
from costlab.explore.space import Space
from costlab.explore.written.axis import INPUT, Index
from costlab.explore.written.vary import axes_of
from costlab.messages import named
from costlab.search.labels import name_of
from costlab.search.written import Written
from costlab.targets.resolve import find
from costlab.targets.target import Variant
from costlab.train.arms import variant_with_classes
from costlab.train.experiment import LEAST_SIDE, SIDE
from costlab.train.record import ArmRecord


def space_at(written: Written, own: int, classes: int, variant: Variant | None = None) -> Space:
    """The space at images that come with ``own`` pixels at a side: inputs of as many as are trained on.

    Networks have as many outputs as there are ``classes``, where their definition leaves that open.
    ``variant`` is what its target names, if that was found already.

    Raises:
        TargetError: the target names nothing, or is made already.
        DefinitionError: an axis or a condition is malformed, or images would have to be enlarged.
    """
    found = find(written.target) if variant is None else variant
    if not hasattr(found.subject, "parameters"):
        raise DefinitionError(f"{written.option}{found.label} is made already, and has no axes")
    definition: Any = found.subject
    axes = axes_of(written.vary, definition, found.settings, f"{written.option}")
    varied = {axis.name: axis for axis in axes}
    if "num_classes" not in varied:
        found = variant_with_classes(found, classes)
    sides = varied[INPUT].values if INPUT in varied else ()
    if not written.input or sides:
        found = with_input(found, Shape(3, min(SIDE, own), min(SIDE, own)))
    else:
        found = with_input(found, written.input)
        sides = (_side(written, found),)
    for side in sides:
        if side < LEAST_SIDE:
            raise DefinitionError(f"{written.option}input={side}: images have at least {LEAST_SIDE} pixels")
        if side > own:
            raise DefinitionError(
                f"{written.option}input={side}: the images come with {own}x{own} pixels, and none is "
                "enlarged to claim a resolution"
            )
    return Space.along(found, axes).where(*written.where, option=f"{written.option}where")


def side_of(space: Space, index: Index | None = None) -> int:
    """The pixels at a side of the images of a member, or of the space's target by itself."""
    for place, axis in enumerate(space.axes):
        if axis.name == INPUT and index is not None:
            return int(axis.values[index[place]])
    shape: Any = space.variant.shape()
    return int(shape[1])


def near(space: Space, written: Written, within: str, of: str) -> Space:
    """The members whose multiply-adds are so near to an amount; all without.

    Raises:
        DefinitionError: an option is malformed, or no member is.
    """
    regime = space.near(within or None, of or None)
    try:
        if regime.count():
            return regime
        every = space.unconditional()
        least, most = every.min(), every.max()
        fitting = every.count()
    except CostlabError as error:
        raise DefinitionError(f"{written.option}{error}") from None
    what = f"--within {within} --of {of}" if within else "--where" if space.stated else "--space"
    stated = f" where {together(space.stated)}" if space.stated and within else ""
    if least is None or most is None:
        raise DefinitionError(f"{what}: no member of {named(written.name)} fits")
    shape: Any = space.variant.shape()
    at = "their inputs" if any(axis.name == INPUT for axis in space.axes) else str(shape)
    raise DefinitionError(
        f"{what}: {named(written.name)} has no such member{stated}: of its {space.size:,} members "
        f"{fitting:,} fit, with {least.multiply_adds:,} to {most.multiply_adds:,} multiply-adds at {at}"
    )


def index_of(space: Space, arm: ArmRecord) -> Index:
    """The indices along the axes of the member that was trained as an arm.

    Raises:
        DefinitionError: it is no member.
    """
    definition: Any = space.variant.subject
    try:
        settings = definition.read(arm.network[len(name_of(arm.network)) + 1 :])
    except CostlabError as error:
        raise DefinitionError(f"{arm.network} is no member of the space: {error}") from None
    index = []
    for axis in space.axes:
        if axis.name == INPUT:
            value: Any = arm.side
        else:
            value = settings.get(axis.name, space.variant.parameters[axis.name].default)
        places = [i for i, each in enumerate(axis.values) if repr(each) == repr(_plain(axis.values, value))]
        if len(places) != 1:
            raise DefinitionError(f"{arm.network} is no member of the space: {axis.name}={value}")
        index += places
    return tuple(index)


def _plain(values: tuple[Any, ...], value: Any) -> Any:
    """A value as those of an axis: a whole number among fractions, a list as a tuple."""
    if isinstance(value, list):
        return tuple(value)
    whole = type(value) is int and any(type(each) is float for each in values)
    return float(value) if whole else value


def _side(written: Written, variant: Variant) -> int:
    shape: Any = variant.shape()
    channels, height, width = (*shape, None, None)[:3]
    if channels != 3 or height != width or not isinstance(height, int):
        raise DefinitionError(f"{written.option}input={written.input} must be 3xHxH, as images are")
    return int(str(as_dim("input", height)))
