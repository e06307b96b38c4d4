"""``--input`` and ``--symbolic``, shared by the commands that count; options that do not go together."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from costlab.targets.catalog import is_listed

F = TypeVar("F", bound=Callable[..., object])
NAMES = r"[\w\s,]+"


class TargetName(click.ParamType[str]):
    """A target as it is typed."""

    name = "TARGET"
    wanted = "such as inception_v3 (costlab list shows more), or file.py:attribute"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)


def input_option(text: str) -> Callable[[F], F]:
    """``--input``, repeatable for modules that take several."""
    return click.option(
        "-i",
        "--input",
        "input_",
        metavar="[NAME:]SIZES[:TYPE]",
        multiple=True,
        help=f"{text} Of a module, once for each, in order or by name.",
    )


def partial_option(command: F) -> F:
    """``--partial``: count a module up to where its data stops it."""
    return click.option(
        "--partial",
        is_flag=True,
        help="Where a module stops because of its data, count what ran up to there, and mark it.",
    )(command)


def one_or_all(values: tuple[str, ...]) -> str | tuple[str, ...] | None:
    """The input, if one is given; several; or nothing."""
    return values[0] if len(values) == 1 else values or None


class SymbolicCommand(click.Command):
    """A command with ``--symbolic [NAMES]``, whose value is the next word unless that is a target."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words: list[str] = []
        for i, word in enumerate(args):
            if word == "--":
                words += args[i:]
                break
            follower = args[i + 1] if i + 1 < len(args) else ""
            bare = word == "--symbolic" and (not re.fullmatch(NAMES, follower) or is_listed(follower))
            words.append("--symbolic=" if bare else word)
        return super().parse_args(ctx, words)


def symbolic_option(text: str, names: str = "NAMES") -> Callable[[F], F]:
    """``--symbolic [NAMES]``."""
    return click.option("--symbolic", metavar=f"[{names}]", help=text)


def refuse(*rules: tuple[bool, str]) -> None:
    """Raise a usage error with the message of the first rule that is broken."""
    for broken, message in rules:
        if broken:
            raise click.UsageError(message, click.get_current_context())
