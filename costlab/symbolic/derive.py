"""Closed forms of targets: symbols put in the place of parameters and sizes of the input."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from costlab.algebra.block import Operation
from costlab.algebra.dim import Dim, as_dim, is_array, is_symbolic, unnested
from costlab.algebra.dim import symbols as size_symbol
from costlab.algebra.inputs import shape_of
from costlab.algebra.ratio import Ratio, products
from costlab.algebra.shape import AnyShape, Shape
from costlab.counting.compare import fitted, gather
from costlab.errors import CostlabError, DefinitionError
from costlab.symbolic.closed_form import ClosedForm
from costlab.symbolic.comparisons import taken_not_to_be_zero
from costlab.symbolic.interpolate import interpolated
from costlab.symbolic.strides import settle
from costlab.symbolic.symbols import Place, default_names, names_of, no_symbol, number_at, place_of, put
from costlab.symbolic.verify import confirmed
from costlab.targets.ablation import Ablation
from costlab.targets.resolve import TargetLike, found_with
from costlab.targets.target import Variant


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
    made = found_with(target, settings)
    shape = shape_of(made.shape(input), made.label, "a closed form")
    names = names_of(names)
    if any(is_symbolic(value) or is_array(value) for value in (*shape, batch, *made.settings.values())):
        raise DefinitionError(f"{made.label}: input, batch and settings must be numbers: name the symbols")
    for name in names:
        if place_of(made, name, shape) is None:
            raise no_symbol(name, [(made, shape)])
    (form,) = _forms([made], names, [shape], as_dim("batch", batch))
    return form


def closed_forms(
    *targets: TargetLike,
    ablation: str | Ablation | None = None,
    symbols: str | Iterable[str] = (),
    input: object = None,
    batch: Dim = 1,
) -> tuple[ClosedForm, ...]:
    """The closed forms of what `costlab.compare` compares, the baseline first.

    ``symbols`` are names as `closed_form` takes them; by default those of the ablation, or every size that
    no target decides and that can be a symbol in all.

    Raises:
        DefinitionError: a name is a parameter of none, or stands for different sizes; and as `compare`.
        TargetError, ShapeError: as `costlab.count`.
    """
    chosen = fitted(gather(*targets, ablation=ablation), input)
    variants = [replace(made, label=label) for label, made in chosen.variants.items()]
    shapes = [shape_of(made.shape(input), made.label, "a closed form") for made in variants]
    names = names_of(symbols) or chosen.symbols
    inputs = as_dim("batch", batch)
    for name in names:
        if differing := _differing(name, variants, shapes, inputs):
            raise differing
    return _forms(variants, names, shapes, inputs)


def _differing(
    name: str, variants: list[Variant], shapes: list[AnyShape], batch: Dim
) -> DefinitionError | None:
    """What is wrong with a name that stands for nothing, or for one thing here and another there."""
    pairs = list(zip(variants, shapes, strict=True))
    found = {
        (bool(place.axes), number_at(made, place, shape, batch))
        for made, shape in pairs
        if (place := place_of(made, name, shape)) is not None
    }
    if not found:
        return no_symbol(name, pairs)
    if len({axes for axes, _ in found}) > 1:
        return DefinitionError(f"{name}: a size of the input for one variant, and a parameter for another")
    if len(found) > 1:
        numbers = " and ".join(sorted(str(number) for _, number in found))
        return DefinitionError(f"{name}: the variants have {numbers} there: one symbol needs one number")
    return None


def _forms(
    variants: list[Variant], names: Iterable[str], shapes: list[AnyShape], batch: Dim
) -> tuple[ClosedForm, ...]:
    """The closed forms in these names; without any, in all that can be symbols."""
    pairs = list(zip(variants, shapes, strict=True))

    def forms(names: Iterable[str]) -> tuple[ClosedForm, ...]:
        return tuple(_form(made, names, shape, batch) for made, shape in pairs)

    if names := tuple(names):
        return forms(names)
    decided = {name for made in variants for name in made.settings}
    found = (default_names(made, shape) for made, shape in pairs)
    candidates = [
        name
        for name in dict.fromkeys(name for each in found for name in each)
        if name not in decided and _differing(name, variants, shapes, batch) is None
    ]
    if not candidates:
        raise DefinitionError(f"{variants[0].label}: nothing is a symbol by default: name what shall be one")
    kept, found_forms = _largest(forms, candidates)
    left_out = tuple(name for name in candidates if name not in kept)
    return tuple(replace(form, left_out=left_out) for form in found_forms)


def _largest(
    forms: Callable[[Iterable[str]], tuple[ClosedForm, ...]], candidates: list[str]
) -> tuple[tuple[str, ...], tuple[ClosedForm, ...]]:
    """As many of the names as have forms that hold for the numbers that the variants have; and these.

    Raises:
        CostlabError, TypeError: what is wrong with all of them, if none has.
    """

    def tried(names: tuple[str, ...]) -> tuple[ClosedForm, ...]:
        found = forms(names)
        for form in found:
            form.at()
        return found

    try:
        return tuple(candidates), tried(tuple(candidates))
    except (CostlabError, TypeError) as error:  # `<` of a symbol
        refusal = error
    kept: tuple[str, ...] = ()
    found: tuple[ClosedForm, ...] = ()
    for name in candidates:
        try:
            found = tried((*kept, name))
        except (CostlabError, TypeError):
            continue
        kept = (*kept, name)
    if not kept:
        raise refusal
    return kept, found


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
        form = _with_symbols(made, shape, batch, places)
    else:
        (name,) = counting
        place = places[name]
        rest = {other: at for other, at in places.items() if other != name}
        first = number_at(made, place, shape, batch)
        form = interpolated(
            lambda number: _with_symbols(*put(made, place, shape, batch, number), rest),
            name,
            1 if first is None else first,
        )
    return confirmed(form, made, shape, batch, places)


def _with_symbols(made: Variant, shape: AnyShape, batch: Dim, places: Mapping[str, Place]) -> ClosedForm:
    used = {name: _symbol(name, place.kind) for name, place in places.items()}
    known = {name: number_at(made, place, shape, batch) for name, place in places.items()}
    sizes = shape
    for name, place in places.items():
        made, sizes, batch = put(made, place, sizes, batch, used[name])
    with products() as unrounded, taken_not_to_be_zero() as apart:
        counted, steps, anywhere = settle(made, sizes, shape, batch)
    nodes = list(counted.root.nodes())
    quotients = (
        q for node in nodes if isinstance(node.block, Operation) for q in node.block.quotients(node.input)
    )
    whole = [size for size in (*unrounded, *quotients) if is_symbolic(size) and not size.is_integer]
    outputs = [size for node in nodes if isinstance(node.output, Shape) for size in node.output]
    margins = [m for node in nodes if isinstance(node.block, Operation) for m in node.block.margins()]
    return ClosedForm(
        counted,
        used,
        {name: number for name, number in known.items() if number is not None},
        steps,
        anywhere,
        tuple(dict.fromkeys(whole)),
        tuple(dict.fromkeys(map(unnested, dict.fromkeys(filter(is_symbolic, (*outputs, *margins)))))),
        tuple(dict.fromkeys(apart)),
    )


def _symbol(name: str, kind: Any) -> Any:
    import sympy

    return sympy.Symbol(name, positive=True) if kind == Ratio else size_symbol(name)
