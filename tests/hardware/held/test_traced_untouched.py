"""A module is left as it was, also where it fails; what cannot be traced is refused in one line."""

import copy
import random
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.shape import Sizes
from costlab.errors import CostlabError, DefinitionError, DependsOnDataError, TargetError
from costlab.hardware.held.optimizer import Optimizer
from costlab.hardware.held.traced import parts_of, trace_inference, trace_training


class Inner(nn.Module):
    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


class Outer(nn.Module):
    """Holds what a run may change: statistics, a list, an attribute, gradients, hooks, modes."""

    def __init__(self, function: Callable[[Tensor], Any] = torch.sigmoid) -> None:
        super().__init__()
        self.layer, self.norm, self.drop = nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout()
        self.inner = Inner(function)
        self.seen: list[Tensor] = []
        self.last: Tensor = torch.ones(4)

    def forward(self, x: Tensor) -> Any:
        self.last = self.norm(self.layer(x))
        self.seen.append(self.last)
        return self.inner(self.drop(self.last * torch.rand(4)))


def fails(x: Tensor) -> Tensor:
    raise ZeroDivisionError


def state_of(model: Outer) -> Any:
    own = [*model.parameters(), *model.buffers(), model.last, *(each.grad for each in model.parameters())]
    return (
        [(id(each), each._version if each is not None else 0) for each in own],
        [copy.deepcopy(each.detach()) if each is not None else None for each in own],
        [each.training for each in model.modules()],
        [len(each._forward_hooks) for each in model.modules()],
        list(model.seen),
        torch.get_rng_state(),
        random.getstate(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
        len(torch.nn.modules.module._global_forward_hooks),
    )


@pytest.mark.parametrize("function", [torch.sigmoid, fails])
@pytest.mark.parametrize("dtype", ["bfloat16", "amp"])
def test_a_module_is_left_as_it_was(function: Any, dtype: Any) -> None:
    model = Outer(function)
    model.norm.eval()
    model.layer.weight.grad = torch.ones(4, 4)
    x = torch.zeros(3, 4)
    before = state_of(model)
    traces: list[Any] = [trace_inference, partial(trace_training, optimizer=Optimizer("adam"))]
    for trace in traces:
        try:
            trace(model, Inputs([x]), dtype)
        except TargetError:
            assert function is fails
        after = state_of(model)
        for one, other in zip(before, after, strict=True):
            if isinstance(one, list) and any(isinstance(each, Tensor) for each in one):
                assert all(
                    a is b if a is None or b is None else torch.equal(a, b)
                    for a, b in zip(one, other, strict=True)
                )
            else:
                assert torch.equal(one, other) if isinstance(one, Tensor) else one == other
    assert type(model.layer.weight) is nn.Parameter
    assert x.equal(torch.zeros(3, 4))


def test_a_module_runs_as_before() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.LSTM(4, 3, batch_first=True))
    parts_of(model, "bfloat16")
    trace_inference(model, (2, 3, 4), "float32")
    assert model(torch.zeros(2, 3, 4))[0].shape == (2, 3, 3)
    lazy = nn.Sequential(nn.LazyLinear(3))
    trace_training(lazy, (2, 5), "float32", Optimizer())
    assert isinstance(lazy[0], nn.LazyLinear)


library: Any = torch.library.Library
LIBRARY = library("held_tests", "DEF")
LIBRARY.define("twice(Tensor x) -> Tensor")
LIBRARY.impl("twice", lambda x: x * 2, "CPU")


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch, that there will be no scripts
        made: Any = torch.jit.script(nn.Identity())
    return nn.Sequential(made)


def sparse() -> nn.Module:
    model = Outer()
    model.register_buffer("mask", torch.eye(4).to_sparse())
    return model


class Quantized(nn.Module):
    pass


Quantized.__module__ = "torch.ao.nn.quantized.dynamic.modules.linear"
SIZES = (2, 4)
REFUSED: dict[str, tuple[Callable[[], nn.Module], Any, type[CostlabError], str]] = {
    "item": (lambda: Outer(lambda x: x * x.sum().item()), SIZES, DependsOnDataError, "inner: what it does"),
    "choice": (lambda: Outer(lambda x: x if x.sum() > 0 else -x), SIZES, DependsOnDataError, "_scalar_dense"),
    "mask": (lambda: Outer(lambda x: x[x > 0]), SIZES, DependsOnDataError, "aten::nonzero; test_traced_unt"),
    "numpy": (lambda: Outer(lambda x: x.detach().numpy()), SIZES, DependsOnDataError, "inner: what it does"),
    "operator": (
        lambda: Outer(torch.ops.held_tests.twice),
        SIZES,
        TargetError,
        "inner: held_tests::twice has no implementation",
    ),
    "script": (scripted, SIZES, TargetError, "0: it is scripted"),
    "quantized": (lambda: nn.Sequential(Quantized()), SIZES, TargetError, "0: it is quantized"),
    "sparse": (sparse, SIZES, TargetError, "mask: its layout is sparse_coo"),
    "failing": (lambda: Outer(fails), SIZES, TargetError, "inner: ZeroDivisionError"),
    "sizes": (Outer, (2, 5), TargetError, "layer: RuntimeError: a and b must have same reduction dim"),
    "types": (
        Outer,
        Inputs([TensorInput(Sizes(2, 4), "int64")]),
        TargetError,
        "layer: RuntimeError: the fact",
    ),
    "no type": (
        Outer,
        Inputs([TensorInput(Sizes(2, 4), "real")]),
        DefinitionError,
        "there is no type 'real'",
    ),
    "arguments": (Outer, Inputs([TensorInput(Sizes(2, 4))] * 2), DefinitionError, "too many positional"),
    "one value": (Outer, (1, 4), TargetError, "norm: batch_norm of 1x4 has one value to normalize"),
    "no gradient": (
        lambda: Outer(lambda x: x.detach()),
        SIZES,
        TargetError,
        "Outer: a step of training goes",
    ),
    "no output": (lambda: Outer(lambda x: None), SIZES, TargetError, "Outer: a step of training goes back"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_traced_is_one_clear_line(name: str, capfd: Any) -> None:
    make, given, kind, told = REFUSED[name]
    with pytest.raises(kind) as raised:
        trace_training(make(), given, "float32", Optimizer())
    assert type(raised.value) is kind
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert capfd.readouterr() == ("", "")


def test_threads_and_modules_without_sizes_are_refused() -> None:
    def elsewhere(x: Tensor) -> Tensor:
        found: list[Tensor] = []
        thread = threading.Thread(target=lambda: found.append(x * 2))
        thread.start()
        thread.join()
        return found[0]

    with pytest.raises(TargetError, match=r"^Outer: some of it runs in another thread"):
        trace_inference(Outer(elsewhere), SIZES, "float32")
    with pytest.raises(DefinitionError, match=r"^LazyLinear: it is lazy, and has no sizes"):
        parts_of(nn.LazyLinear(3), "float32")


@pytest.mark.parametrize(("name", "momentum"), [("adagrad", False), ("", False), ("adam", True)])
def test_an_optimizer_that_there_is_not(name: str, momentum: bool) -> None:
    with pytest.raises(DefinitionError, match="optimizer="):
        Optimizer(name, momentum)


def test_what_is_made_on_another_device_is_on_the_cpu() -> None:
    def on(device: str) -> Any:
        model = Outer(lambda x: x @ torch.zeros(4, 4, device=device, requires_grad=True).t())
        return trace_training(model, SIZES, "float32", Optimizer())

    assert on("cuda") == on("cpu")
