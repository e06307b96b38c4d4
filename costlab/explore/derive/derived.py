"""Deriving a space: what every member costs, from one walk of one block."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from costlab.algebra.block import Block
from costlab.algebra.define import Definition
from costlab.algebra.dim import Dim
from costlab.algebra.inputs import Inputs
from costlab.algebra.ratio import Ratio
from costlab.algebra.several import OneOf
from costlab.algebra.shape import AnyShape, Shape
from costlab.algebra.work import QUANTITIES
from costlab.errors import DefinitionError
from costlab.explore.derive.grids import along, axes_of
from costlab.explore.derive.made import Making
from costlab.explore.derive.terms import Terms
from costlab.explore.derive.walked import Misfits, Walk
from costlab.explore.member import variant_of
from costlab.explore.written.axis import INPUT, Axis, Index
from costlab.targets.target import Variant, guard


@dataclass(frozen=True)
class Derived:
    """The quantities of every member of a space as sums of small tensors, and which members do not fit where.

    The tensors have the rank of the space; ``misfits`` are in the order of execution. ``block`` and ``input``
    are what it was derived from, with choices and arrays along the axes.
    """

    sums: Mapping[str, Terms]
    misfits: tuple[Misfits, ...]
    block: Block | None = None
    input: AnyShape | None = None

    def at(self, index: Index) -> dict[str, int]:
        """All quantities of a member."""
        axes = tuple(range(len(index)))
        return {name: terms.at(axes, index) for name, terms in self.sums.items()}

    def misfit_at(self, index: Index) -> str | None:
        """The path of the part at which a member does not fit; None where it does."""
        return next((path for path, mask in self.misfits if _holds(mask, index)), None)


def derive(variant: Variant, axes: tuple[Axis, ...], progress: Callable[[str, float], None]) -> Derived:
    """What the members of a space cost: a definition with settings, varied along axes.

    ``progress`` is told what is done; how much there is to do is not known.

    Raises:
        DefinitionError: no member can be made, or the definition cannot be asked for all at once.
        ShapeError: no member accepts the input.
        TargetError: no input shape is known.
    """
    definition = variant.subject
    assert isinstance(definition, Definition)

    def step() -> None:
        progress("deriving the space", 0.0)

    sizes = tuple(len(axis.values) for axis in axes)
    names = tuple(axis.name for axis in axes)
    settings = dict(variant.settings)
    for place, axis in enumerate(axes):
        if axis.name != INPUT:
            settings[axis.name] = _values(definition, place, axis, len(axes))
    with guard(definition.name, variant.from_user, variant.folder):
        shape, settings = _placed(variant, definition, axes, settings)
        making = Making(names, sizes, step)
        block = making.block(definition.make, settings)
        input_axis = (
            names.index(INPUT) if INPUT in names and len(axes[names.index(INPUT)].values) > 1 else None
        )
        walked = Walk(sizes, input_axis, making.contents, step).walk(block, shape)
        if walked.output is None:
            variant_of(variant, axes, (0,) * len(axes)).resolve().walk()  # says what is wrong
    misfits = tuple(Misfits(path, mask) for path, mask in walked.misfits if axes_of(mask) or mask)
    return Derived(dict(zip(QUANTITIES, walked.sums, strict=True)), misfits, block, shape)


def _values(definition: Definition[...], place: int, axis: Axis, rank: int) -> Any:
    """The values of an axis: an array of dimensions and ratios, else one of several."""
    if len(axis.values) == 1:
        return axis.values[0]
    return along(place, axis.values, rank) if is_array(definition, axis) else OneOf(place, axis.values)


def is_array(definition: Definition[...], axis: Axis) -> bool:
    """Whether the values of an axis are asked for all at once: dimensions, ratios, and sizes of the input."""
    if axis.name == INPUT:
        return True
    kind = definition.parameters[axis.name].type
    is_size = kind is Dim or kind == Ratio or axis.name in definition.ties
    return is_size and not any(value is None for value in axis.values)


def _placed(
    variant: Variant, definition: Definition[...], axes: tuple[Axis, ...], settings: dict[str, Any]
) -> tuple[AnyShape, dict[str, Any]]:
    """The input's shape, along its axis if it has one, and the settings, of which some may be sizes of it."""
    shape, settings = definition.place(variant.input, settings)
    if shape is None or isinstance(shape, Inputs):
        variant.shape()  # says what is missing
        raise DefinitionError(
            f"{variant.label}: a space takes an input channels x height x width, or features"
        )
    at = next((place for place, axis in enumerate(axes) if axis.name == INPUT), None)
    if at is None:
        return shape, settings
    if not isinstance(shape, Shape):
        raise DefinitionError(
            f"{variant.label}: its input is a vector of {shape}, and has no height and width"
        )
    values = axes[at].values
    side: Any = values[0] if len(values) == 1 else along(at, values, len(axes))
    return Shape(shape.channels, side, side), settings


def _holds(mask: Any, index: Index) -> bool:
    if isinstance(mask, bool):
        return mask
    return bool(mask[tuple(i if size > 1 else 0 for i, size in zip(index, mask.shape, strict=True))])
