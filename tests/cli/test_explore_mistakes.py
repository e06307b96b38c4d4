"""What ``costlab explore`` refuses, in a line that names the option."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.exploring import NET, NETS


@pytest.fixture(autouse=True)
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)


MISTAKES = {
    "width=1:2:0": "--vary width=1:2:0: the step 0 must be above 0",
    "width=2:1:0.1": "--vary width=2:1:0.1: the range 2:1:0.1 goes down",
    "width=1:2": "--vary width=1:2: a range needs a step",
    "width=1:x:1": "--vary width=1:x:1: 'x' must be a number",
    "n=": "--vary n=: a value is missing",
    "n": "--vary n: say which values",
    "": "--vary '': give a parameter with its values",
    "n=3:1": "--vary n=3:1: the range 3:1 goes down",
    "nosuch=1": "--vary nosuch=1: net has no parameter 'nosuch'",
    "n=3,3": "--vary n=3,3: 3 is there twice",
    "kind=a,c": "--vary kind=a,c: net: kind=c must be a or b",
    "input=1,2": "no member fits: nets.py:net: 0: kernel=3x3 does not fit height=1",
}


@pytest.mark.parametrize("vary", MISTAKES)
def test_axes_that_are_none(run: Run, vary: str) -> None:
    code, out, err = run("explore", NET, "--vary", vary)
    assert (code, out) == (2, "")
    assert err.startswith(f"costlab: error: {MISTAKES[vary]}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--where|nosuch < 5", "--where: there is no quantity and no axis 'nosuch'"),
        ("--where|f(n) < 5", "--where: a call is no part of a condition: f(n)"),
        ("--where|__import__('os').system('touch pwned') < 5", "--where: a call is no part of a condition"),
        ("--where|n.real < 5", "--where: "),
        ("--where|n < 5; import os", "--where: 'n < 5; import os' cannot be read"),
        ("--where|", "--where: '' states no condition"),
        ("--where|n > 3 and n < 3", "--where: n > 3 and n < 3: holds for no values of the axes"),
        ("--where|n > 8|--where|deep", "--where: n > 8 and deep: holds for no values of the axes"),
        ("--top|0", "--top: 0 is no whole number of at least 1"),
        ("--top|3|--by|nosuch", "--by: there is no quantity and no axis 'nosuch'"),
        ("--top|3|--by|", "--by: '' states no quantity"),
        ("--top|3|--by|parameters*activations", "--by: only sums of quantities"),
        ("--by|parameters", "--by goes with --top"),
        ("--pareto|parameters", "--pareto takes two objectives or more"),
        ("--pareto|", "--pareto takes two objectives or more"),
        ("--pareto|parameters,open('x')", "--pareto: a call is no part of a quantity"),
        ("--sample|0", "--sample: 0 is no whole number of at least 1"),
        ("--sample|3|--within|1%", "--within and --of go together"),
        ("--sample|3|--within|x|--of|3", "--within: 'x' is no number"),
        ("--sample|3|--within|1%|--of|-3", "--of: '-3' must be at least 0"),
        ("--seed|3", "--seed goes with --sample"),
        ("--top|3|--sample|3", "--top and --sample do not go together"),
        ("--histogram|0", "--histogram: 0 is no whole number from 1 to 1000"),
        ("--workers|0", "--workers: 0 is no whole number of at least 1"),
        ("-f|parquet", "--format parquet goes with --members"),
        ("--members|-f|parquet", "--format parquet is for a file"),
        ("--plot|it.jpg", "it.jpg: a picture is a PNG"),
        ("--space|nosuch.toml", "there is no file nosuch.toml"),
    ],
)
def test_what_cannot_be_asked(run: Run, tmp_path: Path, words: str, message: str) -> None:
    code, out, err = run("explore", NET, "--vary", "n=1,3,7", "--vary", "deep", *words.split("|"))
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith(f"costlab: error: {message}")
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["nets.py"]


def test_nothing_is_asked_without_axes(run: Run) -> None:
    for ask in (("--top", "3"), ("--where", "n < 3"), ("--plot", "it.png"), ("--members",)):
        code, out, err = run("explore", NET, *ask)
        assert (code, out) == (2, "")
        assert f"{ask[0]} is asked of a space: give its axes with --vary or --space" in err
    assert "give a TARGET" in run("explore").err
    assert "n=5 is set already" in run("explore", f"{NET}:n=5", "--vary", "n=1,2").err
