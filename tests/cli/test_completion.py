"""Completion in a shell: targets, sets, claims and the rest, by what shells hand over and by bash itself."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from costlab.cli.completion import Fish, complete
from costlab.cli.main import cli
from costlab.paper.claims import CLAIMS
from costlab.targets.catalog import ablations, catalog
from costlab.train.experiments import names
from tests.cli.conftest import Run
from tests.cli.test_process import HEAVY, LISTING

FILES = {
    "nets.py": (
        "raise SystemExit('never run')\nnet = 3\ndef make(): ...\nclass Net: ...\n_hidden = 1\n"
        "other: int = 2\n"
    ),
    "broken.py": "def (",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with code, and a folder in it."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "more.py").write_text("deep = 1\n")
    return tmp_path


def completed(folder: Path, *words: str, shell: str = "bash", code: str = "") -> tuple[list[str], str]:
    """What the last of the words becomes, and what is on standard error."""
    apart = [part for word in words for part in _apart(word)] if shell == "bash" else list(words)
    done = subprocess.run(
        [sys.executable, *(["-c", code] if code else ["-m", "costlab"])],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ
        | {
            "_COSTLAB_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": "\n".join(["costlab", *apart]),
            "COMP_CWORD": str(len(apart)) if shell != "fish" else words[-1],
        },
    )
    if shell == "zsh":
        return done.stdout.splitlines()[1::3], done.stderr
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line], done.stderr


def _apart(word: str) -> list[str]:
    """A word as bash hands it over: taken apart at its signs."""
    for sign in ":=":
        word = word.replace(sign, f"\n{sign}\n")
    return [part for part in word.split("\n") if part] or [""]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("count", ""), {*catalog(), "nets.py:", "broken.py:"}),
        (("count", "inception_"), {name for name in catalog() if name.startswith("inception_")}),
        (("compare", "stem", "vgg"), {"vgg16", "vgg19"}),
        (("compare", "-a", ""), {*ablations(), "nets.py:", "broken.py:"}),
        (("compare", "--ablation=n"), {"nxn", "nets.py:"}),
        (("train", ""), {*names(), "nets.py:", "broken.py:"}),
        (("train", "-a", "pap"), {"paper"}),
        (("train", "x", "--set", "ep"), {"epsilon=", "epochs="}),
        (("train", "x", "--data", "cifar10:s"), {"sub/"}),
        (("verify", ""), {*CLAIMS}),
        (("verify", "two-3x3", "two-"), {name for name in CLAIMS if name.startswith("two-")} - {"two-3x3"}),
        (("list", "--ablations", "large"), {name for name in ablations() if name.startswith("large")}),
        (("list", "--conventions", "fl"), {"flops", "flopco"}),
        (("list", "--devices", "h1"), {"h100", "h100-pcie"}),
        (("count", "stem", "--convention", "tho"), {"thop"}),
        (("reconcile", "stem", "--explain", "fvcore", "tho"), {"thop"}),
        (("lint", "stem", "--ignore", "pinch,po"), {"pinch,pool-before-expansion"}),
        (("report", "su"), {"sub/"}),
        (("factorize", "inception_a", "--only", "b5"), {"b5x5", "b5x5.1", "b5x5.1.conv"}),
        (("factorize", "inception_a", "--only=b5x5.1"), {"b5x5.1", "b5x5.1.conv"}),
        (("scale", "inception_a", "--axis", "p"), {"pool"}),
        (("factorize", "nets.py:net", "--only", ""), set()),
        (("count", "ne"), {"nets.py:"}),
        (("count", "sub/"), {"sub/more.py:"}),
        (("count", "nets.py:"), {"net", "make", "Net", "other"}),
        (("count", "nets.py:ma"), {"make"}),
        (("count", "broken.py:"), set()),
        (("count", "nosuch.py:"), set()),
        (("count", "nosuch/"), set()),
        (("count", "inception_v3:br"), {"branch_5x5="}),
        (("count", "inception_v3:branch_5x5="), {"5x5", "3x3", "3x3+3x3"}),
        (("count", "inception_v3:aux=t"), {"true"}),
        (("count", "inception_v3:aux=true,nosuch=1,w"), {"1,width="}),
        (("count", "inception_v3:nosuch="), set()),
    ],
)
def test_what_bash_is_told(folder: Path, words: tuple[str, ...], expected: set[str]) -> None:
    found, errors = completed(folder, *words)
    assert (set(found), errors) == (expected, "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_whole_words(folder: Path, shell: str) -> None:
    found, errors = completed(folder, "count", "nets.py:ma", shell=shell)
    assert (found, errors) == (["nets.py:make"], "")


def test_files_of_models_are_whole_targets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for name in ("net.onnx", "net.pt2", "net.pt", "sub/deep.onnx"):
        (folder / name).touch()
    words = {item.value for item in complete("target", click.Context(cli), "ne")}
    assert words == {"nets.py:", "net.onnx", "net.pt2"}
    assert [item.value for item in complete("target", click.Context(cli), "sub/d")] == ["sub/deep.onnx"]
    assert [item.value for item in complete("ablation", click.Context(cli), "net")] == ["nets.py:"]


def test_fish_does_not_end_a_word_at_a_comma() -> None:
    assert 'string split --max 1 "," $completion' in Fish.source_template


def test_nothing_heavy_is_loaded(folder: Path) -> None:
    for words in (("count", ""), ("train", ""), ("verify", ""), ("compare", "-a", "")):
        _, loaded = completed(folder, *words, code=LISTING)
        assert "costlab.cli.completion" in loaded
        assert not set(loaded.split()) & HEAVY - {"costlab.paper"}


def test_bash_itself(folder: Path) -> None:
    """On a terminal: a tab after what is typed, and then the line as bash has it."""
    command, start = folder / "bin" / "costlab", folder / "start.sh"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m costlab \"$@\"\n")
    command.chmod(0o755)
    start.write_text(
        f'PATH="{command.parent}:$PATH"\neval "$(_COSTLAB_COMPLETE=bash_source costlab)"\nPS1="> "\n'
    )
    for typed, line in (
        ("costlab count nets.py:ma", "costlab count nets.py:make "),
        ("costlab count inception_v3:br", "costlab count inception_v3:branch_5x5="),
    ):
        assert f"[{line}]" in typed_in_bash(start, typed, line, folder)


def typed_in_bash(start: Path, typed: str, line: str, folder: Path) -> str:
    """What a terminal shows after a line was typed with a tab behind, and told between brackets.

    What is told waits for the line that is to come, or for so long that any other would have.
    """
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        ["bash", "--noprofile", "--rcfile", str(start), "-i"],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=os.environ | {"TERM": "dumb", "INPUTRC": "/dev/null", "HISTFILE": ""},
    )
    os.close(theirs)
    shown = _read(ours, "> ", 30)
    os.write(ours, typed.encode() + b"\t")
    shown = _read(ours, line, 10)
    os.write(ours, b"\x01echo '[\x05]'\n")
    shown += _read(ours, "\n[", 30)
    os.write(ours, b"\x15exit\n")
    child.wait(timeout=30)
    os.close(ours)
    return shown


def _read(terminal: int, until: str, seconds: float) -> str:
    """What a terminal shows until that is in it, or for so long."""
    shown, ends = b"", time.monotonic() + seconds
    while until.encode() not in shown and time.monotonic() < ends:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        shown += os.read(terminal, 4096) if ready else b""
    return shown.decode(errors="replace")


@pytest.mark.parametrize("request_", ["nope", "bash_", "tcsh_source", "bash_complete", "zsh_complete"])
def test_requests_that_no_shell_makes(request_: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_COSTLAB_COMPLETE", request_)
    monkeypatch.setenv("COMP_WORDS", "costlab count")
    monkeypatch.setenv("COMP_CWORD", "abc")
    done = run("list")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "_COSTLAB_COMPLETE is for shells" in done.err
