"""Telling a shell to complete: what is written where, what is left alone, and what the shells make of it."""

import subprocess
import sys
from pathlib import Path
from shutil import which

import click
import pytest

from costlab.cli import install_completion
from costlab.cli.install_completion import MARK, SHELLS
from tests.cli.conftest import Run

PLACES = {
    "bash": ".local/share/bash-completion/completions/costlab",
    "zsh": ".local/share/zsh/site-functions/_costlab",
    "fish": ".config/fish/completions/costlab.fish",
}
SEEN_BY = {
    "bash": ("bash", "--norc", "-c", 'source "$0"; complete -p costlab'),
    "zsh": (
        *("zsh", "-fc"),
        'autoload -Uz compinit; compinit -u -D; source "$0"; print -r -- "$_comps[costlab] costlab"',
    ),
    "fish": ("fish", "--no-config", "-c", "source $argv[1]; complete --command costlab"),
}
"""How each of them runs a script, and says what completes the command then."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which nothing is, and no variables that say otherwise."""
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "BASH_COMPLETION_USER_DIR", "ZDOTDIR", "SHELL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS)
def test_it_is_written_once_and_says_how_to_take_it_away(home: Path, run: Run, shell: str) -> None:
    file = home / PLACES[shell]
    code, out, err = run("--install-completion", shell)
    assert (code, err) == (0, "")
    assert out.startswith(f"{file} is written\n")
    assert f"To take it away: rm {file}" in out
    assert "new shell" in out
    text = file.read_text()
    assert MARK in text
    assert "_COSTLAB_COMPLETE" in text
    stamp = file.stat().st_mtime_ns
    assert run("--install-completion", shell).out.startswith(f"{file} is there already")
    assert file.stat().st_mtime_ns == stamp
    file.write_text(f"{MARK}\nof an older version\n")
    assert "is written" in run("--install-completion", shell).out
    assert file.read_text() == text == run("--show-completion", shell).out
    assert [each for each in home.rglob("*") if each.is_file()] == [file]


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if which(shell)])
def test_the_shell_takes_it(home: Path, run: Run, shell: str) -> None:
    run("--install-completion", shell)
    done = subprocess.run(
        [*SEEN_BY[shell], str(home / PLACES[shell])], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "_costlab_completion" in done.stdout
    assert "costlab" in done.stdout.replace("_costlab_completion", "")


def test_what_others_wrote_is_left_alone(home: Path, run: Run) -> None:
    file = home / PLACES["fish"]
    file.parent.mkdir(parents=True)
    file.write_text("mine\n")
    code, out, err = run("--install-completion", "fish")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is not costlab's: move it away" in err
    assert file.read_text() == "mine\n"
    (home / ".zshrc").write_text("mine\n")
    assert "(( $+functions[compdef] ))" in run("--install-completion", "zsh").out
    assert (home / ".zshrc").read_text() == "mine\n"


@pytest.mark.parametrize("agreed", [True, False])
def test_the_line_for_zsh_is_added_when_asked(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, agreed: bool
) -> None:
    settings, dotfiles = home / ".zshrc", home / "dotfiles"
    dotfiles.write_bytes(b"export A=\xff")
    settings.symlink_to(dotfiles)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(click, "confirm", lambda _: agreed)
    run("--install-completion", "zsh")
    lines = settings.read_bytes().splitlines()
    assert (lines[0], len(lines)) == (b"export A=\xff", 1 + agreed)
    assert settings.is_symlink()
    monkeypatch.setattr(click, "confirm", lambda _: pytest.fail("it is there") if agreed else False)
    assert ("Open a new shell." in run("--install-completion", "zsh").out) == agreed
    assert settings.read_bytes().splitlines() == lines


def test_the_folders_that_variables_name(
    home: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "no/absolute/path")
    assert str(home / PLACES["fish"]) in run("--install-completion", "fish").out
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    for shell, place in (("fish", "c/fish/completions/costlab.fish"), ("zsh", "d/zsh/site-functions")):
        run("--install-completion", shell)
        assert (tmp_path / place).exists()
    monkeypatch.setenv("BASH_COMPLETION_USER_DIR", f"{tmp_path / 'b'}:/elsewhere")
    assert str(tmp_path / "b" / "completions" / "costlab") in run("--install-completion", "bash").out


def test_without_a_home_nothing_is_written(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    code, out, err = run("--install-completion", "zsh")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "HOME is not set" in err
    assert not list(home.iterdir())
    assert MARK in run("--show-completion", "zsh").out


@pytest.mark.parametrize("blocked", ["a file", "a folder", "a link to nowhere"])
def test_places_that_cannot_be_written(home: Path, run: Run, blocked: str) -> None:
    file = home / PLACES["fish"]
    if blocked == "a file":
        (home / ".config").write_text("")
    elif blocked == "a folder":
        file.mkdir(parents=True)
    else:
        file.parent.mkdir(parents=True)
        file.symlink_to(home / "none" / "x")
    code, out, err = run("--install-completion", "fish")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert str(file) in err


def test_the_shell_that_it_is_typed_in(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_completion, "_typed_in", lambda: "")
    monkeypatch.setenv("SHELL", "/opt/bin/fish")
    assert str(home / PLACES["fish"]) in run("--install-completion").out
    monkeypatch.setattr(install_completion, "_typed_in", lambda: "zsh")
    assert "#compdef costlab" in run("--show-completion").out
    assert install_completion._name("-zsh") == "zsh"


@pytest.mark.parametrize(("words", "shell"), [(("tcsh",), "bash"), ((), "/bin/tcsh"), ((), "")])
def test_shells_that_are_not_known(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], shell: str
) -> None:
    monkeypatch.setattr(install_completion, "_typed_in", lambda: "")
    monkeypatch.setenv("SHELL", shell)
    for option in ("--install-completion", "--show-completion"):
        code, out, err = run(option, *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "is not one of 'bash', 'zsh', 'fish': name one" in err
    assert not list(home.iterdir())


@pytest.mark.parametrize(
    ("said", "told"), [("3.2.57(1)-release", "bash 3.2.57(1)-release is older"), ("", "no bash")]
)
def test_a_bash_that_cannot_complete(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, said: str, told: str
) -> None:
    def bash(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        if not said:
            raise FileNotFoundError
        return subprocess.CompletedProcess([], 0, f"{said}\n")

    monkeypatch.setattr(subprocess, "run", bash)
    code, out, err = run("--install-completion", "bash")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert not list(home.iterdir())
