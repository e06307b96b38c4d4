"""Reading and writing files: atomically, and without replacing existing files unless asked to."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from typing import IO, Any, cast

from costlab.errors import CostlabError, OutputError
from costlab.interrupts import Whole
from costlab.messages import named

PART = ".costlab-"
"""The beginning of the name of a file that is not complete yet."""
STANDARD_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
OPEN_STREAMS = r"/(?:dev|proc/self)/fd/(\d+)"


def write(file: Path, content: str | bytes, *, replace: bool) -> None:
    """Write ``content`` to ``file`` atomically: at any moment there is the old or the new file.

    A device, a pipe or an open stream is written to directly.

    Raises:
        OutputError: the file exists and ``replace`` is False, or it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    with _refusals(file):
        number = descriptor(file)
        if number is not None or _is_device(file):
            # An open stream is duplicated: opened again, it would not continue at its position.
            handle = os.open(file, os.O_WRONLY) if number is None else os.dup(number)
            with os.fdopen(handle, "wb") as out:
                out.write(data)
            return
        _put(_target(file, replace), data, replace)


def refuse_taken(*files: Path | None, replace: bool) -> None:
    """Raise what `write` would raise, before anything is written.

    Raises:
        OutputError: a file exists and ``replace`` is False, cannot be written, or is named twice.
    """
    targets: set[Path] = set()
    for file in files:
        if file is None or descriptor(file) is not None:
            continue
        with _refusals(file):
            if _is_device(file):
                continue
            target = _target(file, replace)
            if not target.parent.is_dir():
                raise OutputError(f"{file} cannot be written: there is no folder {file.parent}")
            if not os.access(target.parent, os.W_OK):
                raise OutputError(f"{file} cannot be written: its folder cannot be written to")
            if target in targets:
                raise OutputError(f"{file} is named twice: name two files")
            targets.add(target)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, unless it exists; sweep out what a process left that was killed in it.

    Raises:
        OutputError: it is a file, cannot be made, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"{folder} is no folder: name another") from None
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{folder} cannot be made: {_reason(error)}") from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder} cannot be written to: name another folder")
    with suppress(OSError):
        _sweep(folder)


def refuse_traps(folder: Path) -> None:
    """Refuse a folder that somebody else may have made, if what it holds is not what it looks like.

    Writing follows a link, and a pipe holds up whoever opens it.

    Raises:
        OutputError: a link in it leads out, or something in it is no file, folder or link.
    """
    try:
        home = folder.resolve()
        for place, folders, files in os.walk(folder):
            for each in (Path(place, name) for name in (*folders, *files)):
                mode = each.lstat().st_mode
                if stat.S_ISLNK(mode) and not Path(os.path.realpath(each)).is_relative_to(home):
                    raise OutputError(f"{each} is a link that leads out of {folder}: remove it")
                if not (stat.S_ISLNK(mode) or stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                    raise OutputError(f"{each} is no file and no folder, but a pipe or the like: remove it")
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{folder} cannot be reached: {_reason(error)}") from error


def working_folder() -> Path:
    """The folder where the process is.

    Raises:
        OutputError: it has been removed.
    """
    try:
        return Path.cwd()
    except OSError:
        raise OutputError("the folder where you are is not there any more: go to another") from None


def is_folder(folder: Path) -> bool:
    """Whether there is such a folder.

    Raises:
        OutputError: it is something else, or cannot be reached.
    """
    try:
        exists = folder.resolve().exists()
        is_directory = folder.is_dir()
    except RuntimeError:  # links in a circle
        raise OutputError(f"{folder} cannot be reached: a link leads back to itself") from None
    except OSError as error:
        raise OutputError(f"{folder} cannot be reached: {_reason(error)}") from error
    if exists and not is_directory:
        raise OutputError(f"{folder} is no folder: name another")
    return is_directory


def read(file: Path, most: float = inf) -> bytes | None:
    """The content of a file; None if there is no such file.

    Raises:
        OutputError: it is no file, such as a folder or a pipe, is larger than ``most`` bytes, or cannot be
            read.
    """
    try:
        if _is_device(file):
            raise OutputError(f"{file} is no file: name another")
        if file.stat().st_size > most:
            raise OutputError(f"{file} is larger than {most:,} bytes, and is not read")
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{file} cannot be read: {_reason(error)}") from error


def read_given(file: Path, most: float, wanted: str, failure: type[CostlabError], instead: str = "") -> bytes:
    """The content of a file that somebody names; ``wanted`` says what to name where it is none.

    Raises:
        CostlabError: of the class ``failure``, if there is no such file; ``instead`` says what to do then.
        OutputError: as `read`.
    """
    if "\0" in str(file):
        raise failure(f"{named(str(file))} is no name of a file")
    with suppress(OSError, RuntimeError):  # reading tells what is wrong
        if file.exists() and not file.is_file():
            raise failure(f"{file} is no file: {wanted}")
    content = read(file, most)
    if content is None:
        raise failure(f"{file}: there is no such file{instead}")
    return content


def _reason(error: OSError | RuntimeError) -> object:
    return getattr(error, "strerror", None) or error


def _target(file: Path, replace: bool) -> Path:
    """The file to write: the target of a link, which itself stays."""
    target = file.resolve()
    if target.is_dir():
        raise OutputError(f"{file} is a folder: name a file")
    if target.exists() and not replace:
        raise FileExistsError
    return target


@contextmanager
def _refusals(file: Path) -> Iterator[None]:
    """Turn errors of the system into `OutputError`, in one line that names the file."""
    try:
        yield
    except FileExistsError:
        raise OutputError(f"{file} exists: give --force to replace it") from None
    except (OSError, RuntimeError) as error:  # pathlib raises RuntimeError for links in a circle
        raise OutputError(f"{file} cannot be written: {_reason(error)}") from error


def descriptor(file: Path) -> int | None:
    """The descriptor of the open stream that a path such as ``/dev/stdout`` stands for; None for others."""
    match = re.fullmatch(OPEN_STREAMS, str(file))
    return int(match[1]) if match else STANDARD_STREAMS.get(str(file))


def _is_device(file: Path) -> bool:
    return file.exists() and not file.is_file() and not file.is_dir()


def _put(target: Path, data: bytes, replace: bool) -> None:
    from tempfile import NamedTemporaryFile  # slow to import, and most counts are for the terminal

    with Whole(), NamedTemporaryFile(prefix=f"{PART}{os.getpid()}-", dir=target.parent, delete=False) as out:
        part = Path(out.name)
        try:
            out.write(data)
            _finish(out, target, replace)
        finally:
            part.unlink(missing_ok=True)


def _finish(out: Any, target: Path, replace: bool) -> None:
    """Give a file its name when all is in it."""
    part = Path(out.name)
    out.flush()
    os.fsync(out.fileno())
    part.chmod(_mode(target))
    if replace:
        part.replace(target)
    else:
        _link(part, target)


@contextmanager
def stream(file: Path, *, replace: bool = False) -> Iterator[IO[bytes]]:
    """A file to write piece by piece, which gets its name at the end; when interrupted, if anything is in it.

    Raises:
        OutputError: it exists and ``replace`` is not set, or cannot be written.
    """
    from tempfile import NamedTemporaryFile

    with _refusals(file):
        target = _target(file, replace)
        if _is_device(target):
            with target.open("wb") as device:
                yield device
            return
        with NamedTemporaryFile(prefix=f"{PART}{os.getpid()}-", dir=target.parent, delete=False) as out:
            try:
                try:
                    yield cast("IO[bytes]", out)
                except KeyboardInterrupt:
                    if out.tell():
                        _finish(out, target, replace)
                    raise
                with Whole():
                    _finish(out, target, replace)
            finally:
                Path(out.name).unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove the incomplete files of processes that were killed."""
    for part in folder.glob(f"{PART}*"):
        number = part.name.removeprefix(PART).partition("-")[0]
        if number.isdecimal() and not _is_alive(int(number)):
            part.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it is another user's, or a number that no process has
        return True
    return True


def _link(part: Path, target: Path) -> None:
    """Give the complete file its name. Raises `FileExistsError` if there is such a file by now."""
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError from None
        part.replace(target)


def _mode(target: Path) -> int:
    """The permissions of the file, or those of a new one."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
