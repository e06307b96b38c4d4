"""Models and libraries that ask for the class of a tensor are told that of a tensor."""

import operator
from collections.abc import Callable
from functools import singledispatch

import pytest
import torch
from torch import Tensor, nn

from costlab.counting.count import count
from costlab.errors import TargetError


@singledispatch
def _is_a_tensor(x: object) -> bool:
    return False


@_is_a_tensor.register
def _(x: Tensor) -> bool:
    return True


QUESTIONS: dict[str, Callable[[object], bool]] = {
    "equal": lambda x: type(x) == Tensor,  # noqa: E721  # what is tried
    "equal, the other way": lambda x: Tensor == type(x),  # noqa: E721  # what is tried
    "unequal": lambda x: not type(x) != Tensor,  # noqa: E721, SIM202  # what is tried
    "one of": lambda x: type(x) in (list, Tensor),
    "name": lambda x: type(x).__name__ == "Tensor",
    "whole name": lambda x: str(type(x)) == "<class 'torch.Tensor'>",
    "package": lambda x: type(x).__module__.partition(".")[0] == "torch",
    "class": lambda x: x.__class__ == Tensor,
    "dispatch": _is_a_tensor,
    "table": lambda x: {list: False, Tensor: True}[type(x)],
    "set": lambda x: type(x) in {int, Tensor},
    "none of a set": lambda x: type(x) not in {int, nn.Parameter, object},
    "no other": lambda x: type(x) not in (list, tuple, nn.Parameter, nn.Buffer, int),
}


class Asks(nn.Module):
    """A layer of eight for tensors, else of two."""

    def __init__(self, question: Callable[[object], bool]) -> None:
        super().__init__()
        self.question = question
        self.short, self.long = nn.Linear(4, 2), nn.Linear(4, 8)

    def forward(self, x: Tensor) -> Tensor:
        y = x * 2
        done: Tensor = (self.long if self.question(x) and self.question(y) else self.short)(y)
        return done


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_the_class_of_a_tensor(question: Callable[[object], bool]) -> None:
    model, x = Asks(question), torch.ones(3, 4)
    assert model(x).shape == (3, 8)
    assert count(model, x).multiply_adds == 3 * 4 * 8


def test_errors_name_it() -> None:
    with pytest.raises(TargetError, match=r"unsupported operand type\(s\) for \+: 'Tensor' and 'object'"):
        count(Asks(lambda x: operator.add(x, object())), torch.ones(3, 4))
