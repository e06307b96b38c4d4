"""What is handed in, and what a model holds, is as it was after a count, when it raises too."""

import copy
import functools
import io
import pickle
from collections import UserDict, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from costlab import count
from costlab.algebra.inputs import Inputs
from costlab.errors import TargetError
from costlab.tracing.holdings import tensors_within
from tests.sampling import one_in
from tests.tracing.objects import MAKERS, Frozen, Output, Plain, Slotted, picture, spoil


class Spoils(nn.Module):
    """Changes all that it is given, and all that it holds."""

    def __init__(self, held: Any = None, fails: bool = False) -> None:
        super().__init__()
        self.layer, self.held, self.fails = nn.Linear(3, 3), held, fails

    def forward(self, x: Tensor, *given: Any, **named: Any) -> Any:
        y = self.layer(x)
        with torch.no_grad():
            for each in (*given, *named.values(), self.held):
                spoil(each, y, set())
        if self.fails:
            raise ValueError("on the way")
        return y


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("where", ["given", "named", "within", "held"])
@pytest.mark.parametrize("name", one_in(3, MAKERS))
def test_everything_is_as_it_was(name: str, where: str, fails: bool) -> None:
    torch.manual_seed(0)
    value, x = MAKERS[name](), torch.rand(2, 3)
    model = Spoils(value if where == "held" else None, fails)
    inputs = {
        "given": Inputs([x, value]),
        "named": Inputs([x], {"value": value}),
        "within": Inputs([x, {"a": [value]}]),
        "held": Inputs([x]),
    }[where]
    whole = [value, model, list(model.parameters())]
    for backward in (False, True):
        before = picture(whole)
        if fails:
            with pytest.raises(TargetError, match="Spoils: ValueError: on the way"):
                count(model, inputs, backward=backward)
        else:
            assert count(model, inputs, backward=backward).multiply_adds == 2 * 9 * (2 if backward else 1)
        assert picture(whole) == before


@pytest.mark.parametrize("name", MAKERS)
def test_tensors_are_found_in_all_that_holds_some(name: str) -> None:
    """As many as a copy by pickle, which goes through everything, asks to be stored."""
    value = MAKERS[name]()
    if name in ("random", "numpy's random", "torch's random", "counter", "array", "module in a list"):
        assert list(tensors_within(value)) == []
        return
    stored: dict[int, Tensor] = {}

    class Storing(pickle.Pickler):
        def persistent_id(self, each: Any) -> Any:
            if isinstance(each, Tensor):
                stored[id(each)] = each
                return len(stored)
            return None

    found = [id(each) for each in tensors_within(value)]
    if name != "top of two":  # torch's own tuples with names are not pickled so
        Storing(io.BytesIO()).dump(value)
        assert sorted(found) == sorted(stored)
    assert len(set(found)) == len(found) > 0


class Cache:
    """Keys of a language model, and what is done with them."""

    def __init__(self, keys: Tensor) -> None:
        self.keys = keys


class Remembers(nn.Module):
    """Attends to a cache that it is given, and adds to it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 8, bias=False)

    def forward(self, x: Tensor, cache: Cache) -> Tensor:
        cache.keys = torch.cat([cache.keys, self.layer(x)])
        return x @ cache.keys.t()


def test_a_cache_is_counted_as_often_as_one_likes() -> None:
    model, cache, x = Remembers(), Cache(torch.rand(3, 8)), torch.rand(1, 8)
    kept, values = cache.keys, cache.keys.clone()
    for _ in range(3):
        assert count(model, {"x": x, "cache": cache}).multiply_adds == 64 + 4 * 8
    assert cache.keys is kept
    assert torch.equal(kept, values)
    assert model(x, copy.deepcopy(cache)).shape == (1, 4)


def test_the_same_object_is_the_same_in_the_model_and_its_inputs() -> None:
    class Asks(nn.Module):
        def __init__(self, cache: Cache) -> None:
            super().__init__()
            self.cache, self.layer = cache, nn.Linear(8, 8)

        def forward(self, x: Tensor, cache: Cache, first: Tensor) -> Any:
            assert cache is self.cache
            assert first is cache.keys
            return self.layer(x)

    cache = Cache(torch.rand(3, 8))
    assert count(Asks(cache), (torch.rand(1, 8), cache, cache.keys)).multiply_adds == 64


@pytest.mark.parametrize(
    "wrap",
    [
        lambda y: y,
        lambda y: {"logits": y},
        lambda y: SimpleNamespace(logits=[y]),
        lambda y: UserDict(logits=y),
        lambda y: Plain(logits=y),
        Slotted,
        Frozen,
        lambda y: Output(logits=y),
        lambda y: deque([(y, None)]),
        lambda y: torch.distributions.Normal(y, 1.0),
        lambda y: nn.utils.rnn.PackedSequence(y.flatten(1), torch.tensor([1])),
        lambda y: (y, {"again": y}, [y + 1]),
    ],
)
def test_a_step_goes_back_from_outputs_of_any_class(wrap: Callable[[Tensor], Any]) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Any:
            return wrap(self.conv(x))

    once = 4 * 27 * 36
    assert count(Net(), torch.zeros(1, 3, 8, 8), backward=True).multiply_adds == 2 * once


KEPT: dict[str, Tensor] = {}


@functools.lru_cache
def places(steps: int, device: torch.device) -> Tensor:
    return torch.arange(steps, device=device)[:, None].float()


def weights_of(layer: nn.Linear, cache: list[Tensor] = []) -> Tensor:  # noqa: B006  # what is tried
    if not cache:
        cache.append(layer.weight)
    return cache[0]


class Caches(nn.Module):
    """Keeps what it makes where no model holds it: in a function's cache, a default, a file, a class."""

    sizes: ClassVar[dict[int, Tensor]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        if "ones" not in KEPT:
            KEPT["ones"], KEPT["weight"] = torch.ones(4, device=x.device).cumsum(0), self.layer.weight
        type(self).sizes.setdefault(len(x), torch.full((4,), 2.0))
        y = self.layer(x + places(len(x), x.device)) * KEPT["ones"] @ KEPT["weight"]
        return y * type(self).sizes[len(x)] @ weights_of(self.layer)


@pytest.mark.parametrize("backward", [False, True])
def test_what_is_kept_elsewhere_is_what_a_run_leaves_there(backward: bool) -> None:
    model, x = Caches(), torch.rand(3, 4)
    expected = Caches()
    expected.load_state_dict(model.state_dict())
    for kept in (KEPT, Caches.sizes):
        kept.clear()
    places.cache_clear()
    once = count(model, x, backward=backward).multiply_adds
    assert KEPT == {}
    assert (type(places(3, x.device)), places(3, x.device).tolist()) == (Tensor, [[0.0], [1.0], [2.0]])
    assert [(type(each), each.tolist()) for each in Caches.sizes.values()] == [(Tensor, [2.0] * 4)]
    assert model(x).shape == (3, 4)
    assert count(model, x, backward=backward).multiply_adds == once


def test_what_hooks_keep_is_put_back() -> None:
    class Extractor:
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def keep(self, module: nn.Module, given: Any, output: Tensor) -> None:
            self.seen.append(output)

    extractor = Extractor()
    local: dict[str, Tensor] = {}
    model = nn.Sequential(nn.Linear(4, 4))
    model[0].register_forward_hook(extractor.keep)
    model[0].register_forward_hook(lambda module, given, output: local.update(output=output))
    model[0].register_forward_hook(lambda module, given, output: KEPT.update(output=output))
    KEPT.clear()
    count(model, torch.rand(2, 4))
    assert (extractor.seen, local, KEPT) == ([], {}, {})


class Fields(UserDict[str, Any]):
    """A dictionary that refuses to be true or false, as those of tensors do."""

    def __bool__(self) -> bool:
        raise RuntimeError("neither true nor false")


def test_inputs_by_name_in_a_dictionary_of_ones_own() -> None:
    class Adds(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 2)

        def forward(self, first: Tensor, second: Tensor) -> Any:
            return self.layer(first + second)

    given = Fields(first=torch.zeros(3, 4), second=torch.zeros(3, 4))
    assert count(Adds(), given).multiply_adds == 24
