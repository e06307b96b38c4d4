"""Operations that nobody knows the cost of, and those that everybody does."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import count
from tests.tracing.test_own_rules import Only, unsupported


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (torch.fft.fft, "_fft_r2c"),
        (torch.linalg.inv, "linalg_inv_ex"),
        (torch.cdist, "_cdist_forward"),
        (torch.linalg.qr, "linalg_qr"),
    ],
)
def test_operations_that_nobody_knows(function: Any, kind: str) -> None:
    within = count(nn.Sequential(nn.Linear(4, 4), Only(function)), torch.rand(4, 4))
    assert within.unsupported == within.without_rule == {kind: (f"1.{kind}",)}
    assert within.unknown == within.unsupported  # as it was called
    assert not within.undecided
    assert unsupported(within) == [f"1.{kind}"]
    assert unsupported(count(Only(function), torch.rand(4, 4))) == [""]


def test_common_operations_are_known() -> None:
    class Model(nn.Module):
        def forward(self, x: Tensor) -> Any:
            index = x.long().clamp(0, 3)
            return [
                *(
                    x.topk(2),
                    x.sort(),
                    x.cumsum(0),
                    x.std(),
                    x.norm(),
                    x.logsumexp(0),
                    x.median(),
                    x.argmax(),
                ),
                *(
                    x.gather(0, index),
                    x.scatter(0, index, x),
                    x.scatter_add(0, index, x),
                    x.roll(1),
                    x.flip(0),
                ),
                *(
                    x.masked_fill(x > 0, 0.0),
                    x.where(x > 0, x),
                    x.tril(),
                    x.repeat(2, 2),
                    x.expand(4, 4),
                    x // 2,
                ),
                *(
                    x.clone().squeeze_(),
                    x.clone().transpose_(0, 1),
                    x.unfold(0, 2, 1),
                    x.erf(),
                    x.clamp(0),
                    x**2,
                ),
                *(nn.functional.one_hot(index, 4), nn.functional.normalize(x), torch.polar(x, x), x.diff()),
                nn.functional.cross_entropy(x, index[:, 0]),
                nn.functional.binary_cross_entropy_with_logits(x, x),
                nn.functional.mse_loss(x, x),
                nn.functional.grid_sample(x[None, None], torch.zeros(1, 2, 2, 2), align_corners=False),
                nn.functional.fold(nn.functional.unfold(x[None, None], 2), (4, 4), 2),
                *torch.meshgrid(x[0], x[0], indexing="ij"),
            ]

    counted = count(Model(), torch.rand(4, 4))
    assert (counted.unsupported, counted.multiply_adds) == ({}, 0)


def in_place() -> list[str]:
    """The methods that do in place what an operator that torch marks as pointwise does."""
    marked = {
        name for name in dir(torch.ops.aten) for op in overloads(name) if torch.Tag.pointwise in op.tags
    }
    written = (name for name in dir(Tensor) if name.endswith("_") and not name.endswith("__"))
    return [name for name in written if name.removesuffix("_") in marked]


def overloads(name: str) -> list[Any]:
    operator = getattr(torch.ops.aten, name)
    return (
        [getattr(operator, each) for each in operator.overloads()] if hasattr(operator, "overloads") else []
    )


@pytest.mark.parametrize("name", in_place())
def test_what_is_done_in_place_is_known_as_what_is_not(name: str) -> None:
    """Torch leaves the mark away from some of them."""
    floats, whole = torch.rand(3, 4) + 1, torch.ones(3, 4, dtype=torch.long)
    asked = [(), (0.5,), (0.5, 2.0), (1,), (floats,), (floats, 0.5), (floats, floats), (floats > 1, 0.5)]
    function = getattr(Tensor, name)
    others = [(whole, (1,)), (whole, (whole,)), (whole, ()), (floats.double(), (0.5,))]
    for x, given in [*((floats, each) for each in asked), *others]:
        try:
            function(x.clone(), *given)
        except (RuntimeError, TypeError):
            continue
        assert count(Only(lambda y, given=given: function(y.clone(), *given)), x).unsupported == {}
        return
    pytest.fail("it was never called")


def test_what_finds_and_draws_is_known() -> None:
    class Model(nn.Module):
        def forward(self, x: Tensor, mask: Tensor) -> Any:
            drawn = torch.ones(4).multinomial(2)
            return [
                *(mask.nonzero(), torch.where(mask), torch.unique(mask), torch.isin(mask.nonzero(), drawn)),
                *(mask.long().bincount(), torch.hann_window(4), torch.normal(x, 1.0), torch.poisson(x)),
                *(torch.view_copy(x, (16,)), torch.unique_consecutive(mask), torch.nanmedian(x)),
            ]

    assert not count(Model(), (torch.rand(4, 4), torch.ones(4, dtype=torch.bool))).unsupported
