"""Telling a shell to complete: the script that click has for it, put where the shell looks for it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click
from click.shell_completion import ShellComplete, get_completion_class

from costlab.cli.completion import add_shells
from costlab.errors import OutputError
from costlab.files import make_folder, read, write
from costlab.messages import named

PROGRAM, VARIABLE = "costlab", "_COSTLAB_COMPLETE"
MARK = "# Written by costlab --install-completion; without this file nothing is completed."
"""The line by which the script is known as costlab's own, which may be written anew."""
OLDEST_BASH = (4, 4)
LARGEST = 1_000_000


class Shell(NamedTuple):
    """A shell: where it looks for the script, and what is left to do, which is told."""

    file: Callable[[], Path]
    next: Callable[[Path], str]


def script(shell: str) -> str:
    """What the shell is to run, by click, with a line that says whose it is.

    The first line of zsh's stays the first, for it says what is completed.
    """
    add_shells()
    kind = get_completion_class(shell)
    assert kind is not None
    text = ShellComplete.source(kind(click.Command(PROGRAM), {}, PROGRAM, VARIABLE)).strip()
    first, _, rest = text.partition("\n")
    return f"{first}\n{MARK}\n{rest}\n" if first.startswith("#compdef") else f"{MARK}\n{text}\n"


def chosen(shell: str) -> str:
    """The shell that is named, or the one that the command was typed in.

    Raises:
        UsageError: it is none that is known.
    """
    found = shell or _typed_in() or _name(os.environ.get("SHELL", ""))
    if found in SHELLS:
        return found
    what = named(found) if found else "an unknown shell"
    raise click.UsageError(f"completion: {what} is not one of {', '.join(map(repr, SHELLS))}: name one")


def install(shell: str) -> str:
    """Write the script where the shell looks for it; returns what was done, and what is to be done.

    Raises:
        UsageError: bash is older than 4.4, or is not there.
        OutputError: a file is there that is not costlab's own, or it cannot be written.
    """
    if shell == "bash":
        _refuse_old_bash()
    file, text = SHELLS[shell].file(), script(shell)
    before = read(file, LARGEST)
    if before is not None and MARK.encode() not in before:
        raise OutputError(
            f"{file} exists, and is not costlab's: move it away, or see costlab --show-completion {shell}"
        )
    if before == text.encode():
        done = f"{file} is there already, as it would be written"
    else:
        make_folder(file.parent)
        write(file, text, replace=before is not None)
        done = f"{file} is written"
    left = SHELLS[shell].next(file)
    line = ", and the line" if shell == "zsh" else ""
    return f"{done}\n{left}\nTo take it away: rm {_quoted(file)}{line}"


def _refuse_old_bash() -> None:
    """Refuse a bash that cannot do what the script asks of it, as that of macOS."""
    try:
        command = ["bash", "--norc", "-c", "echo $BASH_VERSION"]
        said = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True).stdout.strip()  # noqa: S603  # nothing in it is typed
    except OSError:
        said = ""
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    if version < OLDEST_BASH:
        what = f"bash {said} is older than 4.4" if said else "there is no bash to be found"
        raise click.UsageError(f"completion: {what}, and cannot complete: give zsh or fish, or a newer bash")


def _typed_in() -> str:
    """The shell that started this process, where the system tells; else empty."""
    with suppress(OSError):
        name = _name(Path(f"/proc/{os.getppid()}/comm").read_text().strip())
        return name if name in SHELLS else ""
    return ""


def _name(command: str) -> str:
    """The name of a shell by its command; one that begins a session has a hyphen before it."""
    return command.rpartition("/")[2].removeprefix("-")


def _under(variable: str, *otherwise: str) -> Path:
    """The folder that a variable names, or the one that it stands for, below the home of the user.

    Raises:
        OutputError: nobody says where that is.
    """
    if (place := Path(os.environ.get(variable, ""))).is_absolute():
        return place
    home = Path(os.environ.get("HOME", ""))
    if not home.is_absolute():
        raise OutputError("HOME is not set, and nothing says where a shell looks: see --show-completion")
    return home.joinpath(*otherwise)


def _bash() -> Path:
    own = Path(os.environ.get("BASH_COMPLETION_USER_DIR", "").partition(":")[0])
    place = own if own.is_absolute() else _under("XDG_DATA_HOME", ".local", "share") / "bash-completion"
    return place / "completions" / PROGRAM


def _zsh() -> Path:
    return _under("XDG_DATA_HOME", ".local", "share") / "zsh" / "site-functions" / f"_{PROGRAM}"


def _fish() -> Path:
    return _under("XDG_CONFIG_HOME", ".config") / "fish" / "completions" / f"{PROGRAM}.fish"


def _next_in_bash(file: Path) -> str:
    return (
        "Open a new shell. If nothing is completed there, bash-completion is not loaded: add to ~/.bashrc\n"
        f"  . {_quoted(file)}"
    )


def _next_in_zsh(file: Path) -> str:
    """What is left to do: zsh finds the script by a line in the user's own file, written if he says so.

    The line may stand last, whatever is before it.
    """
    begin = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }"
    line = f"{begin}; () {{ [[ ! -r $1 ]] || source $1 }} {_quoted(file)}"
    settings = _under("ZDOTDIR") / ".zshrc"
    before = (read(settings, LARGEST) or b"").decode(errors="surrogateescape")
    if line in before.splitlines():
        return "Open a new shell."
    if sys.stdin.isatty() and click.confirm(f"{file} is for zsh to find.\n  {line}\nAdd this to {settings}?"):
        text = f"{before}{'' if before.endswith(chr(10)) or not before else chr(10)}{line}\n"
        write(settings, text.encode(errors="surrogateescape"), replace=True)
        return f"Its line is added to {settings}: open a new shell."
    return f"Add to the end of {settings}, and open a new shell:\n  {line}"


def _next_in_fish(_: Path) -> str:
    return "Open a new shell."


def _quoted(file: Path) -> str:
    from shlex import quote

    return quote(str(file))


SHELLS = {
    "bash": Shell(_bash, _next_in_bash),
    "zsh": Shell(_zsh, _next_in_zsh),
    "fish": Shell(_fish, _next_in_fish),
}


def print_script(shell: str) -> None:
    """Print the script of a shell, for whoever has a place of his own for it."""
    click.echo(script(chosen(shell)), nl=False)


def print_installed(shell: str) -> None:
    """Install the script, and print what was done."""
    click.echo(install(chosen(shell)))
