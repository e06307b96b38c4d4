"""Finding: what a user names on a command line, or hands to `costlab.count`."""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast

from costlab.algebra.block import Block
from costlab.algebra.define import Definition
from costlab.algebra.dim import as_dim, text
from costlab.algebra.inputs import as_input
from costlab.algebra.parameter import closest
from costlab.errors import DefinitionError, TargetError
from costlab.targets.catalog import is_listed, is_listed_ablation, is_shipped, lookup, lookup_ablation
from costlab.targets.target import Target, Variant, guard
from costlab.targets.torch_module import Factory, as_block, is_module, is_module_class

if TYPE_CHECKING:
    from pathlib import Path

    from costlab.targets.ablation import Ablation


class TorchModule(Protocol):
    """A module of PyTorch, told by what it has: nothing here imports torch for its sake."""

    training: bool

    def state_dict(self, *args: Any, **kwargs: Any) -> Any: ...


TargetLike: TypeAlias = str | Block | Definition[...] | Variant | TorchModule
FORMS = "a name from costlab list, file.py:attribute or package.module:attribute"
IN_FILE = r"(?P<source>.+?\.py):(?P<attribute>\w+)(?::(?P<settings>.*))?"
IN_MODULE = r"(?P<source>\w+(?:\.\w+)*):(?P<attribute>\w+)(?::(?P<settings>.*))?"
IN_CATALOG = r"(?P<name>\w+)(?::(?P<settings>.*))?"


def resolve(target: TargetLike, input: object = None, **settings: Any) -> Target:
    """What ``target`` names, with the input shape that it is counted at.

    A target is a catalog name, ``file.py:attribute`` or ``package.module:attribute`` (each with
    ``:name=value,...`` after it), a `Definition`, a `Variant` or a `Block`.

    Raises:
        TargetError: it names nothing, its code fails, or no input shape is known for it.
        DefinitionError: a setting or the input is malformed.
    """
    shape = None if input is None else as_input(input, called)
    return found_with(target, settings).resolve(shape)


def found_with(target: TargetLike, settings: Mapping[str, Any]) -> Variant:
    """What ``target`` names, with further settings, which its label shows as if they had been typed.

    Raises:
        TargetError: it names nothing, or its code fails.
        DefinitionError: a setting is malformed or given twice.
    """
    found = find(target)
    if settings and not isinstance(found.subject, Block):
        found = replace(found, label=labelled(found.label, settings, bool(found.settings)))
    return found.with_settings(settings)


def find(target: TargetLike) -> Variant:
    """What ``target`` names, with the settings typed after it.

    Raises:
        TargetError: it names nothing, or its code fails.
        DefinitionError: a setting is malformed.
    """
    if isinstance(target, Variant):
        return target
    if isinstance(target, Definition):
        return Variant(target.name, target)
    if isinstance(target, Block):
        return Variant(target.title, target)
    if is_module(target):
        made = as_block(target)
        return Variant(made.title, made)
    if not isinstance(target, str):
        raise TargetError(f"{target!r} is no target: a target is {FORMS}, a Definition, a Block or a Module")
    label = target.encode("utf-8", "backslashreplace").decode()
    source = source_of(target)
    subject = _subject(source)
    if isinstance(subject, Block):
        if source.typed:
            raise TargetError(f"{label} is a block, made already, and takes no settings")
        return Variant(label, subject, {}, None, source.theirs, source.folder)
    with guard(subject.name, source.theirs, source.folder):
        settings = subject.read(source.typed)
    return Variant(label, subject, settings, None, source.theirs, source.folder)


def variant(target: TargetLike, input: object = None, batch: int = 1, **settings: Any) -> Variant:
    """A target with settings, and perhaps an input of its own, for an `Ablation`.

    ``batch`` is how many inputs it takes where others take one, such as the crops of an image.

    Raises:
        TargetError, DefinitionError: as `resolve`; also for a batch that is no whole number of at least 1.
    """
    number = as_dim("batch", batch)
    if not isinstance(number, int):
        raise DefinitionError(f"batch={text(number)} must be a single number")
    found = replace(found_with(target, settings), batch=number)
    return found if input is None else replace(found, input=as_input(input, called))


def find_ablation(name: str) -> "Ablation":
    """The ablation of that name from the catalog, or ``file.py:attribute``, ``package.module:attribute``.

    Raises:
        TargetError: there is none, or its code fails.
    """
    from costlab.targets.ablation import Ablation

    if not isinstance(name, str):
        raise TargetError(f"{name!r} is no ablation: give its name, file.py:attribute or an Ablation")
    in_catalog = re.fullmatch(IN_CATALOG, name)
    if in_catalog and (not in_catalog["settings"] or is_listed_ablation(in_catalog["name"])):
        found, settings = lookup_ablation(in_catalog["name"]), in_catalog["settings"]
        theirs, folder = not is_shipped(found), None
    else:
        source = source_of(name)
        if not isinstance(source.value, Ablation):
            raise TargetError(f"{name} is of type {type(source.value).__name__}, not an Ablation")
        found, settings, theirs, folder = source.value, source.typed, True, source.folder
    if settings:
        raise TargetError(f"{name}: an ablation takes no settings")
    if not theirs:
        return found
    variants = {label: replace(made, theirs=True, folder=folder) for label, made in found.variants.items()}
    return replace(found, variants=variants)


def called(text: str) -> object:
    """What the function of that name, in code of the user's, gives.

    Raises:
        TargetError: there is none, or it fails.
    """
    source = source_of(text)
    if not callable(source.value):
        raise TargetError(f"input={text}: a {type(source.value).__name__} is no function that gives tensors")
    with guard(text, theirs=True, folder=source.folder):
        given: object = source.value()
    return given


class Source(NamedTuple):
    """The value that a name leads to, and the settings typed after it."""

    name: str
    value: object
    typed: str
    theirs: bool
    folder: "Path | None" = None


def source_of(target: str) -> Source:
    """The value that a target, or the name of a set, leads to.

    Raises:
        TargetError: it leads to nothing, or the code there fails.
    """
    match = re.fullmatch(IN_CATALOG, target)
    if match and (":" not in target or is_listed(match["name"]) or not re.fullmatch(IN_MODULE, target)):
        definition = lookup(match["name"])
        return Source(match["name"], definition, match["settings"] or "", not is_shipped(definition))
    return _in_code(target)


def _in_code(target: str) -> Source:
    """The value that a name leads to in a file, or in a module."""
    from costlab.targets.user_code import is_file, load_file, load_module

    if match := re.fullmatch(IN_FILE, target):
        module, folder = load_file(match["source"])
    elif match := re.fullmatch(IN_MODULE, target):
        if is_file(match["source"]):
            raise TargetError(f"{match['source']} is no Python file: its name must end in .py")
        module, folder = load_module(match["source"])
    elif target.endswith(".py"):
        raise TargetError(f"{target}: say which attribute of the file, as in {target}:network")
    else:
        raise TargetError(f"{target!r} names nothing: a target is {FORMS}")
    value = _attribute(module, match["attribute"], match["source"])
    name = f"{match['source']}:{match['attribute']}"
    return Source(name, value, match["settings"] or "", True, folder)


def _attribute(module: ModuleType, attribute: str, source: str) -> object:
    from costlab.targets.user_code import user_code

    missing = object()
    with user_code(source, surely=True):  # a module may have a __getattr__
        value: object = getattr(module, attribute, missing)
    if value is missing:
        public = [name for name in vars(module) if not name.startswith("_")]
        raise TargetError(f"{source} has no {attribute!r}{closest(attribute, public)}")
    return value


def _subject(source: Source) -> Block | Definition[...]:
    value = source.value
    if isinstance(value, Block | Definition):
        return value
    if is_module(value):
        return as_block(value)
    from costlab.targets.ablation import Ablation

    if isinstance(value, Ablation):
        raise TargetError(f"{source.name} is an ablation: costlab compare --ablation {source.name}")
    if is_module_class(value) or (callable(value) and not isinstance(value, type)):
        return Factory(cast("Any", value))
    what = "a class" if isinstance(value, type) else f"of type {type(value).__name__}"
    raise TargetError(f"{source.name} is {what}, not a block, a module, or a function that returns one")


def labelled(name: str, settings: Mapping[str, Any], typed: bool = False) -> str:
    """A name with settings as they would be typed after it, perhaps after others."""
    shown = (
        f"{key}={str(value).lower() if isinstance(value, bool) else text(value)}"
        for key, value in settings.items()
    )
    return name + ("," if typed else ":") * bool(settings) + ",".join(shown)
