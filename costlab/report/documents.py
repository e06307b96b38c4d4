"""Documents that show the output of commands, which costlab renews and checks."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from costlab.errors import OutputError
from costlab.files import read, working_folder, write
from costlab.interrupts import STATUS
from costlab.targets.catalog import is_listed

KEPT = "<!-- costlab report keeps what the commands below print. -->"
"""A document with this line is kept along with a report."""
ASKS = re.compile(rf"^{re.escape(KEPT)}\s*$".encode(), re.MULTILINE)
BLOCK = re.compile(r"^```console[ \t]*\r?\n(?P<inside>(?:(?!```).*\n)*)```[ \t]*\r?$", re.MULTILINE)
"""A whole block: one in which another begins was not closed, and is left alone."""
SHOWN = re.compile(
    r"^(?P<prompt>\$ (?P<command>costlab(?: .*)?)\n)(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE
)
WRITING = re.compile(r"-o.*|--(output|plot|calibrate|save|rewrite|force)\b.*")
ALONE = {"report": "report", "train": "training"}
"""Commands that write files in any case."""
BY_PROJECT = "budget"
"""A command that may run what a project's file names."""
BUG = 70
SIZED = ("COLUMNS", "LINES")
AS_A_FILE = {"PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"}


def is_kept(document: Path) -> bool:
    """Whether there is such a document, and it asks to be kept.

    Raises:
        OutputError: it cannot be read.
    """
    return document.is_file() and bool(ASKS.search(read(document) or b""))


def commands_in(document: Path) -> tuple[str, ...]:
    """The costlab commands that a document shows, each once.

    Raises:
        OutputError: it cannot be read, or a command is none that can be shown.
    """
    commands = dict.fromkeys(command for command, _ in _shown_outputs(_text(document)))
    for command in commands:
        _parse(document, command)
    return tuple(commands)


def kept_beside(reports: Path) -> tuple[Path, ...]:
    """The documents that are kept with the reports of a folder: README.md and docs/*.md in the one above.

    Raises:
        OutputError: one cannot be read.
    """
    above = reports.resolve().parent
    return tuple(filter(is_kept, (above / "README.md", *sorted((above / "docs").glob("*.md")))))


def outputs_of(
    documents: Iterable[Path], folder: Path, report: Callable[[str], None], done: Callable[[str], None]
) -> dict[str, str]:
    """Run the commands that documents show, in one folder and each once; gives what each prints.

    A command stands after ``$`` in a block fenced with three backticks as ``console``; ``| head -N`` or
    ``| tail -N`` may follow.
    What is shown is its standard output, or the errors where there is none. No shell is run. As many run at a
    time as there are processors.
    ``report`` is called with each command before it is waited for, ``done`` after it.

    Raises:
        OutputError: a document cannot be read, a command is no such command or breaks down, or it may run
            code and the folder is not the working folder: then the documents may be somebody else's.
    """
    shown_in: dict[str, Path] = {}
    for document in documents:
        for command in commands_in(document):
            _refuse_code_elsewhere(document, command, folder)
            shown_in.setdefault(command, document)
    outputs = {}
    pool = ThreadPoolExecutor(os.cpu_count())
    processes: list[subprocess.Popen[str]] = []
    try:
        running = [pool.submit(partial(_run, *pair), folder, processes) for pair in shown_in.items()]
        for (command, document), output in zip(shown_in.items(), running, strict=True):
            step = f"{name_of(document, folder)}: {command}"
            report(step)
            outputs[command] = output.result()
            done(step)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:  # if this one is interrupted; they write nothing
            process.kill()
        pool.shutdown()
    return outputs


def name_of(document: Path, folder: Path) -> str:
    """What a document is called, seen from the folder in which its commands run."""
    return document.relative_to(folder.resolve()).as_posix()


def outdated(document: Path, outputs: Mapping[str, str]) -> tuple[str, ...]:
    """The commands below which the document shows something else. Raises as `outputs_of` does."""
    outputs_shown = _shown_outputs(_text(document))
    return tuple(dict.fromkeys(command for command, output in outputs_shown if output != outputs[command]))


def renew(document: Path, outputs: Mapping[str, str]) -> bool:
    """Put the outputs into the document as it is now; whether that changes it.

    Raises:
        OutputError: it cannot be read or written.
    """
    text = _text(document)
    end = "\r\n" if "\r\n" in text else "\n"

    def put_in(match: re.Match[str]) -> str:
        output = outputs.get(match["command"].rstrip())
        return match[0] if output is None else match["prompt"] + output.replace("\n", end)

    renewed = BLOCK.sub(lambda block: SHOWN.sub(put_in, block[0]), text)
    if renewed == text:
        return False
    write(document, renewed.encode(), replace=True)
    return True


def _text(document: Path) -> str:
    try:
        return (read(document) or b"").decode()
    except UnicodeDecodeError as error:
        raise OutputError(f"{document} cannot be read: it is not in UTF-8") from error


def _shown_outputs(text: str) -> list[tuple[str, str]]:
    """The commands in a document's blocks, each with the output that stands below it."""
    blocks = (block["inside"].replace("\r\n", "\n") for block in BLOCK.finditer(text))
    return [
        (match["command"].rstrip(), match["output"]) for inside in blocks for match in SHOWN.finditer(inside)
    ]


def _refuse_code_elsewhere(document: Path, command: str, folder: Path) -> None:
    words, _ = _parse(document, command)
    named = any(":" in word and not is_listed(word.partition(":")[0]) for word in words)
    if folder.resolve() != working_folder() and (named or BY_PROJECT in words):
        raise OutputError(
            f"{document}: {command} may run code, which it does only where you are: "
            f"if you trust it, cd {shlex.quote(str(folder))} first"
        )


def _run(command: str, document: Path, folder: Path, processes: "list[subprocess.Popen[str]]") -> str:
    words, part = _parse(document, command)
    done = _execute(words, folder, processes)
    if done.returncode < 0 or done.returncode in (BUG, STATUS):
        raise OutputError(f"{document}: {command} broke down: {done.stderr.strip()}")
    lines = (done.stdout or done.stderr).splitlines()
    return "".join(f"{line}\n" for line in lines[part])


def _execute(
    words: list[str], folder: Path, processes: "list[subprocess.Popen[str]]"
) -> "subprocess.CompletedProcess[str]":
    """Run costlab in a folder; the process is added to ``processes`` meanwhile."""
    with subprocess.Popen(  # noqa: S603  # costlab itself, with the words of a document that asks for it
        [sys.executable, "-P", "-m", "costlab", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={name: value for name, value in os.environ.items() if name not in SIZED} | AS_A_FILE,
        cwd=folder,
    ) as process:
        processes.append(process)
        out, errors = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


def _parse(document: Path, command: str) -> tuple[list[str], slice]:
    """The words after ``costlab``, and the lines that are shown."""
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError as error:
        raise OutputError(f"{document}: {command}: {error}") from None
    part = slice(None)
    if len(words) > 3 and words[-3] == "|" and (match := re.fullmatch(r"-([1-9]\d*)", words[-1])):
        lines = int(match[1])
        part = slice(-lines, None) if words[-2] == "tail" else slice(lines)
        if words[-2] in ("head", "tail"):
            words = words[:-3]
    if any(re.fullmatch(r"[();<>|&]+", word) for word in words):
        raise OutputError(f"{document}: {command}: only | head -N or | tail -N can follow a command")
    named = next((word for word in words[1:] if not word.startswith("-")), "")
    if named in ALONE and not {"-h", "--help"} & set(words):
        raise OutputError(f"{document}: {command}: a {ALONE[named]} cannot be shown by itself")
    if any(WRITING.fullmatch(word) for word in words[1:]):
        raise OutputError(f"{document}: {command}: a command that is shown may not write files")
    return words[1:], part
