"""Every command that takes a target, of a notebook: what to do instead."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "words",
    [
        ("count",),
        ("lint",),
        ("memory",),
        ("factorize",),
        ("reconcile",),
        ("measure",),
        ("training-cost",),
        ("list",),
        ("train",),
        ("report",),
        ("budget", "--max-parameters", "1M"),
        ("scale", "--to", "1e8"),
        ("explore", "--vary", "w=1:2"),
        ("roofline", "--device", "k40"),
        ("compare", "mini"),
        ("compare", "--ablation"),
    ],
)
def test_every_command_says_it_of_a_notebook(
    words: tuple[str, ...], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nb.ipynb").write_text("{}")
    code, out, err = run(*words, "nb.ipynb")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("costlab: error: 'nb.ipynb' is a notebook, which is not run: in it, import costlab")
