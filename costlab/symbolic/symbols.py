"""Where symbols go: parameters of a definition, sizes of the input, and the batch."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from costlab.algebra.dim import Dim
from costlab.algebra.parameter import REQUIRED, closest
from costlab.algebra.ratio import Ratio
from costlab.algebra.shape import AnyShape
from costlab.errors import DefinitionError
from costlab.targets.target import Variant

AXES = {
    3: {"C": 0, "channels": 0, "H": 1, "height": 1, "W": 2, "width": 2},
    1: {"F": 0, "features": 0},
}
"""What the sizes of an input are called, by the length of its shape."""
BATCH = ("N", "batch")
NUMERIC = (Dim, Ratio, int)
"""Types of parameters that a closed form can be in."""


class Place(NamedTuple):
    """Where a symbol goes: a parameter, axes of the input, or else the batch."""

    parameter: str = ""
    axes: tuple[int, ...] = ()
    kind: Any = Dim


def names_of(names: str | Iterable[str]) -> tuple[str, ...]:
    """Names of symbols, one by one; several may be in one string, ``"C, H"``.

    Raises:
        DefinitionError: something among them is no name.
    """
    given: Any = [names] if isinstance(names, str) else names
    given = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(name, str) for name in given):
        raise DefinitionError(f"symbols={names!r} must be names, such as H or width")
    return tuple(dict.fromkeys(part.strip() for name in given for part in name.split(",") if part.strip()))


def place_of(made: Variant, name: str, shape: AnyShape) -> Place | None:
    """Where a symbol of that name goes in the variant, if anywhere.

    Raises:
        DefinitionError: it is a parameter that is no number.
    """
    known = made.parameters.get(name)
    if known is not None and known.type not in NUMERIC:
        raise DefinitionError(f"{made.label}: {name} takes {known.takes}, and no symbol in its place")
    axis = None if known is not None else AXES[len(shape)].get(name)
    for tied, axes in made.ties.items():
        if tied == name or axis in axes:
            return Place(tied, axes, made.parameters[tied].type)
    if known is not None:
        return Place(name, (), known.type)
    if axis is not None:
        return Place("", (axis,))
    return Place() if name in BATCH else None


def number_at(made: Variant, place: Place, shape: AnyShape, batch: Dim) -> Any:
    """What stands where the symbol goes; None if that is not decided."""
    if place.axes:
        return shape[place.axes[0]]
    if not place.parameter:
        return batch
    number = made.settings.get(place.parameter, made.parameters[place.parameter].default)
    return None if number is REQUIRED else number


def put(made: Variant, place: Place, shape: AnyShape, batch: Dim, size: Any) -> tuple[Variant, AnyShape, Dim]:
    """The variant, its input and the batch with ``size``, a symbol or a number, in that place."""
    if place.parameter:
        made = replace(made, settings={**made.settings, place.parameter: size})
    elif not place.axes:
        batch = size
    sizes = (size if axis in place.axes else old for axis, old in enumerate(shape))
    return made, type(shape)(*sizes), batch


def default_names(made: Variant, shape: AnyShape) -> tuple[str, ...]:
    """The sizes of the input, and every parameter that is a size, has a number and is not decided."""
    axes: dict[Place | None, str] = {}
    for name in AXES[len(shape)]:
        if len(name) == 1 and name not in made.parameters:
            place = place_of(made, name, shape)
            if place and place.kind is Dim:
                axes.setdefault(place, name)
    sizes = (
        name
        for name, p in made.parameters.items()
        if p.type is Dim and name not in made.settings and name not in made.ties and p.default is not None
    )
    return (*axes.values(), *sizes)


def no_symbol(name: str, variants: Iterable[tuple[Variant, AnyShape]]) -> DefinitionError:
    """What is told of a name that means nothing to any of the variants."""
    known: list[str] = []
    for made, shape in variants:
        known += [key for key, p in made.parameters.items() if p.type in NUMERIC]
        known += [size for size in AXES[len(shape)] if size not in made.parameters]
    near = closest(name, dict.fromkeys(known))
    return DefinitionError(f"{name!r} is no numeric parameter and no size of the input{near}")
