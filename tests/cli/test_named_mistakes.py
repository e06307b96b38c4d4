"""What users got wrong, one by one: a line that says what, status 2, and nothing left behind."""

import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run

MINE = """
import torch
from torch import nn

def needs(x): return torch.zeros(1, 8)
def none(): return None
net = nn.Linear(8, 8)
"""
CONV = "count torch.nn:Conv2d:in_channels="
OWN = "is of Python's own library, which returns no networks"
MISTAKES = {
    f"{CONV}-1,out_channels=4,kernel_size=3 -i 3x8x8": "Trying to create tensor with negative dimension -1",
    f"{CONV}3,out_channels=4,kernel_size=abc -i 3x8x8": "kernel_size=abc must be a whole number or a tuple",
    f"{CONV}3,out_channels=4,kernel_size=9999999999 -i 3x8x8": "overflowed with sizes=[4, 3, 9999999999",
    "count mine.py:net -i mine.py:needs": "needs() missing 1 required positional argument: 'x'",
    "count mine.py:net -i mine.py:none": "input=mine.py:none: the function gives None, and no tensors",
    "count torch:zeros -i 1x8": "zeros: its parameters are not known: write a function that calls it",
    "count subprocess:run -i 1x8": f"subprocess:run {OWN}",
    "count sys:exit": f"sys:exit {OWN}",
    "count torch.nn:ReLU -i 3000000000x3000000000x3000000000:float32": "is larger than any tensor can be",
    "count inception_v3 -i 0x3x8x8": "input='0x3x8x8' has a size of 0, of which nothing is counted",
    "count inception_v3 -i 0x8x8": "input channels=0 must be at least 1",
    "count inception_v3:modules_17=1000000000": "inception_v3: modules_17=1000000000 must be at most 1000",
    "count ensemble:models=1000000000": "ensemble: models=1000000000 must be at most 1000",
    "count inception_v3 -o ''": "--output: '' is no name: name a file",
    "count inception_v3 -o name/": "--output: name/ is a folder: name a file",
    "count inception_v3 -f netron --by kind": "--format netron holds all modules as they run: leave --by",
    "report inception_v3 -o ''": "--output: '' is no name: name a folder",
    "report nosuch": "there is neither a folder nor a definition 'nosuch'",
    "train large_5x5 -o ''": "--output: '' is no name: name a folder",
    "train large_5x5 --data ''": "there is no source ''; there is synthetic, digits, cifar10",
    "train large_5x5 --device cpu:3": "--device cpu:3: there is auto, cpu, cuda and cuda:N",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_a_mistake_is_told(command: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)
    told = run(*shlex.split(command))
    assert (told.code, told.out, told.err.count("\n")) == (2, "", 1)
    assert MISTAKES[command] in told.err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.py"]
