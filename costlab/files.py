"""Writing files: whole or not at all, and never over what is there without being asked."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from costlab.errors import OutputError

PART = ".costlab-"
"""How the name of a file begins that is not whole yet."""
STANDARD_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
OPEN_STREAMS = r"/(?:dev|proc/self)/fd/(\d+)"


def write(file: Path, content: str | bytes, *, replace: bool) -> None:
    """Write ``content`` to ``file`` in one step: at any moment the old or the new file is there.

    A device, a pipe or a stream that is open already is written to as it is.

    Raises:
        OutputError: the file exists and ``replace`` is False, or it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    with _refusals(file):
        number = descriptor(file)
        if number is not None or _is_device(file):
            # A stream is written to where it stands: opened anew, it would begin elsewhere.
            handle = os.open(file, os.O_WRONLY) if number is None else os.dup(number)
            with os.fdopen(handle, "wb") as out:
                out.write(data)
            return
        _put(_target(file, replace), data, replace)


def refuse_taken(*files: Path | None, replace: bool) -> None:
    """Refuse what `write` would refuse, before anything is written.

    Raises:
        OutputError: a file exists and ``replace`` is False, cannot be written, or is named twice.
    """
    seen: set[Path] = set()
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
                raise OutputError(f"{file} cannot be written: its folder is not to be written to")
            if target in seen:
                raise OutputError(f"{file} is named twice: name two files")
            seen.add(target)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, unless it is there.

    Raises:
        OutputError: it is a file, cannot be made, or is not to be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"{folder} is no folder: name another") from None
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{folder} cannot be made: {_reason(error)}") from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder} is not to be written to: name another folder")


def is_folder(folder: Path) -> bool:
    """Whether there is such a folder.

    Raises:
        OutputError: it is something else, or cannot be reached.
    """
    try:
        found = folder.resolve().exists()
        there = folder.is_dir()
    except RuntimeError:  # of a link in a circle
        raise OutputError(f"{folder} cannot be reached: a link leads back to itself") from None
    except OSError as error:
        raise OutputError(f"{folder} cannot be reached: {_reason(error)}") from error
    if found and not there:
        raise OutputError(f"{folder} is no folder: name another")
    return there


def read(file: Path) -> bytes | None:
    """What a file holds; None if it is not there.

    Raises:
        OutputError: it is no file, such as a folder or a pipe, or cannot be read.
    """
    try:
        if _is_device(file):
            raise OutputError(f"{file} is no file: name another folder")
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{file} cannot be read: {_reason(error)}") from error


def _reason(error: OSError | RuntimeError) -> object:
    return getattr(error, "strerror", None) or error


def _target(file: Path, replace: bool) -> Path:
    """The file to put there: a link's target is replaced, the link stays."""
    target = file.resolve()
    if target.is_dir():
        raise OutputError(f"{file} is a folder: name a file")
    if target.exists() and not replace:
        raise FileExistsError
    return target


@contextmanager
def _refusals(file: Path) -> Iterator[None]:
    """Tell what the system refuses in one line that names the file."""
    try:
        yield
    except FileExistsError:
        raise OutputError(f"{file} exists: give --force to replace it") from None
    except (OSError, RuntimeError) as error:  # of a link in a circle, pathlib makes a RuntimeError
        raise OutputError(f"{file} cannot be written: {_reason(error)}") from error


def descriptor(file: Path) -> int | None:
    """The number of the stream, open already, that a path such as ``/dev/stdout`` stands for."""
    match = re.fullmatch(OPEN_STREAMS, str(file))
    return int(match[1]) if match else STANDARD_STREAMS.get(str(file))


def _is_device(file: Path) -> bool:
    return file.exists() and not file.is_file() and not file.is_dir()


def _put(target: Path, data: bytes, replace: bool) -> None:
    from tempfile import NamedTemporaryFile  # slow to import, and most counts are for the terminal

    with NamedTemporaryFile(prefix=PART, dir=target.parent, delete=False) as out:
        part = Path(out.name)
        try:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
            part.chmod(_mode(target))
            if replace:
                part.replace(target)
            else:
                _link(part, target)
        finally:
            part.unlink(missing_ok=True)


def _link(part: Path, target: Path) -> None:
    """Let the part be the target unless there is one by now, which raises `FileExistsError`."""
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if target.exists():
            raise FileExistsError from None
        part.replace(target)


def _mode(target: Path) -> int:
    """The permissions that the file has, or that a new file gets."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
