"""Code that costlab does not know: imported and run so that it cannot leave a trace or a traceback."""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from types import ModuleType

from costlab.errors import CostlabError, TargetError, one_line

OURS = Path(__file__).parents[1]
STANDARD = Path(os.__file__).parent
_folders: set[Path] = set()


@contextmanager
def user_code(source: str, *, surely: bool = True) -> Iterator[None]:
    """Run a user's code: what it prints is no result, and what it raises becomes one line.

    Unless it is ``surely`` theirs, an error passes as it is if no file of theirs took part in it.

    Raises:
        TargetError: the code raised something, or asked to exit.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (CostlabError, KeyboardInterrupt):
        raise
    except BaseException as error:
        where = _place(error, surely)
        if not where and not surely:
            raise
        raise TargetError(f"{source}: {one_line(error)}{where}") from error


def load_file(file: Path) -> ModuleType:
    """The module in a file, found by its path.

    Raises:
        TargetError: there is no such file, or its code fails.
    """
    if not file.is_file():
        raise TargetError(f"{file}: there is no such file")
    from importlib.util import module_from_spec, spec_from_file_location

    name = f"costlab_target_{file.stem}"
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up
    with user_code(str(file)), importable(file.resolve().parent):
        spec.loader.exec_module(module)
    return module


def load_module(name: str) -> ModuleType:
    """The module of that name, in the working folder or installed.

    Raises:
        TargetError: there is none, or its code fails.
    """
    with user_code(name), importable(Path.cwd()):
        return importlib.import_module(name)


@contextmanager
def importable(folder: Path | None) -> Iterator[None]:
    """Let modules in a folder be imported, as when Python runs a file there."""
    if folder is None:
        yield
        return
    _forget(_folders - {folder})
    _folders.add(folder)
    entry = str(folder)
    sys.path.insert(0, entry)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(entry)


def _forget(folders: set[Path]) -> None:
    """Forget the modules of other targets' folders: a namesake in this one is another module."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).parent in folders and not name.startswith("costlab_target_"):
            del sys.modules[name]


def _place(error: BaseException, surely: bool) -> str:
    """Where in the user's files it happened, in brackets; nothing if in none.

    Unless the code is ``surely`` theirs, installed packages are not: we call some ourselves.
    """
    from traceback import extract_tb

    calls = [(Path(call.filename), call.lineno) for call in extract_tb(error.__traceback__)]
    installed = [(file, line) for file, line in calls if "site-packages" in file.parts]
    theirs = [(file, line) for file, line in calls if file.is_file() and not _is_known(file)]
    places = theirs or (installed if surely else [])
    return f" ({places[-1][0].name}, line {places[-1][1]})" if places else ""


def _is_known(file: Path) -> bool:
    """Whether a file is of costlab, of an installed package or of Python."""
    return OURS in file.parents or STANDARD in file.parents or "site-packages" in file.parts
