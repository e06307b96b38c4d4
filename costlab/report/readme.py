"""Documents that show what commands print: their outputs are kept as they are."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from costlab.errors import OutputError
from costlab.report.files import read, write

KEPT = "<!-- costlab report keeps what the commands below print. -->"
"""A document with this line is kept beside a report."""
ASKS = re.compile(rf"^{re.escape(KEPT)}\s*$".encode(), re.MULTILINE)
CONSOLE = re.compile(r"(?P<head>```console\r?\n\$ (?P<command>costlab\b.*)\n)(?P<shown>(?:.*\n)*?)```")
BUG = 70


def is_kept(document: Path) -> bool:
    """Whether there is such a document, and it asks to be kept.

    Raises:
        OutputError: it cannot be read.
    """
    return document.is_file() and bool(ASKS.search(read(document) or b""))


def commands_in(document: Path) -> tuple[str, ...]:
    """The costlab commands that a document shows, each once.

    Raises:
        OutputError: it cannot be read.
    """
    return tuple(dict.fromkeys(block["command"].rstrip() for block in CONSOLE.finditer(_text(document))))


def outputs_of(document: Path, tell: Callable[[str], None], done: Callable[[str], None]) -> dict[str, str]:
    """Run the commands that a document shows, in its folder; gives what each prints.

    A command stands after ``$`` in a block of kind ``console``; ``| head -N`` or ``| tail -N`` may follow.
    What is shown is its standard output, or the errors where there is none. No shell is run.
    ``tell`` is told each command before it runs, ``done`` after it.

    Raises:
        OutputError: the document cannot be read, or a command is no such command or breaks down.
    """
    outputs = {}
    for command in commands_in(document):
        tell(f"{document.name}: {command}")
        outputs[command] = _printed(document, command)
        done(f"{document.name}: {command}")
    return outputs


def outdated(document: Path, outputs: Mapping[str, str]) -> tuple[str, ...]:
    """The commands below which the document shows something else. Raises as `outputs_of` does."""
    shown = [(block["command"].rstrip(), block["shown"]) for block in CONSOLE.finditer(_text(document))]
    return tuple(
        dict.fromkeys(command for command, text in shown if text.replace("\r\n", "\n") != outputs[command])
    )


def renew(document: Path, outputs: Mapping[str, str]) -> bool:
    """Put the outputs into the document as it is now; whether that changes it.

    Raises:
        OutputError: it cannot be read or written.
    """
    text = _text(document)
    end = "\r\n" if "\r\n" in text else "\n"

    def renewed(block: re.Match[str]) -> str:
        printed = outputs.get(block["command"].rstrip(), block["shown"]).replace("\r\n", "\n")
        return block["head"] + printed.replace("\n", end) + "```"

    found = CONSOLE.sub(renewed, text)
    if found == text:
        return False
    write(document, found.encode(), replace=True)
    return True


def _text(document: Path) -> str:
    try:
        return (read(document) or b"").decode()
    except UnicodeDecodeError as error:
        raise OutputError(f"{document} cannot be read: it is not in UTF-8") from error


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
