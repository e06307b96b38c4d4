"""Files that people have of their models, and that are no targets: each is told what to name instead."""

from pathlib import Path

import pytest

from costlab import CostlabError, count
from costlab.targets.other_file import told_of

NOTEBOOK = (
    " is a notebook, which is not run: in it, import costlab and call costlab.count(model, (3, 224, 224)), "
    "or put the model into a .py file, as jupyter nbconvert --to script does, and name that, "
)


@pytest.mark.parametrize(
    ("target", "begin", "instead"),
    [
        ("a.ipynb", f"'a.ipynb'{NOTEBOOK}", "a.py:Net"),
        ("no/such.ipynb:net", f"'no/such.ipynb:net'{NOTEBOOK}", "such.py:Net"),
        ("a.ipynb:net:width=2", "'a.ipynb:net:width=2' is a notebook", "a.py:Net"),
        ("A.IPYNB", "'A.IPYNB' is a notebook", "A.py:Net"),
        ("x.pt", "'x.pt' names nothing: a target is a name from costlab list", "torch.export.save"),
        ("./x.pth:net", "'./x.pth:net' names nothing: a target is ", "TorchScript, which is not read"),
        ("run-1/last.ckpt", "'run-1/last.ckpt' holds weights", "file.py:Net or package.module:Net"),
        ("model.safetensors", "'model.safetensors' holds weights", "name what makes the model"),
        ("pytorch_model.bin", "'pytorch_model.bin' holds weights", "package.module:Net"),
        ("net.h5", "'net.h5' is a model of TensorFlow", "the .onnx file"),
        ("net.tflite", "'net.tflite' is a model of TensorFlow", "tf2onnx"),
        ("net.engine", "'net.engine' is built for a runtime", "the .onnx file or the PyTorch model"),
        ("net.pkl", "'net.pkl' may be anything, and is not read", "file.py:Net"),
        ("configs/a.yaml", "'configs/a.yaml' holds settings, and no model", "file.py:make"),
    ],
)
def test_what_to_name_instead(target: str, begin: str, instead: str) -> None:
    with pytest.raises(CostlabError) as refusal:
        count(target)
    assert str(refusal.value).startswith(begin)
    assert instead in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_module_that_is_named_as_a_file_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "kept_as"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "json.py").write_text("from costlab import Conv2d\nnet = Conv2d(2, 1)\n")
    assert count("kept_as.json:net", (3, 4, 4)).multiply_adds == 16 * 3 * 2
    assert told_of("kept_as.pt:net") == ""
    (tmp_path / "kept_as.pt").touch()
    assert "holds weights, or TorchScript" in told_of("kept_as.pt:net")


@pytest.mark.parametrize(
    "target", ["inception_v3", "nets.py:net", "a.b:net", "", "a.onnx", "x.tar.gz", ".pt"]
)
def test_others_are_left_to_what_finds_them(target: str) -> None:
    assert told_of(target) == ""
