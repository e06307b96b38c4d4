"""A plan of factorization as an arm: counted as planned at the images of a run, made anew for each trial."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab.advise.factorize.factorize import factorize
from costlab.algebra import Conv2d, Flatten, Linear, seq
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.train import Experiment, arm
from costlab.train.arms import count_arm, sized_arms
from costlab.train.trial import Task, Trial, make_network
from tests.train.tasks import CLASSES, CPU, SIDE, splits, task


class Net(nn.Module):
    def __init__(self, width: int = 8, num_classes: int = 10) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 5, stride=2)
        self.norm = nn.BatchNorm2d(width)
        self.head = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.norm(self.conv(x)).relu().mean((2, 3)))
        return y


TARGETS: dict[str, Any] = {"definition": "mini:width=0.25", "class": Net}


def planned(target: str, **settings: Any) -> Any:
    return factorize(TARGETS[target], (3, 32, 32), **settings)


@pytest.mark.parametrize("target", TARGETS)
def test_the_images_say_how_many_classes_there_are_and_how_large_the_network_is(target: str) -> None:
    made = planned(target)
    experiment = Experiment("a", "b", {"original": arm(TARGETS[target], 40), "rewritten": arm(made, 40)})
    arms = sized_arms(experiment, 4, 96)
    before, after = (count_arm(label, each, 4) for label, each in arms.items())
    assert before.parameters == count(TARGETS[target], (3, 40, 40), num_classes=4).parameters
    whole = count(made, (3, 40, 40), num_classes=4)
    assert (after.multiply_adds, after.parameters) == (whole.multiply_adds, whole.parameters)
    saved = sum(each.saving.before.parameters - each.saving.after.parameters for each in made.replacements)
    assert before.parameters - after.parameters == saved > 0
    assert after.multiply_adds < before.multiply_adds
    assert after.step_multiply_adds < before.step_multiply_adds


def test_the_record_names_the_scheme_the_network_and_its_settings(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(
        "from costlab import *\n\n\n@block(input='3x32x32')\ndef net(num_classes: Dim = 10) -> Block:\n"
        "    return seq(Conv2d(8, 3), AdaptiveAvgPool2d(1), Flatten(), Linear(num_classes))\n"
    )
    arms = {"a": arm(planned("definition")), "b": arm(factorize(f"{tmp_path}/nets.py:net"))}
    with_classes = sized_arms(Experiment("a", "b", arms), 4, 96)
    assert [count_arm(label, each, 4).network for label, each in with_classes.items()] == [
        "1xn+nx1 of mini:width=0.25,num_classes=4",
        "1xn+nx1 of nets.py:net:num_classes=4",
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_each_trial_begins_with_weights_of_its_own_seed(target: str) -> None:
    network = arm(planned(target, num_classes=CLASSES)).network
    made = [make_network(Task(network, 32, task().recipe, seed, True, "x")) for seed in (0, 0, 1)]
    first, again, other = (torch.cat([each.flatten() for each in one.parameters()]) for one in made)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(first) == count(network, (3, 32, 32)).parameters


def test_a_trial_of_a_plan_learns(tmp_path: Path) -> None:
    network = arm(planned("class", num_classes=CLASSES)).network
    trial = Trial(Task(network, SIDE, task(epochs=4).recipe, 0, True, "x"), splits(), tmp_path, CPU, every=60)
    losses = [epoch.loss for epoch in trial.run()]
    assert losses[-1] < losses[0]


def test_what_is_made_already_is_no_arm() -> None:
    with pytest.raises(DefinitionError, match="1xn\\+nx1 of Net is one module, and each trial begins with"):
        arm(factorize(Net(), (3, 32, 32)))


def test_a_block_is_an_arm_of_as_many_classes_as_it_has() -> None:
    whole = factorize(seq(Conv2d(8, 3), Flatten(), Linear(10)), (3, 32, 32))
    made = arm(whole, side=32)
    assert count_arm("a", made.sized(96), 10).parameters == whole.saving.after.parameters
    with pytest.raises(DefinitionError, match="puts out 10, and there are 4 classes"):
        count_arm("a", made.sized(96), 4)


def test_settings_that_change_a_convolution_are_refused_as_the_plan_is_of_others() -> None:
    made = arm(factorize("mini"), width=0.5)
    with pytest.raises(DefinitionError, match=r"a: .*not the convolution that the plan is of"):
        count_arm("a", made.sized(96), 10)
