"""Lazy conjugates and negatives, which torch notes in a tensor and resolves before operators run."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab.counting.count import count
from tests.tracing.brute import torch_counter


class Complex(nn.Module):
    """Two layers around a function of complex data; that of a buffer decides how often the last runs."""

    held: Tensor

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.first, self.last = nn.Linear(3, 3), nn.Linear(3, 3)
        self.register_buffer("held", torch.complex(torch.arange(9.0), torch.arange(9.0).flip(0)).view(3, 3))

    def forward(self, x: Tensor) -> Any:
        x = self.first(x)
        y = self.function(torch.complex(x, x * 2))
        for _ in range(int(self.function(self.held + 0).sum().abs()) % 7):
            y = self.last(y)
        return y


def _written(x: Tensor) -> Tensor:
    x.conj().imag.mul_(2)
    return x.imag


def _asked(x: Tensor) -> Tensor:
    y = x.conj()
    return y.real if y.is_conj() and y.imag.is_neg() and not (y * 1).is_conj() else (x @ x).real


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "real": lambda x: x.conj().real,
    "imaginary": lambda x: x.conj().imag,
    "part": lambda x: x.conj()[:, 1:].imag @ x.real[1:],
    "adjoint": lambda x: x.mH.imag,
    "twice": lambda x: x.conj().conj().imag,
    "detached": lambda x: x.conj().detach().imag + x.real,
    "resolved": lambda x: torch.view_as_real(x.conj().resolve_conj())[..., 1],
    "angle": lambda x: (x + 1).conj().angle(),
    "product": lambda x: (x @ x.conj().mT).imag,
    "product of negatives": lambda x: x.conj().imag @ x.mH.imag,
    "sum": lambda x: (x.conj() * 3 + x).imag,
    "in place": lambda x: x.clone().conj().mul_(2).imag,
    "written through": lambda x: _written(x.clone()),
    "contiguous": lambda x: x.mH.contiguous().imag,
    "copied": lambda x: torch.empty_like(x).copy_(x.conj()).imag,
    "asked": _asked,
}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_conjugates(function: Callable[[Tensor], Tensor], backward: bool) -> None:
    model, x = Complex(function), torch.rand(3, 3)
    right = torch_counter(model, x, backward=backward)
    counted = count(model, x, backward=backward)
    assert counted.multiply_adds == right
    assert not counted.unsupported
