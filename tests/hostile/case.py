"""A case: what is typed, what lies in the folder, and how the command must end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeAlias

Made: TypeAlias = bytes | Callable[[Path], object]
"""The content of a file, or what makes something else of its name."""
MISTAKE = frozenset({2})
FINE = frozenset({0})
EITHER = MISTAKE | FINE


@dataclass(frozen=True)
class Case:
    """A command in a folder with these files.

    ``codes`` are the exits that are right: 2, unless what was drawn is well-formed by what is said where it
    is drawn. ``names`` is what the message must name. ``alone`` asks for a process of its own. ``writes`` are
    the files that the command, or the code that it was told to run, makes. ``rude`` says that this code
    changes the process itself, or prints, so that only what costlab does of its own is judged. ``notes`` are
    the beginnings of lines that may stand before that of the mistake: what takes long is told as it begins.
    """

    about: str
    words: tuple[str, ...]
    files: Mapping[str, Made] = field(default_factory=dict)
    codes: frozenset[int] = MISTAKE
    names: str = ""
    alone: bool = False
    writes: tuple[str, ...] = ()
    rude: bool = False
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.about}: costlab {' '.join(repr(word)[:200] for word in self.words)}"


Draw: TypeAlias = Callable[[Random], Case]


def words(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


LONG = "a" * 5000
SIGNS = (
    *("\x1b[31m", "\x1b]0;mine\x07", "\n", "\r\n", "\t", "\x08"),
    *("\u202e", "\u2066", "\u2028", "\x85", "\udcff", "\u200f"),
)
"""What steers a terminal, ends a line, turns the order of what is around, or is no text."""
ODD_TEXTS = (
    *words("- -- --- . .. / // ~ : :: = == , %s {0} $HOME `id` * None null True nan NaN -inf -1 0"),
    *words("inf 1_000 1e999 0x10 1e3 3.5 <script> <b> __import__('os').system('touch_pwned') ٣ ½"),
    *("", " ", "a" * 200, LONG, "../" * 50, "[" * 2000, "(" * 2000, "'", '"', "\\", "9" * 5000, "lambda: 0"),
    *("-" + "9" * 30, "1" + "0" * 30, "é" * 300, "\U0001f4a5" * 20),
    *SIGNS,
    *(f"a{sign}b" for sign in SIGNS),
)
"""Texts that nobody means."""


def mutated(random: Random, text: str) -> str:
    """The text with one to three signs put in, taken out, doubled or turned around."""
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(text) + 1)
        text = random.choice(
            (
                text[:place]
                + random.choice((*SIGNS, ":", "=", ",", "/", ".", "-", "x", "0", " ", "\0", "é"))
                + text[place:],
                text[:place] + text[place + 1 :],
                text[:place] + text[place:] * 2,
                text[place:] + text[:place],
                text.upper(),
            )
        )
    return text
