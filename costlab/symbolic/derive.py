"""Deriving closed forms of targets: symbols take the place of parameters and sizes of the input."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from costlab.algebra.block import Operation
from costlab.algebra.dim import Dim, as_dim, is_array, is_symbolic
from costlab.algebra.dim import symbols as size_symbol
from costlab.algebra.floors import unnested
from costlab.algebra.inputs import shape_of
from costlab.algebra.ratio import Ratio, products
from costlab.algebra.shape import AnyShape, Shape
from costlab.counting.compare import fitted, gather
from costlab.errors import CostlabError, DefinitionError
from costlab.symbolic.closed_form import ClosedForm
from costlab.symbolic.comparisons import record_comparisons
from costlab.symbolic.interpolate import interpolate
from costlab.symbolic.strides import count_without_floors
from costlab.symbolic.symbols import (
    Place,
    default_names,
    find_place,
    not_a_symbol,
    number_at,
    substitute,
    symbol_names,
)
from costlab.symbolic.verify import verify_form
from costlab.targets.ablation import Ablation
from costlab.targets.like import TargetLike
from costlab.targets.resolve import find_with_settings
from costlab.targets.target import Variant


def closed_form(
    target: TargetLike, *names: str, input: object = None, batch: Dim = 1, **settings: Any
) -> ClosedForm:
    """The count of a target with symbols in place of parameters and sizes of the input.

    ``names`` are numeric parameters of the definition, or C, H and W (channels, height, width; F for the
    features of a vector) and N (batch), unless a parameter has that name. By default they are the sizes of
    the input, and every parameter that is a size. A parameter that is annotated as an int, as the definition
    computes with it, is interpolated; see `ClosedForm`.

    Raises:
        DefinitionError: a name is none of these, or cannot be a symbol.
        TargetError, ShapeError: as `costlab.count`.
    """
    variant = find_with_settings(target, settings)
    shape = shape_of(variant.shape(input), variant.label, "a closed form")
    names = symbol_names(names)
    if any(is_symbolic(value) or is_array(value) for value in (*shape, batch, *variant.settings.values())):
        raise DefinitionError(f"{variant.label}: input, batch and settings must be numbers: name the symbols")
    for name in names:
        if find_place(variant, name, shape) is None:
            raise not_a_symbol(name, [(variant, shape)])
    (form,) = _forms([variant], names, [shape], as_dim("batch", batch))
    return form


def closed_forms(
    *targets: TargetLike,
    ablation: str | Ablation | None = None,
    symbols: str | Iterable[str] = (),
    input: object = None,
    batch: Dim = 1,
) -> tuple[ClosedForm, ...]:
    """The closed forms of the variants that `costlab.compare` compares, the baseline first.

    ``symbols`` are names as for `closed_form`; by default those of the ablation, or every size that no target
    sets and that can be a symbol in all of them.

    Raises:
        DefinitionError: a name means nothing to any of them, or different sizes; and as `compare`.
        TargetError, ShapeError: as `costlab.count`.
    """
    chosen = fitted(gather(*targets, ablation=ablation), input)
    variants = [replace(variant, label=label) for label, variant in chosen.variants.items()]
    shapes = [shape_of(variant.shape(input), variant.label, "a closed form") for variant in variants]
    names = symbol_names(symbols) or chosen.symbols
    inputs = as_dim("batch", batch)
    for name in names:
        if differing := _conflict(name, variants, shapes, inputs):
            raise differing
    return _forms(variants, names, shapes, inputs)


def _conflict(
    name: str, variants: list[Variant], shapes: list[AnyShape], batch: Dim
) -> DefinitionError | None:
    """The error for a name that means nothing, or not the same in all variants; None if there is none."""
    pairs = list(zip(variants, shapes, strict=True))
    places = {
        (bool(place.axes), number_at(variant, place, shape, batch))
        for variant, shape in pairs
        if (place := find_place(variant, name, shape)) is not None
    }
    if not places:
        return not_a_symbol(name, pairs)
    if len({axes for axes, _ in places}) > 1:
        return DefinitionError(f"{name}: a size of the input for one variant, and a parameter for another")
    if len(places) > 1:
        numbers = " and ".join(sorted(str(number) for _, number in places))
        return DefinitionError(f"{name}: the variants have {numbers} there: one symbol needs one number")
    return None


def _forms(
    variants: list[Variant], names: Iterable[str], shapes: list[AnyShape], batch: Dim
) -> tuple[ClosedForm, ...]:
    """The closed forms in these names; if there are none, in all names that can be symbols."""
    pairs = list(zip(variants, shapes, strict=True))

    def forms(names: Iterable[str]) -> tuple[ClosedForm, ...]:
        return tuple(_form(variant, names, shape, batch) for variant, shape in pairs)

    if names := tuple(names):
        return forms(names)
    decided = {name for variant in variants for name in variant.settings}
    defaults = (default_names(variant, shape) for variant, shape in pairs)
    candidates = [
        name
        for name in dict.fromkeys(name for names_of_variant in defaults for name in names_of_variant)
        if name not in decided and _conflict(name, variants, shapes, batch) is None
    ]
    if not candidates:
        raise DefinitionError(f"{variants[0].label}: nothing is a symbol by default: name what shall be one")
    kept, found_forms = _most_names(forms, candidates)
    left_out = tuple(name for name in candidates if name not in kept)
    return tuple(replace(form, left_out=left_out) for form in found_forms)


def _most_names(
    forms: Callable[[Iterable[str]], tuple[ClosedForm, ...]], candidates: list[str]
) -> tuple[tuple[str, ...], tuple[ClosedForm, ...]]:
    """As many of the names as possible, and the forms in them, which hold for the numbers of the variants.

    Raises:
        CostlabError, TypeError: the error with all names, if none is possible.
    """

    def derive(names: tuple[str, ...]) -> tuple[ClosedForm, ...]:
        found_forms = forms(names)
        for form in found_forms:
            form.at()
        return found_forms

    try:
        return tuple(candidates), derive(tuple(candidates))
    except (CostlabError, TypeError) as error:  # TypeError: a definition orders symbols by `<`
        refusal = error
    kept: tuple[str, ...] = ()
    found_forms: tuple[ClosedForm, ...] = ()
    for name in candidates:
        try:
            found_forms = derive((*kept, name))
        except (CostlabError, TypeError):
            continue
        kept = (*kept, name)
    if not kept:
        raise refusal
    return kept, found_forms


def _form(variant: Variant, names: Iterable[str], shape: AnyShape, batch: Dim) -> ClosedForm:
    """The closed form of a variant in those names that mean something to it."""
    places: dict[str, Place] = {}
    for name in names:
        place = find_place(variant, name, shape)
        if place in places.values():
            other = next(key for key, value in places.items() if value == place)
            raise DefinitionError(f"{variant.label}: {other} and {name} are one size: give one of them")
        if place is not None:
            places[name] = place
    counting = [name for name, place in places.items() if place.kind is int]
    if len(counting) > 1:
        raise DefinitionError(
            f"{variant.label}: the definition itself counts with {' and '.join(counting)}: give one of them"
        )
    if not counting:
        form = _with_symbols(variant, shape, batch, places)
    else:
        (name,) = counting
        place = places[name]
        rest = {other: at for other, at in places.items() if other != name}
        first = number_at(variant, place, shape, batch)
        form = interpolate(
            lambda number: _with_symbols(*substitute(variant, place, shape, batch, number), rest),
            name,
            1 if first is None else first,
        )
    return verify_form(form, variant, shape, batch, places)


def _with_symbols(variant: Variant, shape: AnyShape, batch: Dim, places: Mapping[str, Place]) -> ClosedForm:
    used = {name: _symbol(name, place.kind) for name, place in places.items()}
    known = {name: number_at(variant, place, shape, batch) for name, place in places.items()}
    sizes = shape
    for name, place in places.items():
        variant, sizes, batch = substitute(variant, place, sizes, batch, used[name])
    with products() as unrounded, record_comparisons() as nonzero:
        counted, steps, for_any_size = count_without_floors(variant, sizes, shape, batch)
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
        for_any_size,
        tuple(dict.fromkeys(whole)),
        tuple(dict.fromkeys(map(unnested, dict.fromkeys(filter(is_symbolic, (*outputs, *margins)))))),
        tuple(dict.fromkeys(nonzero)),
    )


def _symbol(name: str, kind: Any) -> Any:
    import sympy

    return sympy.Symbol(name, positive=True) if kind == Ratio else size_symbol(name)
