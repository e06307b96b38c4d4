"""Weights of the parts, against the kernel that an impulse shows, and singular values of NumPy's."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from costlab.advise.factorize.factorize import factorize
from costlab.advise.factorize.scheme import SCHEMES
from costlab.errors import DefinitionError

WITH_A_RANK = [name for name, each in SCHEMES.items() if each.has_rank]


def kernel_of(layers: nn.Module, channels: int, height: int, width: int) -> Tensor:
    """The weights of the one convolution that layers without padding, stride and bias are."""
    impulses = torch.zeros(channels, channels, 2 * height - 1, 2 * width - 1, dtype=torch.float64)
    impulses[range(channels), range(channels), height - 1, width - 1] = 1
    with torch.no_grad():
        seen: Tensor = layers.double()(impulses)
    return seen.flip(2, 3).transpose(0, 1)


def matrix_of(weight: Tensor, by: str) -> Any:
    filters, channels, height, width = weight.shape
    if by == "kxk+1x1":
        return weight.reshape(filters, -1).numpy()
    rows = [
        [weight[f, c, y, x] for f in range(filters) for y in range(height)]
        for c in range(channels)
        for x in range(width)
    ]
    return np.array(rows)


def error(kernel: Tensor, weight: Tensor) -> float:
    return float((kernel - weight).norm() / weight.norm())


def conv(weight: Tensor) -> nn.Conv2d:
    filters, channels, height, width = weight.shape
    made = nn.Conv2d(channels, filters, (height, width), bias=False).double()
    made.weight = nn.Parameter(weight)
    return made


def x_of(weight: Tensor) -> Tensor:
    return torch.zeros(1, weight.shape[1], 7, 7, dtype=torch.float64)


@st.composite
def kernels(draw: st.DrawFn) -> Tensor:
    sizes = [
        draw(st.integers(1, 6)),
        draw(st.integers(1, 6)),
        draw(st.integers(2, 5)),
        draw(st.integers(2, 5)),
    ]
    return torch.randn(sizes, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(sizes)))


@pytest.mark.parametrize("by", WITH_A_RANK)
@given(data=st.data(), weight=kernels())
@settings(max_examples=8, deadline=None)
def test_the_error_is_that_of_the_kernel(by: str, data: st.DataObject, weight: Tensor) -> None:
    whole = factorize(conv(weight), x_of(weight), by=by, full=True)
    full = whole.replacements[0].rank
    rank = data.draw(st.integers(1, max(full)))
    plan = factorize(conv(weight), x_of(weight), by=by, rank=rank)
    kernel = kernel_of(plan.apply(), *weight.shape[1:])
    said = plan.errors()[""]
    assert said == pytest.approx(error(kernel, weight), abs=1e-13)
    if by != "tucker":
        sizes = np.linalg.svd(matrix_of(weight, by), compute_uv=False)
        assert said == pytest.approx(np.sqrt((sizes[rank:] ** 2).sum() / (sizes**2).sum()), abs=1e-13)
    assert kernel_of(whole.apply(), *weight.shape[1:]).allclose(weight, rtol=0, atol=1e-12)
    assert whole.errors()[""] < 1e-13


@pytest.mark.parametrize("by", ["1xn+nx1", "kxk+1x1"])
def test_no_weights_nearby_are_nearer(by: str) -> None:
    torch.manual_seed(1)
    weight = torch.randn(6, 5, 3, 3, dtype=torch.float64)
    plan = factorize(conv(weight), x_of(weight), by=by, rank=3)
    made = plan.apply()
    best, weights = plan.errors()[""], [each.detach().clone() for each in made.parameters()]
    for size in (1e-2, 1e-2, 1e-4, 1e-4):
        with torch.no_grad():
            for mine, parameter in zip(weights, made.parameters(), strict=True):
                parameter.copy_(mine + size * torch.randn_like(mine))
        assert error(kernel_of(made, 5, 3, 3), weight) > best


def test_tucker_is_between_a_bound_and_the_higher_order_decomposition() -> None:
    torch.manual_seed(2)
    weight = torch.randn(8, 6, 3, 3, dtype=torch.float64)
    left = [np.linalg.svd(weight.transpose(0, axis).flatten(1).numpy())[0][:, :3] for axis in (0, 1)]
    kept = np.einsum("fchw,fg,kg,cd,ld->klhw", weight, left[0], left[0], left[1], left[1])
    tails = [
        np.linalg.svd(weight.transpose(0, axis).flatten(1).numpy(), compute_uv=False)[3:] for axis in (0, 1)
    ]
    said = factorize(conv(weight), x_of(weight), by="tucker", rank=3).errors()[""]
    assert said < error(torch.from_numpy(kept), weight)
    assert said * float(weight.norm()) > max(float(np.linalg.norm(tail)) for tail in tails)


@pytest.mark.parametrize("by", WITH_A_RANK)
def test_a_kernel_of_one_direction_is_exact_at_rank_1(by: str) -> None:
    sobel = torch.tensor([1.0, 2, 1])[:, None] * torch.tensor([-1.0, 0, 1])
    weight = sobel[None, None].double()
    if by == "tucker":  # one channel and one filter: all of it
        assert factorize(conv(weight), x_of(weight), by=by, full=True).replacements[0].rank == (1, 1)
    plan = factorize(conv(weight), x_of(weight), by=by, rank=1)
    assert plan.errors()[""] < 1e-15
    assert kernel_of(plan.apply(), 1, 3, 3).allclose(weight, rtol=0, atol=1e-14)


AT_HALF_THE_COST = {"1xn+nx1": ((48,), 0.614), "kxk+1x1": ((28,), 0.651), "tucker": ((38, 38), 0.658)}


@pytest.mark.parametrize("by", AT_HALF_THE_COST)
def test_random_weights_at_half_the_cost(by: str) -> None:
    torch.manual_seed(0)
    rank, expected = AT_HALF_THE_COST[by]
    plan = factorize(nn.Conv2d(64, 64, 3, padding=1), (64, 32, 32), by=by)
    assert plan.replacements[0].rank == rank
    assert plan.errors()[""] == pytest.approx(expected, abs=5e-4)


def test_weights_that_cannot_be_approximated() -> None:
    nothing = factorize(conv(torch.zeros(4, 3, 3, 3).double()), x_of(torch.zeros(4, 3)), rank=1)
    assert nothing.errors()[""] == 0
    model = nn.Conv2d(3, 8, 3)
    plan = factorize(model, (3, 8, 8), rank=1)
    with torch.no_grad():
        model.weight[0, 0, 0, 0] = torch.nan
    with pytest.raises(DefinitionError, match="the root: its weights are not all finite"):
        plan.errors()[""]
    with pytest.raises(DefinitionError, match="the root: its weights are not all finite"):
        plan.apply()
    with torch.device("meta"):
        empty = factorize(nn.Conv2d(3, 8, 3), (3, 8, 8), rank=1)
    assert list(empty.errors()) == [""]
    with pytest.raises(DefinitionError, match="the root: its weights have no values"):
        empty.errors()[""]
    with pytest.raises(DefinitionError, match="a definition has no weights of its own"):
        factorize("alexnet").errors()
    assert not factorize(model, (3, 8, 8), by="separable").errors()
