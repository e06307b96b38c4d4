"""What a shell completes: targets, sets, claims, experiments, conventions, devices, files and the rest."""

import ast
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    add_completion_class,
    get_completion_class,
)

from costlab.targets import catalog

JOINTS = ":="
"""The signs at which bash takes words apart; what it completes is behind the last one."""
DEVICES = ("auto", "cpu", "cuda")
MODELS = (".onnx", ".pt2")
"""The endings of files that are targets by themselves."""
SOURCES = ("synthetic", "digits", "cifar10:", "cifar100:", "folder:")


def complete(kind: str, context: click.Context, incomplete: str) -> list[CompletionItem]:
    """What a word of that kind may become; nothing where that cannot be known."""
    try:
        return [
            CompletionItem(word) for word in KINDS[kind](context, incomplete) if word.startswith(incomplete)
        ]
    except Exception:  # of a package with definitions, say: a shell wants no message here
        return []


def _targets(_: click.Context, word: str) -> Iterator[str]:
    source, joint, rest = word.partition(":")
    if not joint:
        yield from (*catalog.catalog(), *_files(word, (".py", *MODELS)))
    elif source.endswith(".py"):
        yield from (f"{source}:{name}" for name in _names_in(Path(source)) if ":" not in rest)
    elif catalog.is_listed(source):
        yield from (f"{source}:{settings}" for settings in _settings(source, rest))


def _settings(name: str, typed: str) -> Iterator[str]:
    """What may follow the settings that were typed: a parameter, or a value for it."""
    before, comma, last = typed.rpartition(",")
    parameters = catalog.lookup(name).parameters
    taken = {setting.partition("=")[0] for setting in before.split(",")}
    key, equals, _ = last.partition("=")
    if not equals:
        words = [f"{parameter}=" for parameter in parameters if parameter not in taken]
    elif key in parameters:
        known = ("true", "false") if parameters[key].type is bool else parameters[key].choices
        words = [f"{key}={value}" for value in known]
    else:
        words = []
    yield from (f"{before}{comma}{word}" for word in words)


def _files(word: str, endings: tuple[str, ...] = (".py",)) -> Iterator[str]:
    """Files of Python, of which an attribute is to follow, or others, and folders, once a letter is typed."""
    folder, _, start = word.rpartition("/")
    place = f"{folder}/" if "/" in word else ""
    with os.scandir(place or ".") as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if not entry.name.startswith(start) or (entry.name.startswith(".") and not start):
                continue
            if entry.is_dir():
                yield from [f"{place}{entry.name}/"] if word else []
            elif entry.name.endswith(endings):
                yield f"{place}{entry.name}{'' if entry.name.endswith(MODELS) else ':'}"


def _names_in(file: Path) -> Iterator[str]:
    """The public names at the top of a file, which is read and not run."""
    for statement in ast.parse(file.read_bytes()).body:
        match statement:
            case ast.FunctionDef() | ast.ClassDef():
                names = [statement.name]
            case ast.Assign():
                names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        yield from (name for name in names if not name.startswith("_"))


def _in_code(names: Iterable[str], word: str) -> Iterator[str]:
    """Names that are known, or a file of Python with what is in it."""
    source, joint, _ = word.partition(":")
    yield from (f"{source}:{name}" for name in _names_in(Path(source))) if joint else names
    yield from () if joint else _files(word)


def _target(context: click.Context) -> str:
    """The target that was typed: behind an option without its value it is not told apart from other words."""
    return str(context.params.get("target") or next(iter(context.args), ""))


def _axes(context: click.Context, _: str) -> Iterator[str]:
    """The axes of the definition that was typed, of the catalog."""
    from costlab.explore.scaling.lines import DEPTH, INPUT, KINDS

    name = _target(context).partition(":")[0]
    yield from (key for key, each in catalog.lookup(name).parameters.items() if each.type in KINDS)
    yield from (INPUT, DEPTH)


def _convolutions(context: click.Context, _: str) -> Iterable[str]:
    """The paths of the convolutions that can be replaced, and of what is around them, in the catalog."""
    from costlab.advise.factorize.factorize import factorize

    target = _target(context)
    if not catalog.is_listed(target.partition(":")[0]):
        return ()
    paths = [each.path.split(".") for each in factorize(target).replacements]
    return dict.fromkeys(".".join(path[:end]) for path in paths for end in range(1, len(path) + 1))


def _quantities(_: click.Context, __: str) -> Iterator[str]:
    from costlab.explore.scaling.subject import KNOWN

    return iter(KNOWN)


def _ablations(_: click.Context, word: str) -> Iterator[str]:
    return _in_code(catalog.ablations(), word)


def _experiments(_: click.Context, word: str) -> Iterator[str]:
    from costlab.train.experiments import names

    return _in_code(names(), word)


def _conventions(_: click.Context, __: str) -> Iterable[str]:
    from costlab.counting.convention import conventions

    return conventions()


def _devices(_: click.Context, __: str) -> Iterable[str]:
    from costlab.hardware.device import devices

    return devices()


def _shells(_: click.Context, __: str) -> Iterable[str]:
    from costlab.cli.install_completion import SHELLS

    return SHELLS


def _claims(context: click.Context, _: str) -> Iterator[str]:
    from costlab.paper.claims import CLAIMS

    given = context.params.get("ids") or ()
    return (claim for claim in CLAIMS if claim not in given)


def _listed(context: click.Context, word: str) -> Iterable[str]:
    """What ``costlab list`` describes, by its options."""
    for option, listed in (("conventions", _conventions), ("devices", _devices)):
        if context.params.get(option):
            return listed(context, word)
    return (_ablations if context.params.get("sets") else _targets)(context, word)


def _settings_of_recipes(_: click.Context, __: str) -> Iterator[str]:
    from dataclasses import fields

    from costlab.train.recipe import Recipe

    return (f"{field.name}=" for field in fields(Recipe))


def _rules(_: click.Context, word: str) -> Iterator[str]:
    """The rules of lint, behind those that were typed."""
    from costlab.advise.lint.finding import RULES
    from costlab.advise.lint.silence import ALL

    before, comma, _last = word.rpartition(",")
    taken = before.split(",")
    yield from (f"{before}{comma}{rule}" for rule in (*RULES, ALL) if rule not in taken)


def _data(_: click.Context, word: str) -> Iterator[str]:
    source, joint, path = word.partition(":")
    yield from (f"{source}:{folder}" for folder in _files(path, ())) if joint else SOURCES


KINDS: dict[str, Callable[[click.Context, str], Iterable[str]]] = {
    "target": _targets,
    "axis": _axes,
    "convolution": _convolutions,
    "quantity": _quantities,
    "ablation": _ablations,
    "experiment": _experiments,
    "convention": _conventions,
    "claim": _claims,
    "listed": _listed,
    "recipe": _settings_of_recipes,
    "rule": _rules,
    "data": _data,
    "device": lambda _, __: DEVICES,
    "hardware": _devices,
    "shell": _shells,
}


class Bash(BashComplete):
    """Bash takes words apart and completes the last part; behind a joint it puts no blank."""

    source_template = BashComplete.source_template.replace(
        "COMPREPLY+=($value)", "COMPREPLY+=($value)\n            [[ $value == *[:=/] ]] && compopt -o nospace"
    )
    before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before, and the one to complete, put together."""
        before, last = super().get_completion_args()
        words: list[str] = []
        joined = False
        for word in (*before, last):
            joint = bool(re.fullmatch(rf"[{JOINTS}]+", word))
            if words and (joint or joined):
                words[-1] += word
            else:
                words.append(word)
            joined = joint
        *arguments, incomplete = words
        if incomplete != last or joined:
            self.before = incomplete[: max(map(incomplete.rfind, JOINTS)) + 1]
        return arguments, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """The part of the word that bash completes; click takes off the name of an option."""
        for before in (self.before, self.before.partition("=")[2]):
            if before and str(item.value).startswith(before):
                return f"{item.type},{str(item.value).removeprefix(before)}"
        return super().format_completion(item)


class Fish(FishComplete):
    """Fish takes a comma for the end of a word; what is completed has some."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


def add_shells() -> None:
    """Let bash and fish complete so."""
    for shell in (Bash, Fish):
        add_completion_class(shell)


def register(request: str) -> None:
    """Let shells complete so.

    Raises:
        UsageError: the request is none that a shell makes, or what it completes is not beside it.
    """
    add_shells()
    shell, _, asked = request.partition("_")
    number = os.environ.get("COMP_CWORD", "")
    known = get_completion_class(shell) is not None and asked in ("source", "complete")
    whole = "COMP_WORDS" in os.environ and (shell == "fish" or number.isdecimal())
    if not known or (asked == "complete" and not whole):
        raise click.UsageError("_COSTLAB_COMPLETE is for shells: unset it, or give it bash_source")
