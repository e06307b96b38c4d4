"""Probes: sums, products and the like of two tensors, by sign, function and method."""
# ruff: noqa: PLW0108  # a tool puts another function in the place of a name: it is looked up when called

import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from tests.checking.call_probes import called, calls
from tests.checking.probes import Probe, Size


class Operators(nn.Module):
    """Signs between two tensors, written as people write them."""

    def __init__(self, sign: str) -> None:
        super().__init__()
        self.sign = sign

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        match self.sign:
            case "+":
                return x + y
            case "+=":
                x = x.clone()
                x += y
                return x
            case "-":
                return x - y
            case "*":
                return x * y
            case "/":
                return x / y
            case "+1":
                return x + 1
            case "2*":
                return 2 * x
            case "@":
                return x @ y
        raise AssertionError(self.sign)


def _signs(signs: str, inputs: str, name: str) -> dict[str, Probe]:
    def make(_: Size, sign: str) -> nn.Module:
        return Operators(sign)

    return {f"x{sign}y_{name}": Probe(partial(make, sign=sign), inputs) for sign in signs.split()}


CALLED: Mapping[str, Callable[..., Any]] = {
    "torch.add": lambda x, y: torch.add(x, y),
    "torch.sub": lambda x, y: torch.sub(x, y),
    "torch.mul": lambda x, y: torch.mul(x, y),
    "torch.div": lambda x, y: torch.div(x, y),
    "x.add": lambda x, y: x.add(y),
    "x.sub": lambda x, y: x.sub(y),
    "x.mul": lambda x, y: x.mul(y),
    "x.div": lambda x, y: x.div(y),
}
PAIRS = {
    **_signs("@", "tall tall_t", "2d"),
    **_signs("@", "rows line", "3d"),
    **_signs("@", "heads heads_t", "4d"),
    **_signs("+ += - * / +1 2*", "map map", "same"),
    **_signs("+ += - * /", "map gates", "gates"),
    **_signs("+ *", "map channels", "channels"),
    **_signs("+ *", "gates one", "outer"),
    **{
        f"{name}_{kind}": called(function, inputs)
        for name, function in CALLED.items()
        for kind, inputs in (
            ("same", "map map"),
            ("gates", "map gates"),
            ("channels", "map channels"),
            ("outer", "gates one"),
        )
    },
    **calls(
        {
            "operator.add": operator.add,
            "operator.mul": operator.mul,
            "x.add_": lambda x, y: x.clone().add_(y),
            "x.mul_": lambda x, y: x.clone().mul_(y),
            "torch.cat": lambda x, y: torch.cat([x, y], 1),
            "torch.stack": lambda x, y: torch.stack([x, y]),
            "torch.maximum": lambda x, y: torch.maximum(x, y),
        },
        "map map",
    ),
    **calls(
        {
            "torch.add_number": lambda x: torch.add(x, 1),
            "torch.mul_number": lambda x: torch.mul(x, 2),
            "x.mul_number": lambda x: x.mul(2),
            "x**2": lambda x: x**2,
            "torch.sqrt": lambda x: torch.sqrt(x),
        }
    ),
}
