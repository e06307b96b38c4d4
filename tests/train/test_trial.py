"""A trial ends with the same weights however often it is left and taken up again; what is wrong is named."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from costlab import files
from costlab.targets.resolve import variant
from costlab.train import checkpoint, datasets
from costlab.train.batches import Batch
from costlab.train.learner import Learner, Sums
from costlab.train.recipe import Recipe
from costlab.train.record import Epoch
from costlab.train.trial import EPOCHS, NotFiniteError, Task, Trial, TrialProgress, make_network
from tests.sampling import one_in
from tests.train.tasks import CLASSES, CPU, SIDE, splits, task, trial

STEPS = 15
"""Five in each of three epochs."""


class Killed(BaseException):
    """Stands for the end of a process."""


def weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint, by place."""
    state = torch.load(folder / checkpoint.FILE, weights_only=True)
    found: dict[str, Tensor] = {}

    def walk(path: str, value: object) -> None:
        if isinstance(value, Tensor):
            found[path] = value
        elif isinstance(value, dict | list):
            for key, each in value.items() if isinstance(value, dict) else enumerate(value):
                walk(f"{path}.{key}", each)

    walk("", {name: state[name] for name in ("learner", "random")})
    return found


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def without_times(epochs: tuple[Epoch, ...]) -> list[dict[str, float]]:
    """What is no time."""
    timed = ("seconds", "images_per_second")
    return [{k: v for k, v in asdict(epoch).items() if k not in timed} for epoch in epochs]


@pytest.fixture(scope="module")
def uninterrupted(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[dict[str, float]], dict[str, Tensor]]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole")
    epochs = trial(folder).run()
    found = weights(folder)
    assert len(found) > 100
    assert any(name.startswith(".learner.averaged") for name in found)
    return without_times(epochs), found


EVENTS = 3
"""Of each step: it is taken, and both files are written."""
POINTS = sorted(random.Random(20).sample(range(EVENTS * STEPS), 20))
"""Twenty moments at which a process may die: after a step, and after either file is written."""


@pytest.mark.parametrize("points", one_in(2, [POINTS[first::4] for first in range(4)]), ids=str)
def test_a_trial_that_is_killed_anywhere_ends_with_the_same_weights(
    points: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: tuple[object, object]
) -> None:
    passed = 0

    def after(call: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **kwargs: object) -> object:
            nonlocal passed
            made = call(*args, **kwargs)
            passed += 1
            if passed > point:
                raise Killed
            return made

        return counted

    with monkeypatch.context() as patched:
        patched.setattr(Learner, "step", after(Learner.step))
        patched.setattr("costlab.train.trial.write", after(lambda *_, **__: None))
        patched.setattr("costlab.train.checkpoint.write", after(files.write))
        for point in points:
            torch.manual_seed(99)  # the state of another process
            resumed = trial(tmp_path)
            passed = EVENTS * (STEPS // 3 * len(resumed.epochs) + resumed.step)
            assert passed <= point + EVENTS
            with pytest.raises(Killed):
                resumed.run()
    torch.manual_seed(99)
    epochs = trial(tmp_path).run()
    expected, found = uninterrupted
    assert without_times(epochs) == expected
    assert same(weights(tmp_path), found)  # type: ignore[arg-type]  # of the fixture
    assert [json.loads(line) for line in (tmp_path / EPOCHS).read_text().splitlines()] == list(
        map(asdict, epochs)
    )


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from tests.train.forked import ended, fork
from tests.train.tasks import trial

def work():
    torch.set_num_threads(1)
    made = trial(Path(sys.argv[1]))
    step = made.learner.step
    def slow(batch):
        os.write(theirs, b".")
        time.sleep(0.05)
        return step(batch)
    made.learner.step = slow
    made.run()

chance = random.Random(7)
for _ in range(6):
    mine, theirs = os.pipe()
    pid = fork(work)
    os.close(theirs)
    if os.read(mine, 1):
        time.sleep(chance.uniform(0.05, 0.4))
        os.kill(pid, signal.SIGKILL)
    print(ended(pid))
    os.close(mine)
"""


@pytest.mark.slow
def test_a_trial_that_is_killed_by_the_system_ends_with_the_same_weights(
    tmp_path: Path, uninterrupted: tuple[object, object]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ended = done.stdout.split().count(str(-signal.SIGKILL))
    assert ended > 1
    epochs = trial(tmp_path).run()
    expected, found = uninterrupted
    assert without_times(epochs) == expected
    assert same(weights(tmp_path), found)  # type: ignore[arg-type]  # of the fixture


def test_a_trial_learns_and_tells_where_it_stands(tmp_path: Path) -> None:
    reports: list[TrialProgress] = []
    epochs = trial(tmp_path, epochs=16, learning_rate=0.1, average=0.2, every=60.0).run(reports.append)
    assert epochs[-1].loss < 0.8 * epochs[0].loss
    assert epochs[-1].validation_accuracy > 0.45
    assert reports[-1].step == reports[-1].steps == 80
    assert reports[-1].last == epochs[-1]


@pytest.mark.slow
def test_real_handwriting_is_learned(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install 'costlab[digits]'")
    dataset = datasets.load("digits", 0, 0)
    network = variant("mini", width=0.25, stem_pool=False)
    made = Task(network, 16, Recipe(epochs=5), 0, dataset.mirrored, "digits")
    epochs = Trial(made, dataset.resized(16), tmp_path, CPU).run()
    assert epochs[-1].validation_accuracy > 0.95


def test_a_finished_trial_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    epochs = trial(tmp_path).run()
    monkeypatch.setattr(Learner, "step", None)
    assert trial(tmp_path).run() == epochs


def test_a_loss_that_is_no_number_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Learner.step

    def spoilt(learner: Learner, batch: Batch) -> Sums:
        sums = step(learner, batch)
        return Sums(sums.loss * float("nan"), sums.correct)

    monkeypatch.setattr(Learner, "step", spoilt)
    with pytest.raises(
        NotFiniteError, match="the loss is no number after epoch 1: try a lower learning_rate"
    ):
        trial(tmp_path).run()


class Lazy(nn.Sequential):
    """Layers that learn their sizes, with a normalization that one image would upset."""

    def __init__(self) -> None:
        super().__init__(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(CLASSES))


def test_lazy_modules_train(tmp_path: Path) -> None:
    given = replace(task(epochs=1), network=variant(Lazy))
    for name in ("a", "b"):
        Trial(given, splits(), tmp_path / name, CPU).run()
    found = weights(tmp_path / "a")
    assert found[".learner.network.3.weight"].shape == (CLASSES, 4 * (SIDE - 2) ** 2)
    assert found[".learner.network.1.num_batches_tracked"] == STEPS / 3
    assert same(found, weights(tmp_path / "b"))
    made = make_network(replace(given, seed=1))
    assert not torch.equal(made.state_dict()["3.weight"], make_network(given).state_dict()["3.weight"])


def test_the_seed_decides_weights_and_order(tmp_path: Path, uninterrupted: tuple[object, object]) -> None:
    trial(tmp_path / "a", seed=1).run()
    trial(tmp_path / "b", seed=1).run()
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), uninterrupted[1])  # type: ignore[arg-type]  # of the fixture
