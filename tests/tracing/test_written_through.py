"""Data written through a view or an alias leaves no value behind in any tensor of the same memory."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import count
from costlab.errors import DependsOnDataError

X = torch.rand(4, 8)


class Branches(nn.Module):
    """A layer more if a tensor, which is made zero first, has something in it."""

    def __init__(self, made: Callable[["Branches", Tensor], Tensor]) -> None:
        super().__init__()
        self.layer, self.made = nn.Linear(8, 8), made
        self.register_buffer("matrix", torch.zeros(2, 4))
        self.register_buffer("flat", self.get_buffer("matrix").view(-1))
        self.row = self.get_buffer("matrix")[0]

    def forward(self, x: Tensor) -> Any:
        y = self.layer(x)
        return self.layer(y) if self.made(self, x).abs().sum() > 0 else y


def base_of_a_view(_: Branches, x: Tensor) -> Tensor:
    h = x * 2
    row = h[0]
    h.zero_()
    row.copy_(x[0])
    return h


def piece_of_several(_: Branches, x: Tensor) -> Tensor:
    h = x * 2
    first, *_others = h.chunk(4)
    h.zero_()
    first.add_(x[:1])
    return h


def detached(_: Branches, x: Tensor) -> Tensor:
    h = x * 2
    same = h.detach()
    same.zero_()
    h.copy_(x)
    return same


def below_autograd(_: Branches, x: Tensor) -> Tensor:
    h = x * 2
    same = h.data
    h.zero_()
    same.copy_(x)
    return h


def in_inference_mode(_: Branches, x: Tensor) -> Tensor:
    with torch.inference_mode():
        h = x * 2
        row = h[0]
        row.zero_()
        h.copy_(x)
    return row


def given_the_memory(_: Branches, x: Tensor) -> Tensor:
    h, other = x[0] * 1, x[1] * 1
    other.data = h
    h.zero_()
    other.copy_(x[0])
    return h


def row_that_data_chooses(model: Branches, x: Tensor) -> Tensor:
    model.get_buffer("matrix")[x.sum(0).argmax() % 2].copy_(x[0, :4])
    return model.get_buffer("matrix")


def element_that_data_chooses(model: Branches, x: Tensor) -> Tensor:
    model.get_buffer("flat")[x.sum(0).argmax()].add_(1)
    return model.get_buffer("matrix")


def buffer_with_another_buffer(model: Branches, x: Tensor) -> Tensor:
    model.get_buffer("matrix").copy_(x[:2, :4])
    return model.get_buffer("flat")


def view_that_is_an_attribute(model: Branches, x: Tensor) -> Tensor:
    model.row.copy_(x[0, :4])
    return model.get_buffer("matrix")


def out_argument(_: Branches, x: Tensor) -> Tensor:
    zeros = torch.zeros(8)
    half = zeros[:4]
    torch.add(x[0], 1, out=zeros)
    return half


@pytest.mark.parametrize(
    "made",
    [
        *(base_of_a_view, piece_of_several, detached, below_autograd, in_inference_mode, given_the_memory),
        *(row_that_data_chooses, element_that_data_chooses, buffer_with_another_buffer),
        *(view_that_is_an_attribute, out_argument),
    ],
)
def test_no_value_is_left_behind(made: Callable[[Branches, Tensor], Tensor]) -> None:
    with pytest.raises(DependsOnDataError, match=r"test_written_through.py, line \d+"):
        count(Branches(made), X)


def test_constants_in_one_memory_are_written_together() -> None:
    def written(model: Branches, x: Tensor) -> Tensor:
        model.row.add_(1)
        return model.get_buffer("flat")

    model = Branches(written)
    assert count(model, X).multiply_adds == 2 * 4 * 8 * 8
    assert not model.get_buffer("matrix").any()


@pytest.mark.parametrize(
    "change", [lambda k: k.resize_(8, 5), lambda k: k.t_(), lambda k: k.set_(torch.ones(8, 5))]
)
def test_new_sizes_are_those_of_what_comes_next(change: Callable[[Tensor], Tensor]) -> None:
    class Reshapes(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            constant = torch.zeros(5, 8)
            _ = constant @ x.mT  # of which the sizes are asked first
            change(constant)
            return x @ constant

    model = Reshapes()
    assert count(model, X).multiply_adds == 2 * 4 * 8 * 5


def test_a_model_in_inference_mode_is_counted() -> None:
    class Infers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 8)

        @torch.inference_mode()
        def forward(self, x: Tensor) -> Any:
            h = self.layer(x[:2]).t().unflatten(0, (2, 4))
            h += self.layer.weight.view(-1)[0]
            return h.flatten(0, 1)[::2].t() @ self.layer.weight[:4]

    expected = 2 * 8 * 8 + 2 * 4 * 8
    assert count(Infers(), X).multiply_adds == expected
    with torch.inference_mode():
        assert count(Infers(), X).multiply_adds == expected
