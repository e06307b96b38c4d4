"""``--symbolic``: an option whose value may be left out."""

import re
from collections.abc import Callable
from typing import TypeVar

import click

from costlab.algebra.catalog import is_listed

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
            bare = word == "--symbolic" and (not NAMES.fullmatch(follower) or is_listed(follower))
            words.append("--symbolic=" if bare else word)
        return super().parse_args(ctx, words)


def symbolic_option(text: str) -> Callable[[F], F]:
    """``--symbolic [NAMES]``."""
    return click.option("--symbolic", metavar="[NAMES]", help=text)
