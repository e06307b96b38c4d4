"""Verifying closed forms: they are compared with counts, at the numbers of the target and at others."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from costlab.algebra.dim import Dim
from costlab.algebra.ratio import Ratio
from costlab.algebra.shape import AnyShape
from costlab.counting.count import count
from costlab.errors import CostlabError
from costlab.symbolic.closed_form import ClosedForm
from costlab.symbolic.symbols import Place, substitute
from costlab.targets.target import Variant

SOME_SIZES = (12, 36, 64, 4, 1, 1024)
"""Values for sizes that the target leaves open, or whose roots and quotients are not whole."""
SOME_MULTIPLIERS = (1, 2, 0.5)


def verify_form(
    form: ClosedForm, variant: Variant, shape: AnyShape, batch: Dim, places: Mapping[str, Place]
) -> ClosedForm:
    """The form, after it was compared with counts: at its own numbers, and with one of them changed.

    A definition may test whether a size is 1, or the same as another. A symbol is neither, so the form could
    be wrong for such numbers: they are tried.

    Raises:
        DefinitionError: the form differs from the count.
    """

    def holds_at(numbers: Mapping[str, Any]) -> bool:
        changed, sizes, inputs = variant, shape, batch
        for name, place in places.items():
            changed, sizes, inputs = substitute(changed, place, sizes, inputs, numbers[name])
        try:
            form.at(**numbers)
            counted = count(replace(changed, input=sizes), batch=inputs)
        except CostlabError:
            return False
        form.confirm(counted, **numbers)
        if form.without_heads is not None:
            form.without_heads.confirm(counted.inference, **numbers)
        return True

    for numbers in _numbers_to_try(form, places):
        if holds_at(numbers):
            for name, place in places.items():
                for number in _other_numbers(form, variant, name, place, numbers, shape):
                    holds_at({**numbers, name: number})
            return replace(form, confirmed=numbers)
    return form


def _numbers_to_try(form: ClosedForm, places: Mapping[str, Place]) -> Iterator[dict[str, Any]]:
    """Its own numbers; the same with multipliers of 1; the same with sizes of whole roots and quotients."""
    multipliers = {name: 1 for name, place in places.items() if place.kind == Ratio}
    free = [name for name in places if name not in (*multipliers, *form.classes, *form.ranges)]
    missing = {name: SOME_SIZES[0] for name in free if name not in form.numbers}
    yield {**missing, **multipliers, **form.numbers}
    for size in (None, *SOME_SIZES):
        sizes = missing if size is None else dict.fromkeys(free, size)
        yield {**form.numbers, **multipliers, **sizes}


def _other_numbers(
    form: ClosedForm,
    variant: Variant,
    name: str,
    place: Place,
    numbers: Mapping[str, Any],
    shape: AnyShape,
) -> list[Any]:
    """Other numbers to try for one symbol: small, odd and even ones, and those of other sizes."""
    if name in form.ranges:
        return []  # each was counted
    if place.kind == Ratio:
        return [number for number in SOME_MULTIPLIERS if number != numbers[name]]
    number = int(numbers[name])
    if name in form.classes:
        return [number + form.classes[name][0]]
    same = [size for other, size in numbers.items() if other != name]
    decided = {**{key: p.default for key, p in variant.parameters.items()}, **variant.settings}
    same += [size for key, size in decided.items() if key != place.parameter]
    sizes = (1, 2, number + 1, 2 * number, *same, *shape)
    return [size for size in dict.fromkeys(filter(_is_size, sizes)) if size != number]


def _is_size(value: object) -> bool:
    return type(value) is int and value > 0
