"""Every operation class against torch, over a sampled product of its parameters."""

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import sympy
import torch

from costlab.algebra import AnyShape, Operation, Shape, Vector
from costlab.counting import convention
from costlab.errors import ShapeError
from costlab.tracing import observe
from tests.samples import operation_classes, sampled

CLASSES = operation_classes()
SAMPLES = 160
SHAPES: list[AnyShape] = [
    Shape(4, 7, 9),
    Shape(6, 5, 5),
    Shape(3, 1, 1),
    Shape(12, 8, 3),
    Shape(2, 2, 11),
    Vector(1),
    Vector(12),
]

every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def accepted(cls: type[Operation]) -> list[tuple[Operation, AnyShape]]:
    """Pairs of an operation and a shape that it accepts."""
    pairs = []
    for i, operation in enumerate(sampled(cls, SAMPLES)):
        for x in SHAPES[i % 3 :: 2]:
            try:
                operation.output(x)
            except ShapeError:
                continue
            pairs.append((operation, x))
    assert pairs
    return pairs


def stock_fvcore(operation: Operation, x: AnyShape) -> Any:
    """fvcore's analysis of an operation's module, untaught, computed."""
    module, tensor = operation.module(x).eval(), torch.zeros(1, *map(int, x))
    with observe.quiet():
        from fvcore.nn import FlopCountAnalysis

        analysis = FlopCountAnalysis(module, tensor).unsupported_ops_warnings(False)
        analysis.total()
    return analysis


def test_every_shipped_operation_is_judged() -> None:
    from costlab.algebra import ops

    assert {cls.__name__ for cls in CLASSES} == set(ops.__all__)


@every_class
def test_shape_parameters_and_weights_are_those_of_the_module(cls: type[Operation]) -> None:
    for operation, x in accepted(cls):
        module = operation.module(x).eval()
        with torch.no_grad():
            executed = module(torch.zeros(2, *map(int, x))).shape
        y = operation.output(x)
        work = operation.work(x, y)
        tensors = dict(module.named_parameters())
        assert tuple(executed) == (2, *y), (operation, x)
        assert work.parameters == sum(p.numel() for p in tensors.values()), (operation, x)
        assert work.inputs == math.prod(map(int, x))
        assert work.outputs == math.prod(executed[1:])
        if work.weights != 0:
            assert work.weights == tensors["weight"].numel()
            assert work.bias_adds == (work.outputs if "bias" in tensors else 0)


@every_class
def test_charges_are_fvcores(cls: type[Operation]) -> None:
    flops, activations = convention("fvcore"), convention("fvcore_activations")
    for operation, x in accepted(cls)[:120]:
        module, tensor = operation.module(x).eval(), torch.zeros(1, *map(int, x))
        work = operation.work(x, operation.output(x))
        assert flops.cost(work) == observe.fvcore_flops(module, tensor)[""], (operation, x)
        assert activations.cost(work) == observe.fvcore_activations(module, tensor)[""], (operation, x)


@every_class
def test_charges_are_the_torch_flop_counters(cls: type[Operation]) -> None:
    flops = convention("torch_flop_counter")
    for operation, x in accepted(cls):
        module = operation.module(x).eval()
        reported = observe.torch_flops(module, torch.zeros(1, *map(int, x))).get("", 0)
        assert flops.cost(operation.work(x, operation.output(x))) == reported, (operation, x)


@every_class
def test_what_fvcore_does_not_know_is_listed_as_unknown(cls: type[Operation]) -> None:
    operation, x = accepted(cls)[-1]
    missing = set(stock_fvcore(operation, x).unsupported_ops()) - {"aten::_convolution_mode"}
    assert (cls.kind in convention("fvcore").unknown) == bool(missing), missing


@every_class
def test_what_is_refused_torch_refuses_too(cls: type[Operation]) -> None:
    for operation in sampled(cls, SAMPLES, seed=1):
        for x in SHAPES:
            if isinstance(x, Vector):
                continue  # torch's layers take other ranks for other meanings
            try:
                operation.output(x)
            except ShapeError as error:
                if "needs a" in str(error):
                    continue
                with pytest.raises((RuntimeError, ValueError)):
                    operation.module(x)(torch.zeros(1, *map(int, x)))


def symbolic(value: Any, name: str, values: dict[sympy.Symbol, int]) -> Any:
    """The value with every whole number in it as a symbol that stands for it."""
    if isinstance(value, tuple):
        return tuple(symbolic(part, f"{name}{i}", values) for i, part in enumerate(value))
    if isinstance(value, bool) or not isinstance(value, int) or value == 0:
        return value
    symbol = sympy.Symbol(name, integer=True, positive=True)
    values[symbol] = value
    return symbol


@every_class
def test_the_closed_form_gives_the_count(cls: type[Operation]) -> None:
    for operation, x in accepted(cls)[:60]:
        values: dict[sympy.Symbol, int] = {}
        names = [field.name for field in fields(operation)]  # type: ignore[arg-type]
        general: Any = replace(  # type: ignore[type-var]
            operation, **{name: symbolic(getattr(operation, name), name, values) for name in names}
        )
        shape = type(x)(*(symbolic(dim, f"x{i}", values) for i, dim in enumerate(x)))
        y = general.output(shape)
        form = (*y, *general.work(shape, y)[1:])
        number = operation.output(x)
        expected = (*number, *operation.work(x, number)[1:])
        assert tuple(sympy.sympify(dim).subs(values) for dim in form) == expected, (operation, x)


@every_class
def test_arrays_give_the_count_of_every_variant(cls: type[Operation]) -> None:
    for operation, x in accepted(cls)[:60]:
        steps = (0, 12, 24)  # multiples of every number of groups tried
        arrays = type(x)(*(np.array([int(dim) + step for step in steps]) for dim in x))
        y = operation.output(arrays)
        swept = (*y, *operation.work(arrays, y)[1:])
        for i, step in enumerate(steps):
            one = type(x)(*(int(dim) + step for dim in x))
            number = operation.output(one)
            expected = (*number, *operation.work(one, number)[1:])
            assert tuple(np.broadcast_to(dim, 3)[i] for dim in swept) == expected, (operation, one)


def test_stock_fvcore_does_not_see_uneven_same_padding() -> None:
    """The one thing that fvcore has to be taught for the cross-check; where it changes, simplify."""
    from costlab.algebra import Conv2d

    x = Shape(3, 6, 6)
    even, uneven = Conv2d(4, 3, padding="same"), Conv2d(4, 2, padding="same")
    assert stock_fvcore(even, x).total() == 3 * 3 * 3 * 4 * 36
    assert stock_fvcore(uneven, x).total() == 0
    assert observe.fvcore_flops(uneven.module(x), torch.zeros(1, 3, 6, 6))[""] == 2 * 2 * 3 * 4 * 36
