"""Training on a GPU: its images, its steps, what is restored, measured, said of it and of its errors."""

import math
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from costlab.targets.build import build
from costlab.train import checkpoint
from costlab.train.batches import Batch, Batches, epoch_order
from costlab.train.data import Split
from costlab.train.environment import describe_environment, find_device, has_bfloat16
from costlab.train.learner import Learner
from costlab.train.measure import Stepper, peak_memory
from costlab.train.recipe import Recipe
from costlab.train.trial import Trial, batches_of
from costlab.train.worker import Worker
from tests.train.tasks import splits, task

ROOT = Path(__file__).parents[2]


def moved(image: Tensor, down: int, right: int, mirrored: bool) -> Tensor:
    """An image with its edge repeated, cut out by the words, then normalized."""
    shift, side = 2, image.shape[-1]
    padded = nn.functional.pad(image.double()[None], (shift,) * 4, mode="replicate")[0]
    columns = torch.arange(side) + right
    at = (side - 1 - columns if mirrored else columns) + shift
    cut = padded[:, down + shift : down + shift + side][:, :, at]
    return (cut - 100) / 50


def test_images_are_moved_on_the_device_as_they_are_by_hand(device: torch.device) -> None:
    random = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (12, 3, 8, 8), generator=random, dtype=torch.uint8)
    batches = Batches(
        Split(images, torch.arange(12)), device, torch.full((3,), 100.0), torch.full((3,), 50.0)
    )
    planned = epoch_order(12, 0, 0, 2, mirrored=True)
    seen = 0
    for batch in batches.epoch(planned, 4):
        assert batch.images.device.type == device.type
        for image, label in zip(batch.images.cpu(), batch.labels.tolist(), strict=True):
            at = planned.image.tolist().index(label)
            down, right = int(planned.down[at]), int(planned.right[at])
            expected = moved(images[label], down, right, bool(planned.mirrored[at]))
            assert torch.allclose(image.double(), expected, atol=1e-5)
            seen += 1
    assert seen == 12


def step_and_formula(device: torch.device, compiled: bool) -> tuple[float, float, float, float]:
    """The loss of a step and how far a bias of the last layer goes: on the device, and in float64 by hand."""
    torch.manual_seed(4)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4))
    exact = deepcopy(network).double()
    images, labels = torch.randn(6, 3, 8, 8), torch.tensor([0, 1, 2, 3, 0, 1])
    scores = exact(images.double())
    target = 0.9 * nn.functional.one_hot(labels, 4) + 0.1 / 4
    loss = -(target * scores.log_softmax(1)).sum(1).mean()
    bias = cast("Tensor", exact[3].bias)
    slope = float(torch.autograd.grad(loss, bias)[0][0]) + 4e-5 * float(bias[0].detach())
    recipe = Recipe(warm_up=0.0, clip=0.0, learning_rate=0.1)
    learner = Learner(network, recipe, 5, device, compiled=compiled)
    before = float(cast("Tensor", network[3].bias).detach()[0])
    sums = learner.step(Batch(images.to(device), labels.to(device)))
    went = float(cast("Tensor", network[3].bias).detach()[0]) - before
    return float(sums.loss) / 6, float(loss.detach()), went, -0.1 * slope / (math.sqrt(0.1) * abs(slope) + 1)


def test_a_step_is_what_the_formulas_say(device: torch.device) -> None:
    loss, exact, went, expected = step_and_formula(device, compiled=False)
    near = 3e-2 if has_bfloat16(device) else 1e-4
    assert loss == pytest.approx(exact, rel=near)
    assert went == pytest.approx(expected, rel=2 * near, abs=1e-6)


@pytest.mark.cuda
def test_a_compiled_step_is_what_the_formulas_say() -> None:
    loss, exact, went, expected = step_and_formula(torch.device("cuda"), compiled=True)
    assert loss == pytest.approx(exact, rel=3e-2)
    assert went == pytest.approx(expected, rel=6e-2)


def test_random_numbers_go_on_where_they_were(device: torch.device) -> None:
    images = torch.ones(1000, device=device)
    torch.rand(3, device=device)
    state = checkpoint.random_state(device)
    first = nn.functional.dropout(images, 0.5)
    second = nn.functional.dropout(images, 0.5)
    checkpoint.set_random_state(state, device)
    assert torch.equal(nn.functional.dropout(images, 0.5), first)
    assert not torch.equal(first, second)


class LeftError(Exception):
    """Stands for the end of a process."""


def test_a_trial_that_is_left_goes_on_and_ends_near_one_that_was_not(
    device: torch.device, tmp_path: Path
) -> None:
    def made(name: str) -> Trial:
        return Trial(task(), splits(), tmp_path / name, device, every=0.0)

    whole = made("whole").run()
    left, taken = made("left"), 0
    step = left.learner.step

    def some(batch: Batch) -> Any:
        nonlocal taken
        if taken == 7:
            raise LeftError
        taken += 1
        return step(batch)

    left.learner.step = some  # type: ignore[method-assign]  # of this trial alone
    with pytest.raises(LeftError):
        left.run()
    resumed = made("left")
    assert (len(resumed.epochs), resumed.step) == (1, 2)
    assert all(each.device.type == device.type for each in resumed.learner.network.parameters())
    epochs = resumed.run()
    losses, expected = ([each.loss for each in made] for made in (epochs, whole))
    if device.type == "cpu":
        assert losses == expected
    else:  # how near it is bit for bit, benchmarks/resume.py says
        assert losses == pytest.approx(expected, rel=0.05)


@pytest.mark.cuda
def test_memory_is_at_least_what_a_step_holds() -> None:
    device, given = torch.device("cuda"), task()
    made = build(given.network, (3, given.side, given.side))
    parameters = sum(each.numel() for each in made.parameters())
    train, _ = batches_of(splits(), device)
    peak = peak_memory(lambda: Stepper(given, train, device), device)
    assert peak is not None
    held = 5 * 4 * parameters  # with gradient, two averages of the optimizer, and the one that is evaluated
    assert held <= peak < 2**30


def test_the_device_is_described(device: torch.device) -> None:
    here = describe_environment(find_device(str(device)), 1, compiled=False)
    assert here.torch == torch.__version__
    if device.type == "cpu":
        assert (here.driver, here.precision) == ("", "float32")
        return
    assert here.device == torch.cuda.get_device_name()
    assert re.fullmatch(r"\d+\.[\d.]+, CUDA \d+\.\d+", here.driver), here.driver
    native = torch.cuda.get_device_capability() >= (8, 0)
    assert here.precision == ("bfloat16" if native else "float32")


def test_too_little_memory_is_told(device: torch.device, tmp_path: Path) -> None:
    worker = cast("Worker", SimpleNamespace(device=device, is_broken=False))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50, dtype=torch.uint8, device=device)
    assert Worker._describe(worker, caught.value, tmp_path).startswith("out of memory: ")
    assert not worker.is_broken


@pytest.mark.cuda
def test_a_run_under_torchrun_is_recorded(tmp_path: Path) -> None:
    launch = "torch.distributed.run --standalone --nproc-per-node 1 -m costlab train large_5x5 --device cuda"
    small = "--width 0.25 --images 64 --set batch_size=16 --set epochs=1 --seeds 1"
    command = [sys.executable, "-m", *launch.split(), *small.split(), "-o", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "large_5x5.md").is_file()
