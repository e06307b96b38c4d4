"""Targets: what a user may name on a command line, or hand to `costlab.count`."""

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias, cast

from costlab.algebra.block import Block
from costlab.algebra.catalog import lookup
from costlab.algebra.define import Definition
from costlab.algebra.parameter import closest
from costlab.algebra.shape import AnyShape, as_shape
from costlab.errors import CostlabError, TargetError

TargetLike: TypeAlias = str | Block | Definition[...]
FORMS = "a name from costlab list, file.py:attribute or package.module:attribute"
IN_FILE = re.compile(r"(?P<source>.+\.py):(?P<attribute>\w+)(?::(?P<settings>.*))?")
IN_MODULE = re.compile(r"(?P<source>\w+(?:\.\w+)*):(?P<attribute>\w+)(?::(?P<settings>.*))?")
IN_CATALOG = re.compile(r"(?P<name>\w+)(?::(?P<settings>.*))?")
OURS = Path(__file__).parents[1]


class Target(NamedTuple):
    """A block with the name that it was asked for by, and the input shape that it is counted at."""

    label: str
    block: Block
    input: AnyShape


def resolve(target: TargetLike, input: object = None, **settings: Any) -> Target:
    """What ``target`` names, with the input shape that it is counted at.

    A target is a catalog name, ``file.py:attribute`` or ``package.module:attribute`` (each with
    ``:name=value,...`` after it), a `Definition` or a `Block`.

    Raises:
        TargetError: it names nothing, its code fails, or no input shape is known for it.
        DefinitionError: a setting or the input is malformed.
    """
    shape = None if input is None else as_shape(input)
    source, typed = _find(target) if isinstance(target, str) else (target, "")
    if isinstance(source, Definition):
        label = target if isinstance(target, str) else source.name
        with _user_code(source.name):
            block = cast("Callable[..., Block]", source)(**(source.read(typed) | settings))
        shape = shape or source.input
    elif isinstance(source, Block):
        label = target if isinstance(target, str) else source.title
        block = source
        if typed or settings:
            raise TargetError(f"{label} is a block, made already, and takes no settings")
    else:
        raise TargetError(f"{source!r} is no target: a target is {FORMS}, a Definition or a Block")
    if shape is None:
        raise TargetError(f"{label} has no input shape of its own: give one, such as 3x224x224")
    return Target(label, block, shape)


def _find(target: str) -> tuple[Block | Definition[...], str]:
    if match := IN_FILE.fullmatch(target):
        source, module = match["source"], _load_file(Path(match["source"]))
    elif (match := IN_MODULE.fullmatch(target)) and not _in_catalog(match["source"]):
        source, module = match["source"], _load_module(match["source"])
    elif match := IN_CATALOG.fullmatch(target):
        return lookup(match["name"]), match["settings"] or ""
    elif target.endswith(".py"):
        raise TargetError(f"{target}: say which attribute of the file, as in {target}:network")
    else:
        raise TargetError(f"{target!r} names nothing: a target is {FORMS}")
    return _attribute(module, match["attribute"], source), match["settings"] or ""


def _in_catalog(name: str) -> bool:
    try:
        lookup(name)
    except TargetError:
        return False
    return True


def _attribute(module: ModuleType, attribute: str, source: str) -> Block | Definition[...]:
    try:
        value = getattr(module, attribute)
    except AttributeError:
        public = [name for name in vars(module) if not name.startswith("_")]
        raise TargetError(f"{source} has no {attribute!r}{closest(attribute, public)}") from None
    if isinstance(value, Block | Definition):
        return value
    if callable(value) and not isinstance(value, type):
        return Definition(value)
    raise TargetError(
        f"{source}:{attribute} is a {type(value).__name__}, not a block or a function that returns one"
    )


def _load_file(file: Path) -> ModuleType:
    if not file.is_file():
        raise TargetError(f"{file}: there is no such file")
    from importlib.util import module_from_spec, spec_from_file_location

    name = f"costlab_target_{file.stem}"
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up
    with _user_code(str(file)), _importable(file.resolve().parent):
        spec.loader.exec_module(module)
    return module


def _load_module(name: str) -> ModuleType:
    with _user_code(name), _importable(Path.cwd()):
        return importlib.import_module(name)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let modules beside the user's be imported, as when Python runs a file there."""
    entry = str(folder)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        sys.path.remove(entry)


@contextmanager
def _user_code(source: str) -> Iterator[None]:
    """Run code that costlab does not know: what it prints is no result, what it raises one line."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except CostlabError:
        raise
    except (Exception, SystemExit) as error:
        message = " ".join(f"{type(error).__name__}: {error}".split())
        from traceback import extract_tb

        calls = [(Path(f.filename), f.lineno) for f in extract_tb(error.__traceback__)]
        theirs = [(file, line) for file, line in calls if file.is_file() and OURS not in file.parents]
        where = f" ({theirs[-1][0].name}, line {theirs[-1][1]})" if theirs else ""
        raise TargetError(f"{source}: {message}{where}") from error
