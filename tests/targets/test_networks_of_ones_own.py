"""A class of modules, or what makes one, stands where a target is asked for in Python too."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import costlab
from costlab import Ablation, compare, count, variant
from costlab.errors import DefinitionError, TargetError
from costlab.train import Experiment, arm
from costlab.train.arms import count_arm
from costlab.train.experiment import of_ablation
from costlab.train.prepare import RunRequest, make_plan

IMAGE = (3, 24, 24)


class Small(nn.Module):
    """A small network."""

    def __init__(self, width: int = 8, num_classes: int = 10) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.fc = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc(self.conv(x).mean((2, 3)))
        return y


class Failing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        raise RuntimeError("no network today")


def make(width: int = 4) -> nn.Module:
    return Small(width)


ONE = Small()


def by_hand(width: int) -> int:
    return 9 * 3 * width * 22 * 22 + width * 10


@pytest.mark.parametrize(
    ("target", "settings", "width"),
    [
        (Small, {}, 8),
        (Small, {"width": 16}, 16),
        (make, {}, 4),
        (make, {"width": 5}, 5),
        (partial(Small, width=3), {}, 3),
        (lambda: Small(2), {}, 2),
    ],
)
def test_it_counts_and_is_built_anew(target: Any, settings: dict[str, Any], width: int) -> None:
    assert count(target, IMAGE, **settings).multiply_adds == by_hand(width)
    assert variant(target, input=IMAGE, **settings).resolve().walk().output == (1, 10)
    first, second = (costlab.build(target, IMAGE, **settings) for _ in range(2))
    assert isinstance(first, Small)
    assert isinstance(second, Small)
    assert not torch.equal(first.fc.weight, second.fc.weight)
    assert first.conv.out_channels == width


def test_a_comparison_of_classes() -> None:
    chosen = Ablation("own", "Own", {"a": variant(Small, input=IMAGE), "b": variant(make, input=IMAGE)})
    for made in (compare(ablation=chosen), compare(Small, make, input=IMAGE)):
        assert [counted.multiply_adds for counted in made.counts] == [by_hand(8), by_hand(4)]


def test_what_is_wrong_with_a_class_is_told() -> None:
    with pytest.raises(TargetError, match=r"Failing: RuntimeError: no network today \(test_networks"):
        count(Failing, IMAGE)
    with pytest.raises(DefinitionError, match="Small has no parameter 'widht'; did you mean width"):
        variant(Small, widht=3).resolve(IMAGE)
    with pytest.raises(DefinitionError, match="Small is a module, built already"):
        costlab.build(ONE, IMAGE)


def test_an_experiment_of_classes_is_counted_as_it_will_train() -> None:
    record = count_arm("a", arm(Small, 24, width=16).sized(96), 10)
    assert record.multiply_adds == by_hand(16)
    assert record.parameters == sum(each.numel() for each in Small(16).parameters())
    assert record.step_multiply_adds == 2 * 9 * 3 * 16 * 22 * 22 + 3 * 160  # no gradient of the image
    with pytest.raises(DefinitionError, match="a: the network puts out 1x10, and there are 5 classes"):
        count_arm("a", arm(make, 24).sized(96), 5)


def test_weights_that_networks_share_are_no_arms_but_what_has_none_is_shared() -> None:
    backbone, flat = nn.Conv2d(3, 4, 3), nn.Flatten()

    def on_a_backbone() -> nn.Module:
        return nn.Sequential(backbone, nn.AdaptiveAvgPool2d(1), flat, nn.Linear(4, 10))

    def anew() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), flat, nn.Linear(4, 10))

    with pytest.raises(DefinitionError, match="again, or one with the same weights: make it, with all"):
        count_arm("a", arm(on_a_backbone, 24).sized(96), 10)
    assert count_arm("a", arm(anew, 24).sized(96), 10).multiply_adds == 22 * 22 * 4 * 27 + 40


def test_one_module_is_no_arm_for_each_trial_begins_anew() -> None:
    wanted = "is one module, and each trial begins with weights of its own: give its class"
    with pytest.raises(DefinitionError, match=f"arm: Small {wanted}"):
        arm(ONE)
    both = {"a": variant(Small, input=IMAGE), "b": variant(ONE, input=IMAGE)}
    with pytest.raises(DefinitionError, match=f"own: 'b': Small {wanted}"):
        of_ablation(Ablation("own", "Own", both))
    with pytest.raises(DefinitionError, match="again returned the same module again"):
        count_arm("a", arm(again, 24).sized(96), 10)


def again() -> nn.Module:
    return ONE


FILE = """
from tests.targets.test_networks_of_ones_own import Small
from costlab.train import Experiment, arm

mine = Experiment("mine", "Mine", {"narrow": arm(Small, 24), "wide": arm(Small, 24, width=16)})
"""


def test_classes_take_the_number_of_classes(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FILE)
    request = RunRequest(f"{tmp_path / 'mine.py'}:mine", "smoke", "digits", 1, ("batch_size=16",), images=60)
    plan, _ = make_plan(request, lambda _: None)
    assert [each.network for each in plan.arms] == ["Small", "Small:width=16"]
    assert Experiment("x", "X", {"a": arm(Small), "b": arm(make)}).baseline == "a"


def test_what_stands_for_a_description_and_is_no_text() -> None:
    described = type("Described", (Small,), {"__doc__": 7})
    assert count(described, (3, 16, 16)).multiply_adds == count(Small, (3, 16, 16)).multiply_adds


def test_a_network_of_no_parameters_is_no_arm() -> None:
    with pytest.raises(DefinitionError, match="flat: the network has no parameters"):
        count_arm("flat", arm(nn.Flatten, side=8).sized(96), 192)
