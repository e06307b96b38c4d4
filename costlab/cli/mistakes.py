"""What is wrong with the words of a command, in one line that names the option and says what it takes."""

import re
from typing import Any

import click

RANGE = r"(?P<value>.*) is not (?:a valid [a-z]+(?: range)?|in the range [^ ]*)\.?"
"""What click says of what is no number, or not in the range of a type."""


def told(error: click.UsageError) -> str:
    """The mistake, and where to read more."""
    where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
    return f"{_what(error).removesuffix('.')}{where}"


def _what(error: click.UsageError) -> str:
    if not isinstance(error, click.BadParameter) or error.param is None:
        return error.format_message()
    name, kind = _name(error.param), error.param.type
    if isinstance(error, click.MissingParameter):
        return ", ".join(filter(None, (f"give a {name}", getattr(kind, "wanted", ""))))
    if match := re.fullmatch(RANGE, error.message, re.DOTALL):
        return f"{name}: {match['value']} is no {_number(kind)}"
    return f"{name}: {error.message}"


def _name(parameter: click.Parameter) -> str:
    """An option by its long name, an argument as the help calls it."""
    if isinstance(parameter, click.Argument):
        return parameter.human_readable_name.strip("[].")
    return max(parameter.opts, key=len)


def _number(kind: click.ParamType[Any]) -> str:
    """The numbers that a type takes, in words."""
    noun = "number" if (kind.name or "").startswith("float") else "whole number"
    low, high = getattr(kind, "min", None), getattr(kind, "max", None)
    if low is not None and high is not None:
        return f"{noun} from {low} to {high}"
    if low is None:
        return noun if high is None else f"{noun} of at most {high}"
    return f"{noun} above {low}" if getattr(kind, "min_open", False) else f"{noun} of at least {low}"
