"""A normalization that has one value for its statistics says what it needs, and that helps."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import count
from costlab.errors import TargetError
from tests.cli.conftest import Run, run

__all__ = ["run"]


class Functional(nn.Module):
    """Normalizes by a function of torch, in training."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.batch_norm(x, None, None, training=True)


def told(model: nn.Module, x: Any, **settings: Any) -> str:
    with pytest.raises(TargetError) as raised:
        count(nn.Sequential(nn.Sequential(model)), x, **settings)
    return str(raised.value)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("settings", [{}, {"affine": False}, {"momentum": None}, {"eps": 1e-3}])
def test_batch_normalization_in_training_needs_a_larger_batch(rank: int, settings: dict[str, Any]) -> None:
    kind: Any = [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d][rank - 1]
    model, ones = kind(4, **settings), (1,) * rank
    sizes = "x".join(map(str, (1, 4, *ones)))
    reason = (
        f"0.0: batch_norm of {sizes} has one value to normalize, and needs more: give sizes with a batch of 2"
    )
    assert told(model, torch.rand(1, 4, *ones), backward=True) == reason
    assert count(model, torch.rand(2, 4, *ones), backward=True).multiply_adds == 0
    assert count(model, torch.rand(1, 4, *ones)).multiply_adds == 0  # it has statistics to use
    assert count(model.eval(), torch.rand(1, 4, *ones), backward=True).multiply_adds == 0


def test_the_batch_is_given_as_the_input_was() -> None:
    by_option = (
        "0.0: batch_norm of 1x4x1x1 has one value to normalize, and needs more: give -b 2 (batch=2 in Python)"
    )
    for model, more in [(nn.BatchNorm2d(4), {"backward": True}), (Functional(), {})]:
        assert told(model, (4, 1, 1), **more) == by_option
        count(nn.Sequential(nn.Sequential(model)), (4, 1, 1), batch=2, **more)
    own = nn.BatchNorm2d(4, track_running_stats=False)
    assert told(own, (4, 1, 1)) == by_option
    assert count(own, (4, 1, 1), batch=2).multiply_adds == 0


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_instance_normalization_needs_a_larger_input(rank: int) -> None:
    kind: Any = [nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d][rank - 1]
    for batch in (1, 2):
        x = torch.rand(batch, 4, *(1,) * rank)
        text = told(kind(4), x)
        assert text.endswith(" has one value to normalize, and needs more: give a larger input")
        assert text.startswith("0.0: instance_norm of ")
    assert count(kind(4), torch.rand(1, 4, *(2,) * rank)).multiply_adds == 0


def test_group_normalization_takes_either() -> None:
    model = nn.GroupNorm(4, 4)
    text = told(model, torch.rand(1, 4, 1, 1))
    either = "give a larger input, or sizes with a batch of 2"
    assert text == f"0.0: group_norm of 1x4x1x1 has one value to normalize, and needs more: {either}"
    assert told(model, (4, 1, 1)).endswith("give a larger input, or -b 2 (batch=2 in Python)")
    for x in (torch.rand(2, 4, 1, 1), torch.rand(1, 4, 2, 1)):
        assert model(x).shape == x.shape
        assert count(model, x).multiply_adds == 0


def test_a_model_that_says_the_same_itself_is_told_as_it_is() -> None:
    class Says(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("Expected more than 1 value per channel when training")

    assert (
        told(Says(), torch.rand(2, 4))
        == "0.0: ValueError: Expected more than 1 value per channel when training"
    )


def test_the_remedy_on_the_command_line(run: Run) -> None:
    code, out, err = run("count", "mini:aux=bn", "--backward")
    assert (code, out) == (2, "")
    reason = (
        "batch_norm of 1x128x1x1 has one value to normalize, and needs more: give -b 2 (batch=2 in Python)"
    )
    assert err == f"costlab: error: aux.conv_3x3.bn: {reason}\n"
    assert run("count", "mini:aux=bn", "--backward", "-b", "2").code == 0
