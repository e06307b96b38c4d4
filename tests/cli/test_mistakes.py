"""What is wrong with a command's words: a line that names the option, or the argument, and what it takes."""

import click
import pytest

from costlab.cli.main import cli
from tests.cli.conftest import Run

NUMBERS = [
    (name, max(option.opts, key=len), option)
    for name, command in cli.commands.items()
    for option in command.params
    if isinstance(option, click.Option) and isinstance(option.type, click.IntRange | click.FloatRange)
]
CHOICES = [
    (name, max(option.opts, key=len), option.type.choices)
    for name, command in cli.commands.items()
    for option in command.params
    if isinstance(option, click.Option) and isinstance(option.type, click.Choice)
]


@pytest.mark.parametrize(("command", "option", "parameter"), NUMBERS)
@pytest.mark.parametrize("value", ["x", "", "-7", "1e", "0x3"])
def test_every_option_that_takes_a_number(
    run: Run, command: str, option: str, parameter: click.Option, value: str
) -> None:
    code, out, err = run(command, f"{option}={value}")
    kind = parameter.type
    assert isinstance(kind, click.IntRange | click.FloatRange)
    noun = "whole number" if isinstance(kind, click.IntRange) else "number"
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"costlab: error: {option}: ")
    assert f" is no {noun} " in err
    assert f"(see costlab {command} --help)" in err
    assert str(kind.min) in err


@pytest.mark.parametrize(("command", "option", "choices"), CHOICES)
def test_every_option_that_takes_one_of_a_few_words(
    run: Run, command: str, option: str, choices: tuple[str, ...]
) -> None:
    code, out, err = run(command, option, "nonesuch")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"costlab: error: {option}: 'nonesuch' is not one of ")
    assert all(f"'{choice}'" in err for choice in choices)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("count",), "give a TARGET, such as inception_v3 (costlab list shows more), or file.py:attribute"),
        (
            ("reconcile",),
            "give a TARGET, such as inception_v3 (costlab list shows more), or file.py:attribute",
        ),
        (("compare",), "give two TARGETs or more, a baseline first, or --ablation NAME"),
        (("compare", "stem"), "a comparison needs two targets or more, a baseline first; one is given"),
        (("train",), "give the NAME of an experiment, or --resume DIR"),
        (("--debug", "count"), "give a TARGET"),
        (("count", "stem", "-b"), "Option '-b' requires an argument"),
        (("count", "stem", "more"), "Got unexpected extra argument (more)"),
        (("count", "stem", "--nonesuch"), "No such option"),
    ],
)
def test_what_is_missing_or_too_much(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"costlab: error: {message}")
    assert "Usage" not in err
