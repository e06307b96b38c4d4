"""Running the command in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from costlab.cli.main import main


class Result(NamedTuple):
    """What a run of the command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """``run("count", "stem")``: the exit code and what was printed where."""

    def call(*args: str) -> Result:
        with pytest.raises(SystemExit) as stop:
            main(args)
        code = stop.value.code
        assert isinstance(code, int)
        return Result(code, *capsys.readouterr())

    return call


SETS = """
from costlab import Ablation, Conv2d, Dim, block, seq, variant

print("loading the set")

@block(input=("channels", 8, 8))
def made(channels: Dim = 4, n: Dim = 3, fail: bool = False):
    if fail:
        raise ValueError("no such network")
    return seq(Conv2d(channels, n, padding="same", bias=False))

mine = Ablation("mine", "Mine", {"five": variant(made, n=5), "three": variant(made)}, symbols=("C", "n"))
broken = Ablation("broken", "Broken", {"a": variant(made), "b": variant(made, fail=True)})
number = 3
"""


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with sets of one's own, the working one."""
    (tmp_path / "sets.py").write_text(SETS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


NETS = """
from costlab import BatchNorm2d, Conv2d, Flatten, Linear, ReLU, block, seq

@block(input="3x12x12")
def net(filters: int = 4):
    return seq(conv=Conv2d(filters, 3), bn=BatchNorm2d(), relu=ReLU(), flat=Flatten(), fc=Linear(5))
"""
PAGE_FILES = ("nets.py-net.md", "nets.py-net_modules.png", "nets.py-net_grids.png")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network of one's own, the working one."""
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    return tmp_path
