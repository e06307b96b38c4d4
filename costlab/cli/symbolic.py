"""``--symbolic``: an option whose value may be left out."""

import re
from collections.abc import Callable
from typing import TypeVar

import click

from costlab.algebra.catalog import lookup
from costlab.errors import CostlabError

F = TypeVar("F", bound=Callable[..., object])
NAMES = re.compile(r"[\w\s,]+")


class SymbolicCommand(click.Command):
    """A command with ``--symbolic [NAMES]``: what follows it is its value unless that is a target."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words: list[str] = []
        for i, word in enumerate(args):
            if word == "--":
                words += args[i:]
                break
            follower = args[i + 1] if i + 1 < len(args) else ""
            named = NAMES.fullmatch(follower) and not _is_target(follower)
            words.append("--symbolic=" if word == "--symbolic" and not named else word)
        return super().parse_args(ctx, words)


def symbolic_option(text: str) -> Callable[[F], F]:
    """``--symbolic [NAMES]``."""
    return click.option("--symbolic", metavar="[NAMES]", help=text)


def _is_target(word: str) -> bool:
    try:
        lookup(word)
    except CostlabError:
        return False
    return True
