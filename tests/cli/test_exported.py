"""The command on files of exported programs."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.export import Dim, export, save

from tests.cli.conftest import Run

MULTIPLY_ADDS = 30 * 30 * 27 * 4 + 4 * 10


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 10),
    ).eval()
    sizes: Any = ({0: Dim("batch", min=1, max=64)},)
    place = tmp_path_factory.mktemp("programs") / "net.pt2"
    save(export(layers, (torch.zeros(2, 3, 32, 32),), dynamic_shapes=sizes), place)
    return str(place)


@pytest.mark.parametrize(
    ("options", "batch"), [([], 2), (["-b", "5"], 5), (["-i", "3x32x32"], 1), (["-i", "7x3x32x32"], 7)]
)
def test_count(run: Run, file: str, options: list[str], batch: int) -> None:
    done = run("count", file, "-f", "json", *options)
    assert done.code == 0, done.err
    counted = json.loads(done.out)
    assert counted["input"] == f"{batch}x3x32x32"
    assert counted["total"]["multiply_adds"] == batch * MULTIPLY_ADDS
    assert [row["module"] for row in counted["rows"]] == [str(place) for place in range(6)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["-i", "3x31x32"],
            "Sequential was exported for input:Ax3x32x32, A from 1 to 64; given input:1x3x31x32",
        ),
        (["-b", "65"], "Sequential was exported for input:Ax3x32x32, A from 1 to 64; given A=65"),
    ],
)
def test_other_inputs(run: Run, file: str, options: list[str], message: str) -> None:
    done = run("count", file, *options)
    assert (done.code, done.out, done.err) == (2, "", f"costlab: error: {message}\n")


@pytest.mark.parametrize(
    "command",
    [
        ["compare", "FILE", "FILE"],
        ["budget", "FILE", "--max-multiply-adds", "1G"],
        ["reconcile", "FILE"],
        ["memory", "FILE"],
        ["memory", "FILE", "--train"],
        ["roofline", "FILE", "--device", "a100"],
        ["training-cost", "FILE", "--batch", "32"],
        ["lint", "FILE"],
        ["factorize", "FILE"],
        ["count", "FILE", "--backward"],
    ],
)
def test_commands_that_take_a_target(run: Run, file: str, command: list[str]) -> None:
    done = run(*(file if word == "FILE" else word for word in command))
    assert (done.code, done.err) == (0, "")
    assert Path(file).name in done.out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["count", "FILE", "--symbolic"], "a closed form is for definitions"),
        (["scale", "FILE", "--to", "1G"], "which has no axes to scale"),
        (["explore", "FILE"], "is made already, and has no axes"),
        (["reconcile", "FILE", "--run"], "--run takes the module that it was made from"),
        (["count", "none.pt2"], "none.pt2: there is no such file"),
    ],
)
def test_what_there_is_not(run: Run, file: str, command: list[str], message: str) -> None:
    done = run(*(file if word == "FILE" else word for word in command))
    assert (done.code, done.out) == (2, "")
    *_, last = done.err.splitlines()
    assert last.startswith("costlab: error: ")
    assert message in last
