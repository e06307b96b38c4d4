"""Expressions of Python, laid out as ruff and black do: on a line if they fit, else a part on each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from json import dumps
from textwrap import wrap
from typing import TypeAlias

WIDTH = 88
"""The most characters of a line: the default of ruff and of black."""
INDENT = "    "


@dataclass(frozen=True)
class Group:
    """What stands between brackets: ``opening`` ends with one, and each part has what leads it, as a name."""

    opening: str
    parts: "tuple[tuple[str, Expression], ...]"
    closing: str = ")"

    def __str__(self) -> str:
        inside = ", ".join(f"{lead}{part}" for lead, part in self.parts)
        lone = "," if self.opening == "(" and len(self.parts) == 1 else ""
        return f"{self.opening}{inside}{lone}{self.closing}"


Expression: TypeAlias = str | Group


def call(function: str, *positional: Expression, **named: Expression) -> Group:
    """The call of a function."""
    parts = [("", each) for each in positional] + [(f"{name}=", each) for name, each in named.items()]
    return Group(f"{function}(", tuple(parts))


def several(*parts: Expression) -> Group:
    """A tuple."""
    return Group("(", tuple(("", each) for each in parts))


def quoted(text: str) -> str:
    """A text as it is written in code."""
    return dumps(text, ensure_ascii=False)


def laid_out(lead: str, what: Expression, level: int = 0, trail: str = "") -> Iterator[str]:
    """The lines of an expression at a level of indentation, after ``lead`` and before ``trail``."""
    indent = INDENT * level
    whole = f"{indent}{lead}{what}{trail}"
    if isinstance(what, str) or not what.parts or len(whole) <= WIDTH:
        yield whole
        return
    yield f"{indent}{lead}{what.opening}"
    for name, part in what.parts:
        yield from laid_out(name, part, level + 1, ",")
    yield f"{indent}{what.closing}{trail}"


def docstring(paragraphs: Iterable[str], level: int = 0) -> Iterator[str]:
    """The lines of a docstring, filled.

    A paragraph of several lines, or one that begins with a blank, stays as it is.
    """
    indent = INDENT * level
    paragraphs = list(paragraphs)
    opening = 'r"""' if any("\\" in each for each in paragraphs) else '"""'
    lines: list[str] = []
    for paragraph in paragraphs:
        if lines:
            lines.append("")
        safe = paragraph.replace('"""', "'''")
        kept = safe.startswith(" ") or "\n" in safe
        lines += safe.split("\n") if kept else wrap(safe, WIDTH - len(indent) - 3, break_long_words=False)
    first, *rest = lines
    if not rest:
        yield f'{indent}{opening}{first}"""'
        return
    yield f"{indent}{opening}{first}"
    yield from (f"{indent}{line}".rstrip() for line in rest)
    yield f'{indent}"""'


def imports(names: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The lines that import names, each given with the module that it is in, sorted as isort does."""
    by_module: dict[str, set[str]] = {}
    for module, name in names:
        by_module.setdefault(module, set()).add(name)
    for module in sorted(by_module):
        ordered = sorted(by_module[module], key=lambda name: (not name[:1].isupper(), name))
        line = f"from {module} import {', '.join(ordered)}"
        if len(line) <= WIDTH:
            yield line
        else:
            yield from [f"from {module} import (", *(f"{INDENT}{name}," for name in ordered), ")"]
