"""Targets: what a user may name on a command line, or hand to `costlab.count`."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias, cast

from costlab.algebra.block import Block, Node
from costlab.algebra.catalog import is_shipped, lookup
from costlab.algebra.define import Definition
from costlab.algebra.dim import refuse_clashes, text
from costlab.algebra.parameter import closest
from costlab.algebra.shape import AnyShape, as_shape
from costlab.algebra.user_code import importable, is_file, load_file, load_module, user_code
from costlab.errors import CostlabError, DefinitionError, TargetError

TargetLike: TypeAlias = str | Block | Definition[...]
FORMS = "a name from costlab list, file.py:attribute or package.module:attribute"
IN_FILE = re.compile(r"(?P<source>.+?\.py):(?P<attribute>\w+)(?::(?P<settings>.*))?")
IN_MODULE = re.compile(r"(?P<source>\w+(?:\.\w+)*):(?P<attribute>\w+)(?::(?P<settings>.*))?")
IN_CATALOG = re.compile(r"(?P<name>\w+)(?::(?P<settings>.*))?")


class Target(NamedTuple):
    """A block with the name that it was asked for by, and the input shape that it is counted at.

    ``theirs`` says that it was named and comes from code of the user's, ``folder`` where modules that
    this code imports may lie besides.
    """

    label: str
    block: Block
    input: AnyShape
    theirs: bool = False
    folder: Path | None = None

    def walk(self) -> Node:
        """What happens to the input, operation by operation.

        Raises:
            ShapeError: a part does not accept its input; the error names the part's path.
            DefinitionError: dimensions cannot be put together, or blocks are nested too deeply.
            TargetError: an operation of the user's raises something.
        """
        try:
            with _guard(self.label, self.theirs, self.folder):
                return self._walk()
        except RecursionError:
            raise DefinitionError(f"{self.label}: blocks are nested too deeply") from None

    def _walk(self) -> Node:
        try:
            return self.block.walk(self.input)
        except (TypeError, ValueError, AttributeError):
            refuse_clashes([*self.input, *(value for _, value in self.block.settings())])
            raise


@contextmanager
def _guard(source: str, theirs: bool, folder: Path | None) -> Iterator[None]:
    """Run code with care if it is theirs, with what lies beside it at hand."""
    with user_code(source) if theirs else nullcontext(), importable(folder) if folder else nullcontext():
        yield


class _Source(NamedTuple):
    """What a target's name stands for, with the settings typed after it."""

    value: object
    typed: str = ""
    theirs: bool = False
    folder: Path | None = None


def resolve(target: TargetLike, input: object = None, **settings: Any) -> Target:
    """What ``target`` names, with the input shape that it is counted at.

    A target is a catalog name, ``file.py:attribute`` or ``package.module:attribute`` (each with
    ``:name=value,...`` after it), a `Definition` or a `Block`.

    Raises:
        TargetError: it names nothing, its code fails, or no input shape is known for it.
        DefinitionError: a setting or the input is malformed.
    """
    shape = None if input is None else as_shape(input)
    source = _find(target) if isinstance(target, str) else _Source(target)
    label = target.encode("utf-8", "backslashreplace").decode() if isinstance(target, str) else ""
    if isinstance(found := source.value, Definition):
        label = _labelled(label or found.name, bool(source.typed), settings)
        with _guard(found.name, source.theirs, source.folder):
            typed = found.read(source.typed)
            if twice := next((name for name in settings if name in typed), None):
                raise DefinitionError(f"{label}: {twice} is given twice")
            block = cast("Callable[..., Block]", found)(**typed, **settings)
        shape = shape or found.input
    elif isinstance(found, Block):
        label = label or found.title
        block = found
        if source.typed or settings:
            raise TargetError(f"{label} is a block, made already, and takes no settings")
    else:
        raise TargetError(f"{found!r} is no target: a target is {FORMS}, a Definition or a Block")
    if shape is None:
        raise TargetError(f"{label} has no input shape of its own: give one, such as 3x224x224")
    return Target(label, block, shape, source.theirs, source.folder)


def _labelled(name: str, typed: bool, settings: dict[str, Any]) -> str:
    """The name with the settings as they would be typed after it."""
    shown = (
        f"{key}={str(value).lower() if isinstance(value, bool) else text(value)}"
        for key, value in settings.items()
    )
    return name + ("," if typed else ":") * bool(settings) + ",".join(shown)


def _find(target: str) -> _Source:
    if match := IN_FILE.fullmatch(target):
        file = Path(match["source"])
        module, folder = load_file(file), file.resolve().parent
    elif (match := IN_MODULE.fullmatch(target)) and not _in_catalog(match["source"]):
        if is_file(Path(match["source"])):
            raise TargetError(f"{match['source']} is no Python file: its name must end in .py")
        module, folder = load_module(match["source"]), Path.cwd()
    elif match := IN_CATALOG.fullmatch(target):
        theirs = not is_shipped(match["name"])
        return _Source(lookup(match["name"]), match["settings"] or "", theirs)
    elif target.endswith(".py"):
        raise TargetError(f"{target}: say which attribute of the file, as in {target}:network")
    else:
        raise TargetError(f"{target!r} names nothing: a target is {FORMS}")
    value = _attribute(module, match["attribute"], match["source"])
    return _Source(value, match["settings"] or "", True, folder)


def _in_catalog(name: str) -> bool:
    try:
        lookup(name)
    except CostlabError:  # there is none, or a package that may have one is broken
        return False
    return True


def _attribute(module: ModuleType, attribute: str, source: str) -> Block | Definition[...]:
    missing = object()
    with user_code(source, surely=True):  # a module may have a __getattr__
        value = getattr(module, attribute, missing)
    if value is missing:
        public = [name for name in vars(module) if not name.startswith("_")]
        raise TargetError(f"{source} has no {attribute!r}{closest(attribute, public)}")
    if isinstance(value, Block | Definition):
        return value
    if callable(value) and not isinstance(value, type):
        return Definition(value)
    what = "class" if isinstance(value, type) else type(value).__name__
    raise TargetError(f"{source}:{attribute} is a {what}, not a block or a function that returns one")
