"""Symbols: what their names stand for in a variant: parameters, sizes of the input, or the batch."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from costlab.algebra.dim import Dim
from costlab.algebra.parameter import REQUIRED, closest
from costlab.algebra.ratio import Ratio
from costlab.algebra.shape import AnyShape
from costlab.errors import DefinitionError
from costlab.messages import named
from costlab.targets.target import Variant

AXES = {
    3: {"C": 0, "channels": 0, "H": 1, "height": 1, "W": 2, "width": 2},
    1: {"F": 0, "features": 0},
}
"""The names of the sizes of an input, by the length of its shape."""
BATCH = ("N", "batch")
NUMERIC = (Dim, Ratio, int)
"""The types of parameters that can be symbols."""
RATIO_INSTEAD = ": annotate it as Ratio and multiply by scale(channels, {})"


class Place(NamedTuple):
    """What a symbol stands for: a parameter, axes of the input, or if neither is given the batch."""

    parameter: str = ""
    axes: tuple[int, ...] = ()
    kind: Any = Dim


def symbol_names(names: str | Iterable[str]) -> tuple[str, ...]:
    """The names of symbols as a tuple; one string may have several, ``"C, H"``.

    Raises:
        DefinitionError: a value is no name.
    """
    parts: Any = [names] if isinstance(names, str) else names
    parts = list(parts) if isinstance(parts, Iterable) else [parts]
    if not all(isinstance(name, str) for name in parts):
        raise DefinitionError(f"symbols={named(names)} must be names, such as H or width")
    return tuple(dict.fromkeys(part.strip() for name in parts for part in name.split(",") if part.strip()))


def find_place(variant: Variant, name: str, shape: AnyShape) -> Place | None:
    """What a symbol of that name stands for in the variant; None if for nothing.

    Raises:
        DefinitionError: it is a parameter that is no number.
    """
    known = variant.parameters.get(name)
    if known is not None and known.type not in NUMERIC:
        remedy = RATIO_INSTEAD.format(name) if known.type is float else ""
        raise DefinitionError(
            f"{variant.label}: {name} takes {known.takes}, and no symbol in its place{remedy}"
        )
    axis = None if known is not None else AXES[len(shape)].get(name)
    for tied, axes in variant.ties.items():
        if tied == name or axis in axes:
            return Place(tied, axes, variant.parameters[tied].type)
    if known is not None:
        return Place(name, (), known.type)
    if axis is not None:
        return Place("", (axis,))
    return Place() if name in BATCH else None


def number_at(variant: Variant, place: Place, shape: AnyShape, batch: Dim) -> Any:
    """The number in place of which the symbol goes; None if the variant has none."""
    if place.axes:
        return shape[place.axes[0]]
    if not place.parameter:
        return batch
    number = variant.settings.get(place.parameter, variant.parameters[place.parameter].default)
    return None if number is REQUIRED else number


def substitute(
    variant: Variant, place: Place, shape: AnyShape, batch: Dim, size: Any
) -> tuple[Variant, AnyShape, Dim]:
    """The variant, its input and the batch, with ``size``, a symbol or a number, in that place."""
    if place.parameter:
        variant = replace(variant, settings={**variant.settings, place.parameter: size})
    elif not place.axes:
        batch = size
    sizes = (size if axis in place.axes else old for axis, old in enumerate(shape))
    return variant, type(shape)(*sizes), batch


def default_names(variant: Variant, shape: AnyShape) -> tuple[str, ...]:
    """The sizes of the input, and every parameter that is a size, has a default and is not set."""
    axes: dict[Place | None, str] = {}
    for name in AXES[len(shape)]:
        if len(name) == 1 and name not in variant.parameters:
            place = find_place(variant, name, shape)
            if place and place.kind is Dim:
                axes.setdefault(place, name)
    sizes = (
        name
        for name, p in variant.parameters.items()
        if p.type is Dim
        and name not in variant.settings
        and name not in variant.ties
        and p.default is not None
    )
    return (*axes.values(), *sizes)


def not_a_symbol(name: str, variants: Iterable[tuple[Variant, AnyShape]]) -> DefinitionError:
    """The error for a name that means nothing to any of the variants."""
    known: list[str] = []
    for variant, shape in variants:
        known += [key for key, p in variant.parameters.items() if p.type in NUMERIC]
        known += [size for size in AXES[len(shape)] if size not in variant.parameters]
    near = closest(name, dict.fromkeys(known))
    return DefinitionError(f"{named(name)} is no numeric parameter and no size of the input{near}")
