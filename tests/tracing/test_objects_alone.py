"""Inputs that are one object of any class, container or function."""

from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import count
from costlab.errors import DefinitionError


class Computes:
    """An object that computes its attributes, and fails for those that it does not have."""

    def __init__(self, held: Tensor) -> None:
        self.__dict__["held"] = {"x": held}

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["held"][name]


LAYER, X = nn.Linear(8, 4), torch.rand(2, 8)
ALONE: list[tuple[Any, Callable[[Any], Any], int]] = [
    (Computes(X), lambda given: given.x, 64),
    (deque([X, X]), lambda given: torch.cat(list(given)), 128),
    ({X}, lambda given: next(iter(given)), 64),
    (lambda: X, lambda given: given(), 64),
    (defaultdict(lambda: X), lambda given: given["any"], 64),
]


@pytest.mark.parametrize(("given", "tensor", "expected"), ALONE, ids=lambda each: type(each).__name__)
def test_an_object_may_be_the_only_input(given: Any, tensor: Callable[[Any], Any], expected: int) -> None:
    class Reads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = LAYER

        def forward(self, given: Any) -> Any:
            return self.layer(tensor(given))

    for _ in range(2):
        assert count(Reads(), (given,)).multiply_adds == expected
    assert "any" not in given if isinstance(given, dict) else True


def test_an_iterator_is_refused_before_it_is_used_up() -> None:
    given = iter([X])
    with pytest.raises(DefinitionError, match=r"^an input is an iterator, .*: give a list of what it gives$"):
        count(LAYER, (given,))
    assert next(given) is X
