"""Running the user's code: its output goes to standard error, its errors become one line."""

import importlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from inspect import isroutine
from pathlib import Path
from threading import RLock
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from costlab.errors import CostlabError, TargetError, one_line
from costlab.files import working_folder
from costlab.messages import message_of

if TYPE_CHECKING:
    from traceback import FrameSummary

PACKAGE = Path(__file__).parents[1]
OURS = (PACKAGE, PACKAGE.with_name("blocks"))
STANDARD = Path(os.__file__).parent
INSTALLED = {"site-packages", "dist-packages"}
BETWEEN = PACKAGE / "tracing" / "construction.py"
"""What stands between a function that makes a model and torch, and raises nothing of its own."""
LIBRARIES = {"fvcore", "mpmath", "numpy", "pandas", "sympy", "torch"}
"""Packages that costlab calls itself: an error raised in one of them is attributed to the caller."""

SYMBOL_ROUNDED = re.compile(r"Cannot (?:convert symbols to|round symbolic)")
"""What SymPy says where int() or round() is called with a symbol."""
_lock = RLock()  # standard output, the import path and the loaded modules are global
_imported: dict[Path, dict[str, ModuleType]] = {}
"""The modules that the code of each folder has imported from it."""
_loaded: set[str] = set()
"""The files that were named."""


@contextmanager
def user_code(source: str, *, surely: bool = False) -> Iterator[None]:
    """Run the user's code with its output on standard error, and its errors as a `TargetError` of one line.

    An error in costlab's own code is raised as it is, unless the code is ``surely`` the user's.

    Raises:
        TargetError: the code raised an error, or exits.
    """
    try:
        with _lock, redirect_stdout(sys.stderr):
            yield
    except (CostlabError, KeyboardInterrupt):
        raise
    except BaseException as error:
        place = _culprit(error)
        if place is None and isinstance(error, RecursionError):
            raise TargetError(f"{source}: blocks are nested too deeply, or one contains itself") from None
        if place is None and not surely:
            raise
        where = f" ({place[0].name}, line {place[1]})" if place else ""
        hint = ": scale(channels, number) takes symbols" if SYMBOL_ROUNDED.search(message_of(error)) else ""
        raise TargetError(f"{source}: {one_line(error)}{where}{hint}") from error


def load_file(name: str) -> tuple[ModuleType, Path]:
    """The module in a file, and the folder of the file.

    Raises:
        TargetError: there is no such file, or its code fails.
    """
    file = Path(name)
    if not is_file(name):
        raise TargetError(f"{file}: there is no such file")
    from importlib.machinery import SourceFileLoader
    from importlib.util import module_from_spec, spec_from_file_location

    class Source(SourceFileLoader):
        """Reads the file as it is now: bytecode may be of another edit within the same second."""

        def get_code(self, fullname: str) -> CodeType:
            return self.source_to_code(self.get_data(self.path), self.path)

    module_name = "costlab_target_" + re.sub(r"\W", "_", str(file.resolve()))
    spec = spec_from_file_location(module_name, file, loader=Source(module_name, str(file)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    _loaded.add(str(file.resolve()))
    sys.modules[spec.name] = module  # dataclasses and pickles look their module up
    folder = file.resolve().parent
    with user_code(str(file), surely=True), importable(folder):
        spec.loader.exec_module(module)
    return module, folder


def load_module(name: str) -> tuple[ModuleType, Path]:
    """The module of that name, in the working folder or installed, and the working folder.

    Raises:
        TargetError: there is none, or its code fails.
    """
    folder = working_folder()
    with user_code(name, surely=True), importable(folder):
        return importlib.import_module(name), folder


def is_file(name: str) -> bool:
    """Whether there is a file of that name.

    Raises:
        TargetError: it is unknown, as the name is too long, or a folder may not be read.
    """
    try:
        return Path(name).is_file()
    except OSError as error:
        raise TargetError(f"{Path(name)}: {error.strerror}") from error


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Modules in the folder can be imported, as if Python ran a file there.

    Modules that code of another folder has imported from there are hidden, as they may have the same names.
    """
    with _lock:
        for other, modules in _imported.items():
            for name, module in modules.items():
                if other != folder and sys.modules.get(name) is module:
                    del sys.modules[name]
        own = _imported.setdefault(folder, {})
        for name, module in own.items():
            sys.modules.setdefault(name, module)
        before = set(sys.modules)
        entry = str(folder)
        sys.path.insert(0, entry)
        importlib.invalidate_caches()
        try:
            yield
        finally:
            with suppress(ValueError):
                sys.path.remove(entry)
            new = {name: sys.modules[name] for name in sys.modules.keys() - before}
            own.update({name: module for name, module in new.items() if _lies_in(folder, module)})


def _file(module: ModuleType) -> str:
    return str(Path(getattr(module, "__file__", None) or "").resolve())


def _lies_in(folder: Path, module: ModuleType) -> bool:
    """Whether a module is in the folder itself, and not in a package installed below it."""
    file = Path(getattr(module, "__file__", None) or "")
    known = (
        _is_ours(file) or INSTALLED.intersection(file.parts) or module.__name__.startswith("costlab_target_")
    )
    return folder in file.parents and not known


def _culprit(error: BaseException) -> tuple[Path, int | None] | None:
    """The innermost call outside of libraries: its file and line; None if that is costlab's own code."""
    for call in reversed(_calls(error)):
        file = Path(call.filename)
        installed = INSTALLED.intersection(file.parts)
        library = installed and LIBRARIES.intersection(file.parts)
        if library or (STANDARD in file.parents and not installed) or not file.is_file():
            continue
        return None if _is_ours(file) else (file, call.lineno)
    return None


def users_place(error: BaseException) -> tuple[Path, int | None] | None:
    """The file and line of the user's own code that raised an error; None if nothing of theirs did."""
    place = _culprit(error)
    own = {*_loaded, *(file for modules in _imported.values() for file in map(_file, modules.values()))}
    return place if place and str(place[0].resolve()) in own else None


def comes_from_call(error: BaseException, file: str) -> bool:
    """Whether an error was raised in a call of what the user named, which costlab makes in a file.

    That is by the call itself, which does not take its arguments, or in a library or Python's own.
    """
    *_, call = _calls(error)
    return _culprit(error) is None and (call.filename == file or not _is_ours(Path(call.filename)))


def _calls(error: BaseException) -> "list[FrameSummary]":
    from traceback import extract_tb

    return [call for call in extract_tb(error.__traceback__) if Path(call.filename) != BETWEEN]


def is_standard(value: Any) -> bool:
    """Whether a function, or an object that can be called, is of Python's own library.

    What functools makes is of the function in it.
    """
    kind = type(value)
    if isinstance(value, type) or not callable(value) or kind.__module__ == "functools":
        return False
    name = getattr(value if isroutine(value) else kind, "__module__", None)
    home = sys.modules.get(name.partition(".")[0]) if isinstance(name, str) else None
    origin = getattr(getattr(home, "__spec__", None), "origin", None) or ""
    file = Path(origin)
    return origin in ("built-in", "frozen") or (
        STANDARD in file.parents and not INSTALLED.intersection(file.parts)
    )


def _is_ours(file: Path) -> bool:
    return any(folder in file.parents for folder in OURS)
