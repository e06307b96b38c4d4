"""Closed forms of targets: symbols put in the place of parameters and sizes of the input."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from costlab.algebra.ablation import Ablation
from costlab.algebra.dim import Dim, as_dim
from costlab.algebra.dim import symbols as size_symbol
from costlab.algebra.find import TargetLike, find
from costlab.algebra.ratio import Ratio
from costlab.algebra.shape import AnyShape
from costlab.algebra.target import Variant
from costlab.counting.closed_form import ClosedForm
from costlab.counting.compare import fitted, gather
from costlab.counting.interpolate import interpolated
from costlab.counting.placing import Place, default_names, no_symbol, number_at, place_of, put
from costlab.counting.settling import settle
from costlab.errors import DefinitionError


def closed_form(
    target: TargetLike, *names: str, input: object = None, batch: Dim = 1, **settings: Any
) -> ClosedForm:
    """The count of a target with symbols in the place of parameters and sizes of the input.

    ``names`` are numeric parameters of the definition, or C, H and W (channels, height, width; F for
    the features of a vector) and N (batch) where no parameter is called so. By default they are the
    sizes of the input, and every parameter that is a size. A parameter that is annotated as an int, with
    which the definition itself counts, is interpolated; see `ClosedForm.ranges`.

    Raises:
        DefinitionError: a name is none of these, or no symbol can go in its place.
        TargetError, ShapeError: as `costlab.count`.
    """
    found = find(target)
    made = replace(found, settings={**found.settings, **settings})
    shape = made.shape(input)
    chosen = names or default_names(made, shape)
    for name in chosen:
        if place_of(made, name, shape) is None:
            raise no_symbol(name, [(made, shape)])
    return _form(made, chosen, shape, as_dim("batch", batch))


def closed_forms(
    *targets: TargetLike,
    ablation: str | Ablation | None = None,
    symbols: Iterable[str] = (),
    input: object = None,
    batch: Dim = 1,
) -> tuple[ClosedForm, ...]:
    """The closed forms of what `costlab.compare` compares, the baseline first.

    ``symbols`` are names as `closed_form` takes them; by default those of the ablation, or every size that
    no target decides.

    Raises:
        DefinitionError: a name is a parameter of none, or stands for different sizes; and as `compare`.
        TargetError, ShapeError: as `costlab.count`.
    """
    chosen = fitted(gather(*targets, ablation=ablation), input)
    variants = [replace(made, label=label) for label, made in chosen.variants.items()]
    shapes = [made.shape(input) for made in variants]
    names = tuple(symbols) or chosen.symbols
    if not names:
        decided = {name for made in variants for name in made.settings}
        found = (default_names(made, shape) for made, shape in zip(variants, shapes, strict=True))
        names = tuple(dict.fromkeys(name for each in found for name in each if name not in decided))
    for name in names:
        places = [place_of(made, name, shape) for made, shape in zip(variants, shapes, strict=True)]
        if not any(place is not None for place in places):
            raise no_symbol(name, zip(variants, shapes, strict=True))
        sizes = {
            shape[place.axes[0]]
            for place, shape in zip(places, shapes, strict=True)
            if place is not None and place.axes
        }
        if len(sizes) > 1:
            raise DefinitionError(
                f"{name}: the variants' inputs differ there, so no one symbol stands for it"
            )
    return tuple(
        _form(made, names, shape, as_dim("batch", batch))
        for made, shape in zip(variants, shapes, strict=True)
    )


def _form(made: Variant, names: Iterable[str], shape: AnyShape, batch: Dim) -> ClosedForm:
    """The closed form of a variant in those of the names that mean something to it."""
    places: dict[str, Place] = {}
    for name in names:
        place = place_of(made, name, shape)
        if place in places.values():
            other = next(key for key, value in places.items() if value == place)
            raise DefinitionError(f"{made.label}: {other} and {name} are one size: give one of them")
        if place is not None:
            places[name] = place
    counting = [name for name, place in places.items() if place.kind is int]
    if len(counting) > 1:
        raise DefinitionError(
            f"{made.label}: the definition itself counts with {' and '.join(counting)}: give one of them"
        )
    if not counting:
        return _with_symbols(made, shape, batch, places)
    (name,) = counting
    place = places.pop(name)

    def at(number: int) -> ClosedForm:
        return _with_symbols(*put(made, place, shape, batch, number), places)

    return interpolated(at, name, number_at(made, place, shape, batch) or 1)


def _with_symbols(made: Variant, shape: AnyShape, batch: Dim, places: dict[str, Place]) -> ClosedForm:
    used = {name: _symbol(name, place.kind) for name, place in places.items()}
    known = {name: number_at(made, place, shape, batch) for name, place in places.items()}
    sizes = shape
    for name, place in places.items():
        made, sizes, batch = put(made, place, sizes, batch, used[name])
    settled = settle(made, sizes, shape, batch)
    numbers = {name: number for name, number in known.items() if number is not None}
    return ClosedForm(settled.counted, used, numbers, settled.steps, settled.anywhere)


def _symbol(name: str, kind: Any) -> Any:
    import sympy

    return sympy.Symbol(name, positive=True) if kind == Ratio else size_symbol(name)
