"""Objects of odd classes in a model are counted past, and are as they were; so is the process."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from costlab import count
from tests.tracing.odd_objects import ODD

X = torch.rand(4, 8)
ONCE = 4 * 8 * 8


class Holds(nn.Module):
    """A layer beside something that it may change."""

    def __init__(self, held: Any, change: Callable[["Holds"], Any] = id) -> None:
        super().__init__()
        self.layer, self.held, self.change, self.seen = nn.Linear(8, 8), held, change, [1]

    def forward(self, x: Tensor) -> Any:
        self.seen.append(2)
        self.change(self)
        return self.layer(x)


@pytest.mark.parametrize("name", ODD)
def test_odd_objects_are_counted_past(name: str) -> None:
    held = ODD[name]()
    model = Holds(held)
    assert count(model, X).multiply_adds == ONCE
    assert model.held is held
    assert model.seen == [1]
    if isinstance(held, dict):
        assert list(held) == list(ODD[name]())
    if isinstance(held, tuple | list):
        assert [type(each) for each in held] == [type(each) for each in ODD[name]()]


class Takes(nn.Module):
    """A layer of what it holds, whatever it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.x = nn.Linear(8, 8), X

    def forward(self, *_: Any, **__: Any) -> Any:
        return self.layer(self.x)


@pytest.mark.parametrize("name", ODD)
def test_odd_objects_are_inputs(name: str) -> None:
    """With tensors, by name, and alone where they hold tensors."""
    given = ODD[name]()
    alone = () if name.startswith("random numbers") else (given,)
    for inputs in ((X, given), [given, X], {"given": given}, *alone):
        assert count(Takes(), inputs).multiply_adds == ONCE


def test_a_generator_of_numpy_is_as_it_was() -> None:
    held = ODD["random numbers of numpy"]()
    count(Holds(held, lambda model: model.held.rand(3)), X)
    assert held.rand() == ODD["random numbers of numpy"]().rand()


def test_an_array_that_is_locked_is_as_it_was() -> None:
    def lock(model: Holds) -> None:
        model.held += 1
        model.held.flags.writeable = False

    model = Holds(np.zeros(3), lock)
    assert count(model, X).multiply_adds == ONCE
    assert not model.held.any()
    assert model.seen == [1]


def test_an_array_is_in_the_memory_of_its_tensor() -> None:
    class Writes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Any:
            mask = torch.zeros(4)
            mask.numpy()[:2] = 1
            return self.layer(x)[mask > 0].sum() if mask.sum() == 2 else x

    assert count(Writes(), X).multiply_adds == ONCE


def test_a_power_of_sizes_may_have_a_modulus() -> None:
    assert count(Holds(None, lambda model: pow(model.layer.weight.shape[0], 2, 3)), X).multiply_adds == ONCE


def test_counts_in_threads_leave_the_switches_of_the_process() -> None:
    before = torch._C._get_mkldnn_enabled()
    first, second = Event(), Event()
    counted: list[Any] = []

    def starts(_: Holds) -> None:
        first.set()
        second.wait(0.5)

    def count_one() -> None:
        counted.append(count(Holds(None, starts), X).multiply_adds)

    def count_other() -> None:
        first.wait(5)
        counted.append(count(Holds(None, lambda _: second.set()), X).multiply_adds)

    threads = [Thread(target=count_one), Thread(target=count_other)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert counted == [ONCE, ONCE]
    assert torch._C._get_mkldnn_enabled() is before
