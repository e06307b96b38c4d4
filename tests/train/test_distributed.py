"""Several processes train a trial together as one process does alone."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from costlab.errors import RunError
from costlab.train import checkpoint
from costlab.train.distributed import SINGLE_PROCESS, Group
from costlab.train.trial import Trial
from tests.train.tasks import CPU, splits, task

ROOT = Path(__file__).parents[2]
IMPORTS = """
import sys
from pathlib import Path
import torch
from costlab.train.distributed import join_processes
from costlab.train.trial import Trial
from tests.train.forked import together
from tests.train.tasks import CPU, splits, task
"""


def run(code: str, *args: str) -> None:
    """Run what starts processes in an interpreter of its own, with warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORTS + code, *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr


TO_THE_END = """
def work():
    torch.set_num_threads(1)
    with join_processes(CPU) as group:
        for seed in (0, 1):
            folder = Path(sys.argv[1]) / str(seed)
            Trial(task(seed, dropout=0.0), splits(), folder, CPU, group, every=60.0).run()
sys.exit(together(work) != [0, 0])
"""


@pytest.mark.slow
def test_two_processes_end_as_one_does(tmp_path: Path) -> None:
    run(TO_THE_END, str(tmp_path / "two"))
    torch.set_num_threads(1)
    for seed in (0, 1):
        one = Trial(task(seed, dropout=0.0), splits(), tmp_path / "one", CPU, every=60.0)
        epochs = one.run()
        state = torch.load(tmp_path / "two" / str(seed) / checkpoint.FILE, weights_only=True)
        for mine, theirs in zip(epochs, state["epochs"], strict=True):
            assert mine.loss == pytest.approx(theirs["loss"], rel=1e-4)
            assert mine.validation_loss == pytest.approx(theirs["validation_loss"], rel=1e-3)
        found = state["learner"]["network"]
        for name, value in one.learner.network.state_dict().items():
            assert torch.allclose(value, found[name], rtol=1e-3, atol=1e-4), name
        (tmp_path / "one" / checkpoint.FILE).unlink()


ENDED = """
def work(folder, steps):
    torch.set_num_threads(1)
    with join_processes(CPU) as group:
        for seed in (0, 1):
            made = Trial(task(seed, epochs=2), splits(), folder / str(seed), CPU, group, every=0.0)
            step, left = made.learner.step, steps
            def until_the_end(batch):
                nonlocal left
                left -= 1
                if left < 0:
                    raise StopIteration
                return step(batch)
            made.learner.step = until_the_end
            try:
                made.run()
            except StopIteration:
                pass
for folder, steps in (("whole", 99), ("parts", 7), ("parts", 6), ("parts", 99)):
    if together(lambda: work(Path(sys.argv[1]) / folder, steps)) != [0, 0]:
        sys.exit(1)
"""


@pytest.mark.slow
def test_processes_that_are_ended_together_go_on_with_the_same_bits(tmp_path: Path) -> None:
    run(ENDED, str(tmp_path))
    for seed in ("0", "1"):
        a, b = (
            torch.load(tmp_path / folder / seed / checkpoint.FILE, weights_only=True)
            for folder in ("whole", "parts")
        )
        assert len(a["random"]) == 2
        assert all(torch.equal(x["cpu"], y["cpu"]) for x, y in zip(a["random"], b["random"], strict=True))
        for name, value in a["learner"]["averaged"].items():
            assert torch.equal(value, b["learner"]["averaged"][name]), name
        times = ("seconds", "images_per_second")
        for x, y in zip(a["epochs"], b["epochs"], strict=True):
            assert {k: v for k, v in x.items() if k not in times} == {
                k: v for k, v in y.items() if k not in times
            }
    with pytest.raises(RunError, match="is of 2 processes, not 1: go on with as many"):
        Trial(task(0), splits(), tmp_path / "whole" / "0", CPU)


def test_a_run_under_torchrun_is_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = "-a large_5x5 --seeds 1 --images 64 --width 0.125 --set epochs=1 --set batch_size=16 -o"
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    done = subprocess.run(
        [*command, "-m", "costlab", "train", *words.split(), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == str(folder / "large_5x5.md")
    assert done.stderr.count("done: 5x5, seed 0: top-1 ") == done.stderr.count("making ") == 1
    assert (folder / "results.json").is_file()


def test_each_process_takes_its_part() -> None:
    assert list(range(6))[Group(1, 3).part] == [1, 4]
    assert list(range(6))[SINGLE_PROCESS.part] == list(range(6))


@pytest.mark.parametrize(("batch_size", "world"), [(9, 2), (2, 2), (6, 4)])
def test_batches_that_cannot_be_shared_out_are_refused(batch_size: int, world: int) -> None:
    with pytest.raises(RunError, match=f"--set batch_size={batch_size} must be a multiple of the {world}"):
        Group(0, world).refuse_uneven(batch_size)
    Group(0, world).refuse_uneven(4 * world)
    SINGLE_PROCESS.refuse_uneven(batch_size)
