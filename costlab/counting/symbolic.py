"""Putting symbols in the place of parameters and sizes of the input."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from costlab.algebra.ablation import Ablation
from costlab.algebra.dim import Dim, as_dim, is_symbolic
from costlab.algebra.dim import symbols as as_symbols
from costlab.algebra.find import TargetLike, find
from costlab.algebra.parameter import REQUIRED, closest
from costlab.algebra.ratio import Ratio
from costlab.algebra.shape import AnyShape, Shape, Vector
from costlab.algebra.target import Variant
from costlab.counting.closed_form import ClosedForm
from costlab.counting.compare import fitted, gather
from costlab.counting.count import Count, count
from costlab.errors import DefinitionError, ShapeError

AXES = {
    3: {"C": 0, "channels": 0, "H": 1, "height": 1, "W": 2, "width": 2},
    1: {"F": 0, "features": 0},
}
"""What the sizes of an input are called, by the length of its shape."""
BATCH = ("N", "batch")
PERIOD_MAX = 1024


def closed_form(
    target: TargetLike, *names: str, input: object = None, batch: Dim = 1, **settings: Any
) -> ClosedForm:
    """The count of a target with symbols in the place of parameters and sizes of the input.

    ``names`` are numeric parameters of the definition, or C, H and W (channels, height, width; F for
    the features of a vector) and N (batch) where no parameter is called so. By default they are the
    sizes of the input, and every parameter that is a size.

    Raises:
        DefinitionError: a name is none of these, or no symbol can go in its place.
        TargetError, ShapeError: as `costlab.count`.
    """
    found = find(target)
    made = replace(found, settings={**found.settings, **settings})
    shape = made.place(input)[0]
    chosen = names or default_names(made, shape)
    for name in chosen:
        if place_of(made, name, shape) is None:
            raise no_symbol(name, [(made, shape)])
    return form_of(made, chosen, shape, batch)


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
    variants = {label: replace(made, label=label) for label, made in chosen.variants.items()}
    shapes = {label: made.place(input)[0] for label, made in variants.items()}
    names = tuple(symbols) or chosen.symbols
    if not names:
        decided = {name for made in variants.values() for name in made.settings}
        found = (default_names(made, shapes[label]) for label, made in variants.items())
        names = tuple(dict.fromkeys(name for each in found for name in each if name not in decided))
    for name in names:
        places = [place_of(made, name, shapes[label]) for label, made in variants.items()]
        if not any(places):
            raise no_symbol(name, [(made, shapes[label]) for label, made in variants.items()])
        sizes = {
            shape[place.axes[0]]
            for place, shape in zip(places, shapes.values(), strict=True)
            if place and place.axes
        }
        if len(sizes) > 1:
            raise DefinitionError(
                f"{name}: the variants' inputs differ there, so no one symbol stands for it"
            )
    return tuple(form_of(made, names, input, batch) for made in variants.values())


def form_of(made: Variant, names: Iterable[str], input: object, batch: Dim = 1) -> ClosedForm:
    """The closed form of a variant in those of the names that mean something to it.

    Raises:
        DefinitionError: two names are one size, or no symbol can go in the place of one.
        TargetError, ShapeError: as `costlab.count`.
    """
    shape = made.place(input)[0]
    places: dict[str, Place] = {}
    for name in names:
        place = place_of(made, name, shape)
        if place in places.values():
            other = next(key for key, value in places.items() if value == place)
            raise DefinitionError(f"{made.label}: {other} and {name} are one size: give one of them")
        if place is not None:
            places[name] = place
    used = {name: _symbol(name, place.kind) for name, place in places.items()}
    sizes: list[Any] = list(shape)
    given = dict(made.settings)
    inputs: Any = as_dim("batch", batch)
    numbers: dict[str, Any] = {}
    for name, place in places.items():
        if place.axes:
            numbers[name] = shape[place.axes[0]]
            for axis in place.axes:
                sizes[axis] = used[name]
            given |= {tied: used[name] for tied, axes in made.ties.items() if axes == place.axes}
        elif place.parameter:
            numbers[name] = given.get(name, made.parameters[name].default)
            given[name] = used[name]
        else:
            numbers[name], inputs = inputs, used[name]
    known = {name: number for name, number in numbers.items() if number not in (None, REQUIRED)}
    symbolic = replace(made, settings=given)
    counted, steps, anywhere = _settled(symbolic, shape, sizes, inputs)
    return ClosedForm(counted, used, known, steps, anywhere)


class Place(NamedTuple):
    """Where a symbol goes: a parameter, axes of the input, or else the batch."""

    parameter: str = ""
    axes: tuple[int, ...] = ()
    kind: Any = Dim


def place_of(made: Variant, name: str, shape: AnyShape) -> Place | None:
    """Where a symbol of that name goes in the variant, if anywhere.

    Raises:
        DefinitionError: it is a parameter that takes no symbol.
    """
    known = made.parameters.get(name)
    if known is not None and known.type not in (Dim, Ratio):
        raise DefinitionError(f"{made.label}: {name} takes {known.takes}, and no symbol in its place")
    if known is not None and name not in made.ties:
        return Place(name, (), known.type)
    axis = None if known is not None else AXES[len(shape)].get(name)
    for tied, axes in made.ties.items():
        if tied == name or axis in axes:
            return Place(axes=axes)
    if axis is not None:
        return Place(axes=(axis,))
    return Place() if name in BATCH else None


def default_names(made: Variant, shape: AnyShape) -> tuple[str, ...]:
    """The sizes of the input, and every parameter that is a size, has a number and is not decided."""
    axes: dict[Place | None, str] = {}
    for name in AXES[len(shape)]:
        if len(name) == 1 and name not in made.parameters:
            axes.setdefault(place_of(made, name, shape), name)
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
        known += [key for key, p in made.parameters.items() if p.type in (Dim, Ratio)]
        known += [size for size in AXES[len(shape)] if size not in made.parameters]
    near = closest(name, dict.fromkeys(known))
    return DefinitionError(f"{name!r} is no numeric parameter and no size of the input{near}")


def _settled(
    made: Variant, shape: AnyShape, sizes: list[Any], batch: Dim
) -> tuple[Count, Mapping[Any, Any], Count | None]:
    """The count without floors, if there is one: with sizes as ``remainder + period * step``.

    Once the period is a multiple of all the strides on the way, every floor comes out even. Also the
    steps, and the count that holds for any size, unless branches join for some only.
    """
    refusal: ShapeError | None = None
    anywhere: Count | None = None
    try:
        anywhere = _count_at(made, sizes, batch)
        if not _has_floors(anywhere):
            return anywhere, {}, anywhere
        block = anywhere.root.block
    except ShapeError as error:
        refusal = error
        block = made.resolve(shape).block
    for period in _periods(
        {int(v) for name, v in block.settings() if name == "stride" and isinstance(v, int)}
    ):
        steps = _steps(sizes, shape, period)
        try:
            counted = _count_at(made, [steps.get(size, size) for size in sizes], batch)
        except ShapeError:
            continue
        if not _has_floors(counted):
            return counted, steps, anywhere
    if anywhere is None:
        assert refusal is not None
        raise refusal
    return anywhere, {}, anywhere


def _count_at(made: Variant, sizes: list[Any], batch: Dim) -> Count:
    placed = Shape(*sizes) if len(sizes) == 3 else Vector(*sizes)
    return count(replace(made, input=placed), batch=batch)


def _has_floors(counted: Count) -> bool:
    import sympy

    return any(
        is_symbolic(size) and size.has(sympy.floor, sympy.ceiling, sympy.Min) for size in counted.total
    )


def _steps(sizes: list[Any], shape: AnyShape, period: int) -> dict[Any, Any]:
    """Each symbolic height or width as ``remainder + period * step``, where ``step`` is any whole number."""
    import sympy

    return {
        size: int(number) % period + period * sympy.Dummy(str(size), integer=True, nonnegative=True)
        for size, number in list(zip(sizes, shape, strict=True))[1:]
        if is_symbolic(size) and isinstance(number, int)
    }


def _periods(strides: set[int]) -> Iterator[int]:
    """Products of strides, from small to large."""
    products = {1}
    fresh = {1}
    while fresh:
        fresh = {p * s for p in fresh for s in strides if s > 1 and p * s <= PERIOD_MAX} - products
        products |= fresh
    return iter(sorted(products - {1}))


def _symbol(name: str, kind: Any) -> Any:
    import sympy

    return as_symbols(name) if kind is Dim else sympy.Symbol(name, positive=True)
