"""Commands that are imported when they are called."""

import gc
from collections import UserDict
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class LazyCommands(UserDict[str, Any]):
    """Commands by name, each given as ``module:attribute`` and imported when it is asked for.

    A call asks for its own command, the help of the group for all: what it says of each stands in one place.
    """

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = super().__getitem__(name).partition(":")
        command = getattr(import_module(module), attribute)
        if not gc.isenabled():  # as the process began
            gc.freeze()
            gc.enable()
        return command


def completes(kind: str) -> "Callable[[click.Context, click.Parameter, str], list[CompletionItem]]":
    """How a shell completes words of that kind; what knows them is imported where a shell asks."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        from costlab.cli import completion

        return completion.complete(kind, context, incomplete)

    return complete
