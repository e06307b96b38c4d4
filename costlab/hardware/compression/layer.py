"""What one operation, or several together, multiply by, and what of it is zero."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

from costlab.algebra.operands import Operands, Weight
from costlab.algebra.work import Work
from costlab.hardware.compression.zeros import Zeros, added


class Layer(NamedTuple):
    """An operation, for the whole batch; None stands for what is not known.

    ``effective_multiply_adds`` are those by weights that are not zero, ``bit_operations`` are multiply-adds
    times the bits of both factors, the ``effective`` ones of those that are effective. ``weights`` has the
    zeros of each weight by its key, since one that is used twice is held once, in the use of the most,
    ``unknown`` the elements of those without values. ``widths`` are the bits of both factors, the weight's
    first: ``8x32``.
    """

    path: str
    kind: str
    multiply_adds: int
    effective_multiply_adds: int | None
    parameters: int
    nonzero_parameters: int | None
    bit_operations: int | None
    effective_bit_operations: int | None
    weights: Mapping[Hashable, Zeros]
    unknown: Mapping[Hashable, int]
    widths: tuple[str, ...]

    @property
    def zeros(self) -> Zeros:
        """The zeros of all of its weights whose values are known."""
        return added(self.weights.values())


def layer_of(path: str, work: Work, operands: Operands | None, batch: int) -> Layer:
    """An operation that ran, by its work and by what it multiplies, for one input."""
    products: Any = work.multiply_adds
    parameters: Any = work.parameters
    told = operands or Operands(found=not products)
    made = Layer(path, work.kind, batch * products, 0, parameters, told.nonzero, 0, 0, {}, {}, ())
    if not products:
        return made
    if not told.found:
        return made._replace(effective_multiply_adds=None, bit_operations=None, effective_bit_operations=None)
    rest = products - sum(each.uses * each.elements for each in told.weights)
    known = all(each.zeros is not None for each in told.weights)
    data = told.data_bits
    effective = sum(_used(each) for each in told.weights) + rest if known else None
    bits = (
        None if data is None else sum(each.uses * each.elements * each.bits * data for each in told.weights)
    )
    left = None if data is None or not known else sum(_used(each) * each.bits * data for each in told.weights)
    both = 0 if data is None else rest * data * data
    return made._replace(
        effective_multiply_adds=None if effective is None else batch * effective,
        bit_operations=None if bits is None else batch * (bits + both),
        effective_bit_operations=None if left is None else batch * (left + both),
        weights={each.key: each.zeros for each in told.weights if each.zeros is not None},
        unknown={each.key: each.elements for each in told.weights if each.zeros is None},
        widths=tuple(dict.fromkeys(_widths(told, data, rest))),
    )


def together(path: str, layers: Iterable[Layer]) -> Layer:
    """Several operations as one, of no kind: what is not known of one is not known of all."""
    every = list(layers)

    def whole(name: str) -> Any:
        values = [getattr(each, name) for each in every]
        return None if None in values else sum(values)

    return Layer(
        path,
        "",
        whole("multiply_adds"),
        whole("effective_multiply_adds"),
        whole("parameters"),
        whole("nonzero_parameters"),
        whole("bit_operations"),
        whole("effective_bit_operations"),
        _once(every),
        {key: elements for each in every for key, elements in each.unknown.items()},
        tuple(dict.fromkeys(width for each in every for width in each.widths)),
    )


def _once(layers: Iterable[Layer]) -> dict[Hashable, Zeros]:
    """The zeros of each weight; of one that is used several ways those of the use of the most elements."""
    found: dict[Hashable, Zeros] = {}
    for layer in layers:
        for key, zeros in layer.weights.items():
            if key not in found or zeros.nonzero > found[key].nonzero:
                found[key] = zeros
    return found


def _used(weight: Weight) -> int:
    return weight.uses * int(weight.zeros.nonzero)


def _widths(told: Operands, data: int | None, rest: int) -> Iterable[str]:
    shown = "?" if data is None else str(data)
    for each in told.weights:
        yield f"{each.bits}x{shown}"
    if rest:
        yield f"{shown}x{shown}"
