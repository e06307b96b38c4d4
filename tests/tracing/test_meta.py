"""A count leaves the model and the process as they were, also when what it runs fails."""

import random
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from costlab import count
from costlab.errors import TargetError


class Busy(nn.Module):
    """A module that changes whatever it can while it runs."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.ReLU())
        self.head = nn.Linear(4, 2)
        self.norm = nn.BatchNorm1d(2)
        self.steps: Tensor
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.seen: Tensor
        self.register_buffer("seen", torch.rand(4), persistent=False)
        self.plain = torch.rand(3)
        self.cache: dict[str, Any] = {"first": [torch.rand(2)], "deep": {"er": [1]}}
        self.log: list[Any] = [torch.rand(1), "two"]
        self.names = {"a"}
        self.queue: deque[Any] = deque([1, 2], maxlen=2)
        self.last: Any = None
        self.fails = fails
        self.head.weight.requires_grad_(False)
        self.head.bias.grad = torch.rand(2)

    def forward(self, x: Tensor) -> Tensor:
        self.steps += 1
        self.seen.mul_(2)
        self.seen = self.seen + 1
        self.plain = x.sum()
        self.log.append(x)
        self.cache["x"] = x
        self.cache["first"].append(x)
        self.cache["deep"]["er"].clear()
        self.names.add("b")
        self.queue.append(x)
        self.last = self.new = x
        self.more = nn.Linear(2, 2)
        self.head.weight.requires_grad_(True)
        self.head.bias.data = torch.zeros(2)
        self.head.bias.grad = None
        self.head.register_forward_hook(lambda *_: None)
        nn.init.normal_(self.head.weight)
        self.norm.train()
        self.__class__ = Busier
        x = F.dropout(self.net(x)) + torch.rand(1) + random.random() + np.random.rand()
        y: Tensor = self.norm(self.head(x.mean((2, 3))))
        torch.set_grad_enabled(not torch.is_grad_enabled())
        torch.backends.mha.set_fastpath_enabled(True)
        if self.fails:
            nn.Linear(3, 3)(y)
        return y


class Busier(Busy):
    """What a busy module becomes."""


def contents(value: Any) -> Any:
    """A value to compare: containers by what they hold, tensors by identity, version and values."""
    if isinstance(value, Tensor):
        grad = None if value.grad is None else contents(value.grad)
        return id(value), value.data_ptr(), value._version, value.requires_grad, value.tolist(), grad
    if isinstance(value, dict | OrderedDict):
        return id(value), [(key, contents(each)) for key, each in value.items()]
    if isinstance(value, list | tuple | deque):
        return id(value), [contents(each) for each in value]
    return id(value), set(value) if isinstance(value, set) else None


def of(model: nn.Module) -> dict[str, Any]:
    return {
        name: (type(module), module.training, list(module.__dict__), contents(dict(module.__dict__))[1])
        for name, module in model.named_modules()
    }


HOMES: dict[str, Any] = {"torch": torch, "tensor": Tensor, "functional": F, "module": nn.Module}


def process() -> dict[str, Any]:
    """The states of the process that a run may change."""
    kept = {name: {key: id(value) for key, value in vars(home).items()} for name, home in HOMES.items()}
    globals_ = {name: dict(value) for name, value in vars(hooks).items() if name.startswith("_global_")
                and isinstance(value, dict)}  # fmt: skip
    numbers: Any = np.random.get_state()
    return {
        **kept,
        "hooks": globals_,
        "random": random.getstate(),
        "numpy": (numbers[0], numbers[1].tolist(), numbers[2:]),
        "torch's": torch.get_rng_state().tolist(),
        "grad": torch.is_grad_enabled(),
        "fast": torch.backends.mha.get_fastpath_enabled(),
        "dtype": torch.get_default_dtype(),
        "functions": torch._C._len_torch_function_stack(),
        "dispatch": torch._C._len_torch_dispatch_stack(),
        "device": torch.get_default_device(),
    }


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_as_it_was(fails: bool, backward: bool, grad: bool) -> None:
    model = Busy(fails)
    model.train()
    model.net[1].eval()
    model.head.eval()
    x = torch.rand(2, 3, 8, 8)
    count(Busy(), x, backward=backward)  # torch imports more of itself, which changes it
    before, around = of(model), torch.is_grad_enabled()
    with torch.set_grad_enabled(grad):
        first = process()
        if fails:
            with pytest.raises(TargetError, match=r"^Linear: "):
                count(model, x, backward=backward)
        else:
            assert count(model, x, backward=backward).parameters == 4 * 27 + 4 + 8 + 10 + 4
        assert process() == first
    assert torch.is_grad_enabled() == around
    assert of(model) == before
    assert type(model) is Busy
    assert not hasattr(model, "new")
    assert torch.isfinite(Busy()(x)).all()  # it still runs


@pytest.mark.parametrize("backward", [False, True])
def test_inputs_are_only_read(backward: bool) -> None:
    class Model(nn.Module):
        def forward(self, x: Tensor, given: dict[str, Any]) -> Tensor:
            given["new"] = x
            given["list"].append(x)
            return (x * 1).add_(given.pop("y"))

    x, y = torch.rand(2, 2, requires_grad=True), torch.rand(2, 2)
    given: dict[str, Any] = {"y": y, "list": []}
    before = contents([x, given])
    count(Model(), (x, given), backward=backward)
    assert contents([x, given])[1] == before[1]


def test_constants_of_the_user_keep_their_values() -> None:
    outer = torch.ones(3)

    class Model(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            outer.add_(1)
            outer.mul_(x)
            return x * outer

    count(Model(), torch.rand(3))
    assert outer.tolist() == [1, 1, 1]


def test_what_wraps_a_model_is_seen_through() -> None:
    compiled: Any = partial(torch.compile, backend="eager")
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    expected = count(model, torch.rand(2, 4))
    for wrapped in (compiled(model), nn.DataParallel(model), compiled(nn.DataParallel(model))):
        found = count(wrapped, torch.rand(2, 4))
        assert (found.multiply_adds, found.label) == (32, "Sequential")
        assert [row.path for row in found.rows] == [row.path for row in expected.rows] == ["0", "1"]
    found = count(nn.Sequential(compiled(nn.Linear(4, 4)), nn.ReLU()), torch.rand(2, 4))
    assert (found.multiply_adds, found.parameters) == (32, 20)
    in_place = nn.Linear(4, 4)
    in_place.compile(backend="eager")
    before = dict(in_place.__dict__)
    assert count(in_place, torch.rand(2, 4)).multiply_adds == 32
    assert in_place.__dict__ == before


class Cache:
    """Keeps what was seen, as those of language models do."""

    def __init__(self) -> None:
        self.keys: list[Tensor] = []
        self.length = 0


def test_objects_of_the_models_own_package_are_put_back() -> None:
    class Remembers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head, self.cache = nn.Linear(3, 3), Cache()

        def forward(self, x: Tensor) -> Any:
            y = self.head(x)
            self.cache.keys.append(y)
            self.cache.length += 1
            return torch.cat(self.cache.keys)

    net, x = Remembers(), torch.ones(2, 3)
    net(x)
    kept = list(net.cache.keys)
    count(net, x)
    assert net.cache.length == 1
    assert [id(each) for each in net.cache.keys] == [id(each) for each in kept]
    assert net(x).shape == (4, 3)


MODES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "no_grad": torch.no_grad,
    "inference": torch.inference_mode,
    "meta": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_a_count_is_the_same_in_any_mode_of_the_caller(mode: str, backward: bool) -> None:
    model, x = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)), torch.rand(2, 6)
    with MODES[mode]():
        for _ in range(2):
            found = count(model, x, backward=backward)
            assert found.multiply_adds == 2 * (30 + 15) + backward * 2 * (30 + 15 + 15)
            before = process()
            count(model, x, backward=backward)
            assert process() == before
            assert torch.is_inference_mode_enabled() == (mode == "inference")
    assert torch.isfinite(model(x)).all()
