"""What ``costlab factorize`` reads and writes: weights, code, and nothing at all where anything is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import costlab
from tests.cli.conftest import Run

NET = """
from torch import nn

def net():
    return nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6))
"""
ARGS = ("factorize", "nets.py:net", "-i", "4x8x8", "--rank", "5")
EXISTS = b"as it was"


def net() -> nn.Module:
    """The module of the file, with weights of one's own."""
    names: dict[str, Any] = {}
    exec(NET, names)
    torch.manual_seed(0)
    made: nn.Module = names["net"]()
    return made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network and its weights, the working one."""
    (tmp_path / "nets.py").write_text(NET)
    save_file(net().state_dict(), tmp_path / "w.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_error_is_that_of_the_nearest_matrix_of_its_rank(run: Run, folder: Path) -> None:
    code, out, err = run(*ARGS, "--weights", "w.safetensors", "-f", "json")
    assert (code, err) == (0, "")
    (row,) = json.loads(out)["rows"]
    weight = net().state_dict()["0.weight"].double()
    matrix = weight.permute(1, 3, 0, 2).reshape(12, 18)
    left, sizes, right = torch.linalg.svd(matrix, full_matrices=False)
    nearest = left[:, :5] @ torch.diag(sizes[:5]) @ right[:5]
    assert row["error"] == pytest.approx(float((matrix - nearest).norm() / matrix.norm()), rel=1e-9)
    shown = run(*ARGS, "--weights", "w.safetensors").out
    assert f"relative error of the kernels: median {row['error']:.2g}, at most {row['error']:.2g}" in shown
    assert f"{row['error']:.4g}" in shown
    assert "error" not in run(*ARGS).out.splitlines()[2]


def test_the_weights_that_are_saved_are_those_of_the_plan(run: Run, folder: Path) -> None:
    assert run(*ARGS, "--weights", "w.safetensors", "--save", "out.safetensors").code == 0
    saved = load_file("out.safetensors")
    model = costlab.factorize(net(), "4x8x8", rank=5).apply()
    expected = model.state_dict()
    assert saved.keys() == expected.keys()
    assert all(torch.equal(saved[name], expected[name]) for name in expected)
    full = run(*ARGS[:4], "--full", "--weights", "w.safetensors", "--save", "full.safetensors")
    assert "at most " in full.out
    exact = costlab.factorize(net(), "4x8x8", full=True).apply()
    exact.load_state_dict(load_file("full.safetensors"))
    x = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(exact.eval()(x), net().eval()(x), rtol=1e-5, atol=1e-5)


def test_a_tensor_that_is_held_twice_is_saved_under_both_names(run: Run, folder: Path) -> None:
    (folder / "nets.py").write_text(
        "from torch import nn\n\ndef net():\n    made = nn.Conv2d(4, 4, 3, padding=1)\n"
        "    last = nn.Linear(3, 3)\n    again = nn.Linear(3, 3)\n    again.weight = last.weight\n"
        "    return nn.Sequential(made, nn.Flatten(2), nn.AdaptiveAvgPool1d(3), last, again)\n"
    )
    names: dict[str, Any] = {}
    exec((folder / "nets.py").read_text(), names)
    state = {name: tensor.clone() for name, tensor in names["net"]().state_dict().items()}
    save_file(state, folder / "twice.safetensors")
    assert run(*ARGS, "--weights", "twice.safetensors", "--save", "out.safetensors").code == 0
    saved = load_file("out.safetensors")
    assert torch.equal(saved["3.weight"], state["3.weight"])
    assert torch.equal(saved["4.weight"], state["3.weight"])


def test_the_code_that_is_written_counts_as_planned_and_takes_the_weights_that_are_saved(
    run: Run, folder: Path
) -> None:
    save_file(costlab.build("inception_a").state_dict(), "trained.safetensors")
    files = ("--rewrite", "rewritten.py", "--save", "start.safetensors")
    assert run("factorize", "inception_a", "--weights", "trained.safetensors", *files).code == 0
    target = f"{folder / 'rewritten.py'}:inception_a_by_1xn_nx1"
    plan = costlab.factorize("inception_a")
    assert costlab.count(target, (192, 35, 35)).total == plan.saving.after
    saved = load_file("start.safetensors")
    model, planned = costlab.build(target).eval(), plan.apply("trained.safetensors").eval()
    model.load_state_dict(saved)
    x = torch.randn(1, 192, 35, 35)
    assert torch.equal(model(x), planned(x))


def test_the_code_of_a_module_takes_the_weights_that_are_saved(run: Run, folder: Path) -> None:
    files = ("--rewrite", "rewritten.py", "--save", "start.safetensors")
    assert run(*ARGS, "--weights", "w.safetensors", *files).code == 0
    names: dict[str, Any] = {"__name__": "rewritten"}
    exec((folder / "rewritten.py").read_text(), names)
    model = names["rewrite"](net()).eval()
    model.load_state_dict(load_file("start.safetensors"))
    x = torch.randn(1, 4, 8, 8)
    assert torch.equal(model(x), costlab.factorize(net(), "4x8x8", rank=5).apply().eval()(x))


WRONG = {
    "code exists": (("--rewrite", "taken.py"), "taken.py exists: give --force to replace it"),
    "weights exist": (("--save", "taken.safetensors"), "taken.safetensors exists: give --force"),
    "the table exists": (("-o", "taken.json"), "taken.json exists: give --force"),
    "a folder is not there": (("--save", "nosuch/x.safetensors"), "there is no folder nosuch"),
    "two of one name": (("--rewrite", "x.py", "-o", "x.py", "-f", "csv"), "x.py is named twice"),
    "other weights": (("--weights", "other.safetensors"), "other.safetensors is no .safetensors file"),
    "no weights": (("--weights", "nosuch.safetensors"), "nosuch.safetensors: there is no such file"),
    "weights that do not fit": (("--weights", "unfit.safetensors"), "0.weight is 6x3x3x3"),
    "an unknown column": (("--columns", "nosuch"), "there is no column 'nosuch'"),
    "a rank above the largest": (("--rank", "13"), "0: rank=13 is above 12, the largest"),
    "nothing to write": (("--only", "2"), "nothing is replaced in nets.py:net, so there is nothing to"),
}


@pytest.mark.parametrize("name", WRONG)
def test_where_anything_is_wrong_nothing_is_written(run: Run, folder: Path, name: str) -> None:
    options, words = WRONG[name]
    for file in ("taken.py", "taken.safetensors", "taken.json", "other.safetensors"):
        (folder / file).write_bytes(EXISTS)
    save_file(net().state_dict() | {"0.weight": torch.zeros(6, 3, 3, 3)}, folder / "unfit.safetensors")
    before = {file: file.read_bytes() for file in folder.iterdir()}
    all_files = {
        "--weights": "w.safetensors",
        "--save": "new.safetensors",
        "--rewrite": "new.py",
        "-o": "new",
    }
    code, out, err = run(*ARGS, *(word for each in all_files.items() for word in each), *options)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_with_force_what_exists_is_replaced(run: Run, folder: Path) -> None:
    for file in ("taken.py", "taken.safetensors"):
        (folder / file).write_bytes(EXISTS)
    files = ("--rewrite", "taken.py", "--save", "taken.safetensors")
    assert run(*ARGS, "--weights", "w.safetensors", *files, "--force").code == 0
    assert "0.1.weight" in load_file("taken.safetensors")
    assert (folder / "taken.py").read_bytes() != EXISTS
