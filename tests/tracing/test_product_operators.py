"""Products called as operators: of vectors, matrices, groups of them, integers, packed weights."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from costlab import count
from tests.tracing.brute import conv, counted
from tests.tracing.models import Applies

A = torch.ops.aten


def half(*sizes: int) -> Tensor:
    return torch.rand(*sizes, dtype=torch.bfloat16)


def whole(*sizes: int) -> Tensor:
    return torch.ones(*sizes, dtype=torch.int8)


def eighth(*sizes: int) -> Tensor:
    return torch.ones(*sizes).to(torch.float8_e4m3fn)


ONE = torch.ones(())
PRODUCTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], int, int]] = {
    "mm": (A.mm, (torch.rand(3, 4), torch.rand(4, 5)), counted(3, 4, 5), 15),
    "mm by name": (lambda a, b: torch.mm(input=a, mat2=b), (torch.rand(3, 4), torch.rand(4, 5)), 60, 15),
    "bmm": (A.bmm.default, (torch.rand(2, 3, 4), torch.rand(2, 4, 5)), counted(2, 3, 4, 5), 30),
    "matmul": (A.matmul, (torch.rand(2, 3, 4), torch.rand(4, 5)), counted(2, 3, 4, 5), 30),
    "matmul of vectors": (A.matmul.default, (torch.rand(4), torch.rand(4)), 4, 1),
    "addmm": (A.addmm, (torch.rand(5), torch.rand(3, 4), torch.rand(4, 5)), counted(3, 4, 5), 15),
    "addmm_": (
        lambda x, a, b: x.clone().addmm_(a, b),
        (torch.rand(3, 5), torch.rand(3, 4), torch.rand(4, 5)),
        counted(3, 4, 5),
        15,
    ),
    "baddbmm": (
        A.baddbmm.default,
        (torch.rand(2, 3, 5), torch.rand(2, 3, 4), torch.rand(2, 4, 5)),
        counted(2, 3, 4, 5),
        30,
    ),
    "addbmm": (A.addbmm, (torch.rand(3, 5), torch.rand(2, 3, 4), torch.rand(2, 4, 5)), 120, 15),
    "mv": (A.mv, (torch.rand(3, 4), torch.rand(4)), counted(3, 4), 3),
    "addmv": (A.addmv, (torch.rand(3), torch.rand(3, 4), torch.rand(4)), counted(3, 4), 3),
    "dot": (A.dot, (torch.rand(4), torch.rand(4)), 4, 1),
    "vdot": (A.vdot, (torch.rand(4), torch.rand(4)), 4, 1),
    "dot of integers": (torch.dot, (torch.arange(4), torch.arange(4)), 4, 1),
    "vdot of complex numbers": (torch.vdot, (torch.rand(4) * 1j, torch.rand(4) * 1j), 4, 1),
    "inner": (A.inner, (torch.rand(3, 4), torch.rand(5, 4)), counted(3, 4, 5), 15),
    "tensordot": (torch.tensordot, (torch.rand(3, 4, 2), torch.rand(4, 2, 5)), counted(3, 4, 2, 5), 15),
    "einsum": (torch.einsum, ("ij,jk->ik", torch.rand(3, 4), torch.rand(4, 5)), counted(3, 4, 5), 15),
    "vecdot": (torch.linalg.vecdot, (torch.rand(3, 4), torch.rand(3, 4)), counted(3, 4), 3),
    "vecdot that is spread": (torch.linalg.vecdot, (torch.rand(3, 1, 4), torch.rand(5, 4)), 60, 15),
    "vecdot along an axis": (
        lambda x, y: torch.linalg.vecdot(x, y, dim=0),
        (torch.rand(4, 3), torch.rand(4, 3)),
        counted(4, 3),
        3,
    ),
    "vecdot as an operator": (A.linalg_vecdot, (torch.rand(3, 4), torch.rand(4)), counted(3, 4), 3),
    "multi_dot": (
        lambda *each: torch.linalg.multi_dot(each),
        (torch.rand(2, 9), torch.rand(9, 2), torch.rand(2, 9)),
        counted(2, 9, 2) + counted(2, 2, 9),
        18,
    ),
    "matrix_power": (lambda x: torch.linalg.matrix_power(x, 3), (torch.rand(3, 3),), 2 * 27, 18),
    "addr": (torch.addr, (torch.rand(3, 4), torch.rand(3), torch.rand(4)), counted(3, 4), 12),
    "addr_": (
        lambda x, a, b: x.clone().addr_(a, b),
        (torch.rand(3, 4), torch.rand(3), torch.rand(4)),
        12,
        12,
    ),
    "outer, which adds nothing": (torch.outer, (torch.rand(3), torch.rand(4)), 0, 0),
    "kron, which adds nothing": (torch.kron, (torch.rand(3, 2), torch.rand(4, 2)), 0, 0),
    "bilinear": (
        functional.bilinear,
        (torch.rand(2, 3), torch.rand(2, 4), torch.rand(5, 3, 4)),
        counted(2, 5, 3, 4) + counted(2, 5, 4),
        10,
    ),
    "_int_mm": (torch._int_mm, (whole(32, 16), whole(16, 8)), counted(32, 16, 8), 256),
    "_scaled_mm": (
        lambda a, b, s: torch._scaled_mm(a, b.t(), s, s, out_dtype=torch.bfloat16),
        (eighth(32, 16), eighth(48, 16), ONE),
        counted(32, 16, 48),
        32 * 48,
    ),
    "_addmm_activation": (
        A._addmm_activation,
        (torch.rand(5), torch.rand(3, 4), torch.rand(4, 5)),
        counted(3, 4, 5),
        15,
    ),
    "_weight_int8pack_mm": (
        A._weight_int8pack_mm,
        (half(3, 32), whole(16, 32), half(16)),
        counted(3, 32, 16),
        48,
    ),
    "_grouped_mm": (
        lambda a, b, ends: torch._grouped_mm(a, b, offs=ends),
        (half(8, 16), half(2, 16, 8), torch.tensor([4, 8], dtype=torch.int32)),
        counted(8, 16, 8),
        64,
    ),
    "_grouped_mm as an operator": (
        A._grouped_mm,
        (half(8, 16), half(2, 16, 8), torch.tensor([4, 8], dtype=torch.int32)),
        counted(8, 16, 8),
        64,
    ),
    "conv_tbc": (
        torch.conv_tbc,
        (torch.rand(9, 2, 3), torch.rand(3, 3, 4), torch.rand(4), 1),
        conv((2, 3, 9), 4, 3, padding=1),
        9 * 2 * 4,
    ),
    "conv2d as an operator": (
        lambda x, w: A.conv2d(x, w, None, [2, 2], [1, 1]),
        (torch.rand(2, 4, 9, 9), torch.rand(6, 4, 3, 3)),
        conv((2, 4, 9, 9), 6, 3, stride=2, padding=1),
        2 * 6 * 5 * 5,
    ),
    "convolution": (
        lambda x, w: A.convolution(x, w, None, [1], [0], [1], False, [0], 2),
        (torch.rand(2, 4, 9), torch.rand(6, 2, 3)),
        conv((2, 4, 9), 6, 3, groups=2),
        2 * 6 * 7,
    ),
    "attention as an operator": (
        A.scaled_dot_product_attention,
        (torch.rand(1, 2, 5, 4), torch.rand(1, 2, 7, 4), torch.rand(1, 2, 7, 3)),
        2 * counted(5, 7, 4) + 2 * counted(5, 7, 3),
        0,
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name: str) -> None:
    function, inputs, multiply_adds, activations = PRODUCTS[name]
    if isinstance(inputs[0], str):
        text, *inputs_left = inputs
        model, given = Applies(lambda *each: function(text, *each)), tuple(inputs_left)
    else:
        numbers = [each for each in inputs if not isinstance(each, Tensor)]
        given = tuple(each for each in inputs if isinstance(each, Tensor))
        model = Applies(lambda *each: function(*each, *numbers))
    within = count(model, given)
    assert (within.multiply_adds, within.activations) == (multiply_adds, activations)
    assert within.unsupported == {}
