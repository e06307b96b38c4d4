"""Documents that show what commands print: their outputs are kept as they are."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from costlab.errors import OutputError

KEPT = "<!-- costlab report keeps what the commands below print. -->"
"""A document with this line is kept beside a report."""
CONSOLE = re.compile(r"```console\n\$ (?P<command>costlab\b.*)\n(?P<shown>(?:.*\n)*?)```")
BUG = 70


class Outputs(NamedTuple):
    """A document with what its commands print now: the text, and the commands whose output is another."""

    text: str
    commands: int
    changed: tuple[str, ...]


def is_kept(document: Path) -> bool:
    """Whether there is such a document, and it asks to be kept."""
    return document.is_file() and KEPT in document.read_text("utf-8", "replace")


def outputs_in(document: Path) -> int:
    """How many commands a document shows."""
    return len(CONSOLE.findall(document.read_text("utf-8", "replace")))


def with_outputs(document: Path, tell: Callable[[str], None], done: Callable[[str], None]) -> Outputs:
    """Run the costlab commands that a document shows, in its folder, and put in what they print.

    A command stands after ``$`` in a block of kind ``console``; ``| head -N`` or ``| tail -N`` may follow.
    What is shown is its standard output, or the errors where there is none. No shell is run.
    ``tell`` is told each command before it runs, ``done`` after it.

    Raises:
        OutputError: a command is no such command, or breaks down.
    """
    text = document.read_text("utf-8")
    changed = []

    def rerun(block: re.Match[str]) -> str:
        command = block["command"]
        tell(f"{document.name}: {command}")
        shown = _printed(document, command)
        if shown != block["shown"]:
            changed.append(command)
        done(f"{document.name}: {command}")
        return f"```console\n$ {command}\n{shown}```"

    found = CONSOLE.sub(rerun, text)
    return Outputs(found, outputs_in(document), tuple(changed))


def _printed(document: Path, command: str) -> str:
    words, part = _parsed(document, command)
    done = subprocess.run(  # noqa: S603  # costlab itself, with the words of a document that asks for it
        [sys.executable, "-P", "-m", "costlab", *words],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"},
        cwd=document.absolute().parent,
    )
    if done.returncode < 0 or done.returncode == BUG:
        raise OutputError(f"{document}: {command} broke down: {done.stderr.strip()}")
    lines = (done.stdout or done.stderr).splitlines()
    return "".join(f"{line}\n" for line in lines[part])


def _parsed(document: Path, command: str) -> tuple[list[str], slice]:
    """The words after ``costlab``, and the lines that are shown."""
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError as error:
        raise OutputError(f"{document}: {command}: {error}") from None
    part = slice(None)
    if len(words) > 3 and words[-3] == "|" and (match := re.fullmatch(r"-(\d+)", words[-1])):
        lines = int(match[1])
        part = slice(-lines, None) if words[-2] == "tail" else slice(lines)
        if words[-2] in ("head", "tail"):
            words = words[:-3]
    if any(re.fullmatch(r"[();<>|&]+", word) for word in words):
        raise OutputError(f"{document}: {command}: only | head -N or | tail -N can follow a command")
    if "report" in words:
        raise OutputError(f"{document}: {command}: a report cannot be shown by itself")
    return words[1:], part
