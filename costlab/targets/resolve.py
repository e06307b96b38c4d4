"""Finding: what a user names on a command line, or hands to `costlab.count`."""

import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from costlab.algebra.block import Block
from costlab.algebra.define import Definition
from costlab.algebra.dim import as_dim, text
from costlab.algebra.inputs import as_input
from costlab.algebra.parameter import closest
from costlab.errors import DefinitionError, TargetError
from costlab.messages import a, named
from costlab.targets.catalog import is_listed, is_shipped, lookup
from costlab.targets.like import TargetLike
from costlab.targets.target import Target, Variant, guard
from costlab.targets.torch_module import (
    AWAITED,
    Factory,
    as_block,
    is_module,
    is_module_class,
    is_program,
)

if TYPE_CHECKING:
    from pathlib import Path

FORMS = "a name from costlab list, file.py:attribute, package.module:attribute, file.onnx or file.pt2"
IN_FILE = r"(?P<source>.+?\.py):(?P<attribute>\w+)(?::(?P<settings>.*))?"
IN_MODULE = r"(?P<source>\w+(?:\.\w+)*):(?P<attribute>\w+)(?::(?P<settings>.*))?"
IN_MODEL_FILE = r"(?P<file>.+\.(?i:onnx|pt2))(?::(?P<settings>.*))?"
IN_CATALOG = r"(?P<name>\w+)(?::(?P<settings>.*))?"
FOLDER = r"^(\S+ of )?[^:]*/(?=[^/:]+\.(?:py|(?i:onnx|pt2))(:|$))"
"""The folder of a file in a label, behind what is done to the network."""


def resolve(target: TargetLike, input: object = None, **settings: Any) -> Target:
    """The target that ``target`` names, with the shape of its input.

    A target is a catalog name, ``file.py:attribute`` or ``package.module:attribute`` (each with
    ``:name=value,...`` after it), a file of a model, ``.onnx`` or ``.pt2``, a `Definition`, a `Variant` or a
    member of a space, a `Block`, a module of PyTorch, what makes one, its class or a function, an exported
    program, or a model of ONNX.

    Raises:
        TargetError: it names nothing, its code fails, or the shape of its input is unknown.
        DefinitionError: a setting or the input is malformed.
    """
    shape = None if input is None else as_input(input, call_by_name)
    return find_with_settings(target, settings).resolve(shape)


def find_with_settings(target: TargetLike, settings: Mapping[str, Any]) -> Variant:
    """The variant that ``target`` names, with further settings, added to its label as if typed.

    Raises:
        TargetError: it names nothing, or its code fails.
        DefinitionError: a setting is malformed or given twice.
    """
    variant = find(target)
    if settings and not isinstance(variant.subject, Block):
        variant = replace(variant, label=label_with_settings(variant.label, settings, bool(variant.settings)))
    return variant.with_settings(settings)


def find(target: TargetLike) -> Variant:
    """The variant that ``target`` names, with the settings typed after it.

    Raises:
        TargetError: it names nothing, or its code fails.
        DefinitionError: a setting is malformed.
    """
    if isinstance(target, Variant):
        return target
    if isinstance(target, Definition):
        return Variant(target.name, target)
    if isinstance(target, Block):
        return Variant(target.title, target, input=target.default_input)
    if is_module(target) or is_program(target):
        block = as_block(target)
        return Variant(block.title, block, input=block.default_input)
    if is_module_class(target) or inspect.isroutine(target) or isinstance(target, partial):
        made_by = Factory(cast("Any", target))
        return Variant(made_by.name, made_by, from_user=True)
    if isinstance(held := getattr(target, "variant", None), Variant):
        return held
    return _find_by_name(target) if isinstance(target, str) else _find_otherwise(target)


def _find_otherwise(target: object) -> Variant:
    """The variant that something is which holds a model, or leads to its file."""
    file = os.fspath(target) if isinstance(target, os.PathLike) else ""
    if isinstance(file, str) and re.fullmatch(IN_MODEL_FILE, file):
        return _find_by_name(file)
    if "onnx" in sys.modules:
        from costlab.targets.model_file import is_onnx_model, model_in_memory

        if is_onnx_model(target):
            return model_in_memory(target)
    from costlab.targets.instead import instead

    hint = instead(target) or f"a target is {FORMS}, a Definition, a Block or a Module"
    raise TargetError(f"{named(target)} is no target: {hint}")


def _find_by_name(target: str) -> Variant:
    """The variant that a user typed."""
    if match := re.fullmatch(IN_MODEL_FILE, target):
        from costlab.targets.model_file import model_in

        return model_in(match["file"], match["settings"])
    label = target.encode("utf-8", "backslashreplace").decode()
    reference = load_reference(target)
    subject = _subject(reference)
    if isinstance(subject, Block):
        if reference.settings_text:
            raise TargetError(f"{label} is a block, made already, and takes no settings")
        return Variant(label, subject, {}, subject.default_input, reference.from_user, reference.folder)
    with guard(subject.name, reference.from_user, reference.folder):
        settings = subject.read(reference.settings_text)
    return Variant(label, subject, settings, None, reference.from_user, reference.folder)


def variant(target: TargetLike, input: object = None, batch: int = 1, **settings: Any) -> Variant:
    """A target with settings, and with an input of its own if one is given, for an `Ablation`.

    ``batch`` is the number of inputs for which others take one, such as the crops of an image.

    Raises:
        TargetError, DefinitionError: as `resolve`; also for a batch that is no whole number of at least 1.
    """
    number = as_dim("batch", batch)
    if not isinstance(number, int):
        raise DefinitionError(f"batch={text(number)} must be a single number")
    variant = replace(find_with_settings(target, settings), batch=number)
    return variant if input is None else replace(variant, input=as_input(input, call_by_name))


def find_definition(name: str) -> Definition[...]:
    """The definition of that name, in the catalog, a file or a package; or what makes a module there.

    Raises:
        TargetError: there is none, or its code fails.
    """
    found = find(name)
    if isinstance(found.subject, Block):
        raise TargetError(f"{name} is made already, and has no parameters")
    if found.settings:
        raise TargetError(f"{name}: name the definition without its settings")
    return found.subject


def call_by_name(text: str) -> object:
    """The result of a function in the user's code, ``file.py:name`` or ``package.module:name``.

    Raises:
        TargetError: there is no such function, or it fails.
    """
    reference = load_reference(text)
    if not callable(reference.value):
        what = a(type(reference.value).__name__)
        raise TargetError(f"input={text}: {what} is no function that gives tensors")
    with guard(text, from_user=True, folder=reference.folder, surely=True):
        result: object = reference.value()
    if inspect.iscoroutine(result):
        result.close()
        raise TargetError(f"input={text}: the function is asynchronous: {AWAITED}")
    if result is None:
        raise TargetError(f"input={text}: the function gives None, and no tensors")
    return result


class Reference(NamedTuple):
    """The value that a name stands for, and the settings typed after it."""

    name: str
    value: object
    settings_text: str
    from_user: bool
    folder: "Path | None" = None


def load_reference(target: str) -> Reference:
    """The value that the name of a target or of an ablation stands for.

    Raises:
        TargetError: there is none, or its code fails.
    """
    match = re.fullmatch(IN_CATALOG, target)
    if match and (":" not in target or is_listed(match["name"]) or not re.fullmatch(IN_MODULE, target)):
        definition = lookup(match["name"])
        return Reference(match["name"], definition, match["settings"] or "", not is_shipped(definition))
    return _in_code(target)


def _in_code(target: str) -> Reference:
    """The value that a name leads to in a file, or in a module."""
    from costlab.targets.other_file import told_of
    from costlab.targets.user_code import is_file, load_file, load_module

    if told := told_of(target):
        raise TargetError(told)
    if match := re.fullmatch(IN_FILE, target):
        module, folder = load_file(match["source"])
    elif match := re.fullmatch(IN_MODULE, target):
        if is_file(match["source"]):
            raise TargetError(f"{match['source']} is no Python file: its name must end in .py")
        module, folder = load_module(match["source"])
    elif target.endswith(".py"):
        raise TargetError(f"{target}: say which attribute of the file, as in {target}:network")
    else:
        raise TargetError(f"{named(target)} names nothing: a target is {FORMS}")
    value = _attribute(module, match["attribute"], match["source"])
    name = f"{match['source']}:{match['attribute']}"
    return Reference(name, value, match["settings"] or "", True, folder)


def _attribute(module: ModuleType, attribute: str, source: str) -> object:
    from costlab.targets.user_code import user_code

    missing = object()
    with user_code(source, surely=True):  # a module may have a __getattr__
        value: object = getattr(module, attribute, missing)
    if value is missing:
        public = [name for name in vars(module) if not name.startswith("_")]
        raise TargetError(f"{source} has no {named(attribute)}{closest(attribute, public)}")
    return value


def _subject(reference: Reference) -> Block | Definition[...]:
    value = reference.value
    if isinstance(value, Block | Definition):
        return value
    if is_module(value) or is_program(value):
        return as_block(value)
    from costlab.targets.ablation import Ablation

    if isinstance(value, Ablation):
        raise TargetError(f"{reference.name} is an ablation: costlab compare --ablation {reference.name}")
    if callable(value):
        from costlab.targets.user_code import is_standard

        if is_standard(value):
            raise TargetError(f"{reference.name} is of Python's own library, which returns no networks")
    if is_module_class(value) or _is_factory(reference):
        return Factory(cast("Any", value))
    what = "a class" if isinstance(value, type) else f"of type {type(value).__name__}"
    from costlab.targets.instead import instead

    hint = instead(value)
    wanted = "not a block, a module, or a function that returns one"
    raise TargetError(f"{reference.name} is {what}, {wanted}{hint and f'; {hint}'}")


def _is_factory(reference: Reference) -> bool:
    """Whether a value is called to get a module. An object that leads to one, and takes inputs, wraps it."""
    value = reference.value
    if not callable(value) or isinstance(value, type):
        return False
    if inspect.isroutine(value):
        return True
    from costlab.targets.instead import instead

    return not instead(value) or not _takes_inputs(value, reference.settings_text)


def _takes_inputs(value: Callable[..., object], settings: str) -> bool:
    """Whether an object is called with more than the settings that were typed."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return True
    open_ended = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    return open_ended or (not settings and any(each.default is each.empty for each in parameters))


def label_with_settings(name: str, settings: Mapping[str, Any], after_others: bool = False) -> str:
    """A name with settings as they would be typed after it; ``after_others`` if it has some already."""
    texts = (
        f"{key}={str(value).lower() if isinstance(value, bool) else text(value)}"
        for key, value in settings.items()
    )
    return f"{name}{',' if after_others else ':'}{','.join(texts)}" if settings else name


def without_folder(label: str) -> str:
    """A target's label without the folder that its file lies in."""
    return re.sub(FOLDER, r"\1", label)
