"""Every operation class against torch, over a sampled product of its parameters."""

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from costlab.algebra import AnyShape, Conv2d, Operation, Shape, Softmax, Vector
from costlab.checking import observe
from costlab.checking.observe import Subject
from costlab.counting.convention import convention
from costlab.errors import ShapeError
from tests.samples import accepted_shape, operation_classes, sampled

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


def subject(operation: Operation, x: AnyShape) -> Subject:
    """The operation's module in eval mode, with one input of zeros."""
    return Subject(operation.module(x).eval(), torch.zeros(1, *map(int, x)), operation.walk(x))


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
    assert len({cls.kind for cls in CLASSES}) == len(CLASSES)


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
        assert work.kind == cls.kind
        assert work.inputs == math.prod(map(int, x))
        assert work.outputs == math.prod(executed[1:])
        weighted = isinstance(module, (nn.Linear, nn.modules.conv._ConvNd))
        assert work.weights == (tensors["weight"].numel() if weighted else 0)
        assert work.bias_adds == (work.outputs if weighted and "bias" in tensors else 0)
        scaled = isinstance(module, (nn.modules.batchnorm._NormBase, nn.GroupNorm)) and "weight" in tensors
        assert work.scalings == (work.outputs if scaled else 0)


@every_class
def test_charges_and_activations_are_fvcores(cls: type[Operation]) -> None:
    flops = convention("fvcore")
    for operation, x in accepted(cls)[:120]:
        node, judged = operation.walk(x), subject(operation, x)
        assert flops.cost(node) == observe.fvcore_flops(judged)[""], (operation, x)
        assert node.work is not None
        assert node.work.activations == observe.fvcore_activations(judged)[""], (operation, x)


@every_class
def test_multiply_adds_and_charges_are_the_torch_flop_counters(cls: type[Operation]) -> None:
    flops, multiply_adds = convention("torch_flop_counter"), convention("multiply_adds")
    for operation, x in accepted(cls):
        node, reported = operation.walk(x), observe.torch_flops(subject(operation, x)).get("", 0)
        assert node.work is not None
        assert 2 * node.work.multiply_adds == reported, (operation, x)
        assert flops.cost(node) == reported, (operation, x)
        assert multiply_adds.cost(node) == node.work.multiply_adds, (operation, x)


@every_class
def test_what_a_tool_does_not_know_is_listed_as_unknown(cls: type[Operation]) -> None:
    operation, x = accepted(cls)[-1]
    missing = set(stock_fvcore(operation, x).unsupported_ops()) - {"aten::_convolution_mode"}
    node = operation.walk(x)
    assert convention("fvcore").knows(node) == (not missing), missing
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), RecordOperators() as recorder:
        operation.module(x).eval()(torch.zeros(1, *map(int, x)))
    known = bool(recorder.seen & set(counter.flop_registry))
    assert convention("torch_flop_counter").knows(node) == known, recorder.seen


class RecordOperators(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch gives it no types
    """Which operators torch runs."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch gives it no types
        self.seen: set[Any] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.seen.add(func.overloadpacket)
        return func(*args, **(kwargs or {}))


@every_class
def test_every_setting_reaches_the_module(cls: type[Operation]) -> None:
    """Two different operations give different modules; attributes of the same name have the same value."""
    x = accepted_shape(accepted(cls)[0][0])
    seen: dict[Any, Operation] = {}
    for operation in sampled(cls, SAMPLES):
        try:
            operation.output(x)
        except ShapeError:
            continue
        module = operation.module(x)
        state = tuple((name, tuple(p.shape)) for name, p in module.named_parameters())
        settings = {name: value for name, value in vars(module).items() if not name.startswith("_")}
        look: Any = (str(sorted(settings.items(), key=str)), state)
        for field in fields(operation):
            if field.name in settings and field.name not in ("bias", "padding"):
                assert settings[field.name] == getattr(operation, field.name), (operation, field.name)
        if cls.__name__ == "Conv2d":  # "same" may be written as the numbers that it stands for
            convolution: Any = operation
            look = (str(replace(convolution, padding=0)), (look, module.padding))
        assert seen.setdefault(look, operation) == operation
    assert seen


def test_softmax_is_over_the_channels() -> None:
    x = torch.randn(2, 5, 3, 4)
    y = Softmax().module(Shape(5, 3, 4))(x)
    assert torch.allclose(y.sum(dim=1), torch.ones(2, 3, 4))
    assert torch.allclose(y, x.exp() / x.exp().sum(dim=1, keepdim=True))


def test_same_padding_is_torchs() -> None:
    """Even sums of zeros are written as numbers; what comes out is what "same" gives."""
    for operation in sampled(Conv2d, SAMPLES):
        assert isinstance(operation, Conv2d)
        if operation.padding != "same" or 12 % int(operation.groups):
            continue
        module: Any = operation.module(Shape(12, 9, 8))
        dilation: Any = operation.dilation
        x = torch.randn(2, 12, 9, 8)
        expected = torch.nn.functional.conv2d(
            x,
            module.weight,
            module.bias,
            padding="same",
            dilation=dilation,
            groups=int(operation.groups),
        )
        assert torch.allclose(module(x), expected, atol=1e-5), operation


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
        names = [field.name for field in fields(operation)]
        general: Any = replace(
            operation, **{name: symbolic(getattr(operation, name), name, values) for name in names}
        )
        shape = type(x)(*(symbolic(dim, f"x{i}", values) for i, dim in enumerate(x)))
        y = general.output(shape)
        form = (*y, *general.work(shape, y).sizes)
        number = operation.output(x)
        expected = (*number, *operation.work(x, number).sizes)
        assert tuple(sympy.sympify(dim).subs(values) for dim in form) == expected, (operation, x)


@every_class
def test_arrays_give_the_count_of_every_variant(cls: type[Operation]) -> None:
    for operation, x in accepted(cls)[:60]:
        steps = (0, 12, 24)  # multiples of every number of groups tried
        arrays = type(x)(*(np.array([int(dim) + step for step in steps]) for dim in x))
        y = operation.output(arrays)
        swept = (*y, *operation.work(arrays, y).sizes)
        for i, step in enumerate(steps):
            one = type(x)(*(int(dim) + step for dim in x))
            number = operation.output(one)
            expected = (*number, *operation.work(one, number).sizes)
            assert tuple(np.broadcast_to(dim, 3)[i] for dim in swept) == expected, (operation, one)


def test_stock_fvcore_does_not_see_uneven_same_padding() -> None:
    """What it reports is what its convention says that it reports; where fvcore changes, so does that."""
    x = Shape(3, 6, 6)
    even, uneven = Conv2d(4, 3, padding="same"), Conv2d(4, 2, padding="same")
    assert stock_fvcore(even, x).total() == 3 * 3 * 3 * 4 * 36
    assert stock_fvcore(uneven, x).total() == 0
    assert convention("fvcore").cost(even.walk(x)) == 3 * 3 * 3 * 4 * 36
    assert convention("fvcore").cost(uneven.walk(x)) == 0
