"""``costlab train``: what is asked for wrongly, and a run as a user sees it."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from costlab.cli.train_progress import describe_result, duration
from costlab.train.experiments import names
from costlab.train.prepare import RunRequest, make_plan
from costlab.train.record import TrialResult
from costlab.train.study import Lease
from tests.cli.conftest import Run
from tests.train.conftest import images_once, preloaded_workers  # noqa: F401  # fixtures
from tests.train.test_study import HERE, result

SMALL = [
    "--seeds",
    "1",
    "--images",
    "48",
    "--width",
    "0.125",
    "--set",
    "batch_size=16",
    "--set",
    "epochs=2",
    "--device",
    "cpu",
    "--workers",
    "1",
]
START = [sys.executable, "-m", "costlab", "train"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("--seeds 2", "give the NAME of an experiment, or --resume DIR"),
        ("kernels -a kernels", "NAME and --ablation NAME are one thing: give one of them"),
        ("larg_5x5", "there is no experiment 'larg_5x5'; did you mean large_5x5"),
        (
            "-a large_5x5 --resume nowhere",
            "--resume nowhere: there is no such folder; costlab train NAME begins a run",
        ),
        ("-a large_5x5 --seeds 10001", "--seeds: "),
        ("--resume x --data=", "--resume goes on with a run as it was begun: --data is settled"),
        ("--resume x --preset full", "--resume goes on with a run as it was begun: --preset is settled"),
        ("--resume x --set clip=1", "--set is settled"),
        ("--resume x -o y", "--output is settled"),
        ("-a large_5x5 --set foo=1", "there is no foo; there is optimizer, learning_rate"),
        ("-a larg_5x5", "there is no experiment 'larg_5x5'; did you mean large_5x5"),
        ("-a large_5x5 --device tpu", "--device tpu: there is auto, cpu, cuda and cuda:N"),
        ("-a large_5x5 --device meta", "--device meta: there is auto, cpu, cuda and cuda:N"),
        ("-a large_5x5 --set epochs=none", "recipe: epochs=none must be a whole number"),
        ("-a large_5x5 --data mnist", "--data mnist: there is no source 'mnist'"),
        ("-a large_5x5 --data folder:nowhere", "--data folder:nowhere: "),
        ("-a large_5x5 --seeds 0", "--seeds: "),
        ("-a large_5x5 --width 0", "--width: "),
        ("-a large_5x5 --preset huge", "--preset: "),
        ("linear --preset photographs", "--preset photographs is for photographs: --data cifar10:PATH"),
        ("linear --preset photographs --data digits", "--preset photographs is for photographs"),
        ("linear --known nowhere.json", "nowhere.json: there is no such file"),
        ("linear --known file", "file is no record of a run"),
        ("receptive_field --data digits", "receptive_field: images of 8x8 pixels have no halves of 8 pixels"),
        ("linear --data digits --about a\nb", "--about: "),
        ("--resume nowhere", "--resume nowhere: there is no such folder; costlab train NAME begins a run"),
        ("-a large_5x5 -o full", "full holds something already: --resume full goes on with a run"),
        ("-a large_5x5 -o file", "file is no folder"),
        ("-a large_5x5 --images 64 --study sqlite:///x.db", "is for one machine only"),
        ("-a large_5x5 --images 20", "20 training images are fewer than batch_size=64"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    args: str, message: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("")
    done = run("train", *args.split(" "))
    assert done.code == 2
    assert message in done.err
    assert done.err.splitlines()[-1].startswith("costlab: error: ")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["file", "mine.txt"]


@pytest.mark.parametrize("device", ["cuda", "cuda:7"])
def test_a_gpu_that_is_not_there_is_named(device: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = run("train", "-a", "large_5x5", "--device", device)
    assert (done.code, done.out) == (2, "")
    assert f"--device {device}: torch finds no GPU here; --device cpu trains without" in done.err


def test_a_database_that_cannot_be_reached_leaves_nothing_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("train", "-a", "large_5x5", "--study", "postgresql://me:hidden@127.0.0.1:1/x")
    assert (done.code, done.out) == (2, "")
    assert "--study postgresql://me:***@127.0.0.1:1/x: " in done.err
    assert "hidden" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_not_done_has_no_page(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    made, _ = make_plan(RunRequest("large_5x5", "smoke", "synthetic", 1, images=128), lambda _: None)
    made.save(tmp_path / "mine")
    done = run("report", "mine")
    assert (done.code, done.out) == (2, "")
    assert "mine holds a run that is not done: costlab train --resume mine ends it" in done.err
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_the_help_names_every_experiment(run: Run) -> None:
    done = run("train", "--help")
    assert all(re.search(rf"^  {name}  ", done.out, re.MULTILINE) for name in names())


SCRIPT = """
import sys
from multiprocessing import get_context
from costlab.cli.main import cli
from costlab.train import pool

def forkserver(_):
    context = get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "costlab.train.worker"])
    return context

pool.get_context = forkserver

if __name__ == "__main__":
    cli.main(sys.argv[1:], standalone_mode=False)
    print(*sys.modules)
"""


def on_a_terminal(folder: Path, *args: str) -> tuple[str, list[str], set[str]]:
    """What the command shows on a terminal and prints elsewhere, and what it has imported by its end.

    Its workers come from a process that has loaded torch once; a run that is interrupted starts them anew.
    """
    (folder / "script.py").write_text(SCRIPT)
    parent, child = pty.openpty()
    with (folder / "printed").open("w") as printed:
        process = subprocess.Popen(
            [sys.executable, "script.py", *args],
            cwd=folder,
            stdout=printed,
            stderr=child,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"},
        )
    os.close(child)
    shown = b""
    try:
        while part := os.read(parent, 4096):
            shown += part
    except OSError:  # the terminal is gone when no process holds it any more
        pass
    assert process.wait() == 0, shown.decode()
    *lines, modules = (folder / "printed").read_text().splitlines()
    return shown.decode(), lines, set(modules.split())


def test_a_run_that_is_interrupted_and_resumed_on_a_terminal(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows bars, imports no profiler, and leaves no process, which would hold the terminal."""
    start = [*START, "-a", "large_5x5", *SMALL, "-o", "run"]
    child = subprocess.Popen(start, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert child.stderr is not None
    while not child.stderr.readline().startswith("training: "):
        assert child.poll() is None
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to all of its processes
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert errors == (
        "costlab: error: interrupted: costlab train --resume run goes on from the last checkpoints\n"
    )
    monkeypatch.chdir(tmp_path)
    assert run(*start[3:]).code == 2
    bars, lines, modules = on_a_terminal(tmp_path, "train", "--resume", "run", "--workers", "1")
    assert "done: 5x5, seed 0: top-1 " in bars
    assert "of 2 trials" in bars
    assert "\x1b[3" not in bars
    assert {"torch", "optuna"} <= modules
    assert "fvcore" not in modules
    assert lines == [
        "run/large_5x5.md",
        "run/large_5x5_accuracy.png",
        "run/large_5x5_curves.png",
        "run/large_5x5_steps.png",
    ]
    page = (tmp_path / "run" / "large_5x5.md").read_text()
    assert "generated images, not photographs" in page
    assert str(tmp_path) not in page + (tmp_path / "run" / "results.json").read_text()
    assert "costlab train --ablation large_5x5 --preset full --seeds 5 --device cuda" in page
    shown = run("report", "run", "--check")
    assert (shown.code, shown.out) == (0, "run: all is as it would be written, 1 page with pictures\n")


@pytest.mark.usefixtures("images_once", "preloaded_workers")
def test_a_trial_that_fails_is_told_and_the_exit_status_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fault = [*SMALL[:-2], "--workers", "2", "--set", "learning_rate=1e30"]
    done = run("train", "-a", "large_5x5", *fault, "-o", "run")
    assert done.code == 1, done.err
    last = done.err.splitlines()[-2:]
    assert [line.partition(": ")[0] for line in last] == ["5x5, seed 0", "3x3+3x3, seed 0"]
    assert all("the loss is no number after epoch 1: try a lower learning_rate" in line for line in last)
    assert "## What failed" in (tmp_path / "run" / "large_5x5.md").read_text()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (7260, "2 h 1 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_came_out_in_a_line() -> None:
    lease = Lease(1, 0, "a", 1)
    assert describe_result(result(lease)) == "done: a, seed 1: top-1 75.0%, 1 s"
    assert (
        describe_result(TrialResult("a", 0, (), HERE, "out of memory")) == "failed: a, seed 0: out of memory"
    )
