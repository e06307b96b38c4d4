"""Writing files: whole or not at all, and never over what is there without being asked."""

import os
import re
import stat
from pathlib import Path

from costlab.errors import OutputError

STANDARD_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
OPEN_STREAMS = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")


def write(file: Path, content: str | bytes, *, replace: bool) -> None:
    """Write ``content`` to ``file`` in one step: at any moment the old or the new file is there.

    A device, a pipe or a stream that is open already is written to as it is.

    Raises:
        OutputError: the file exists and ``replace`` is False, or it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    taken = OutputError(f"{file} exists: give --force to replace it")
    try:
        number = descriptor(file)
        if number is not None or _is_device(file):
            # A stream is written to where it stands: opened anew, it would begin elsewhere.
            handle = os.open(file, os.O_WRONLY) if number is None else os.dup(number)
            with os.fdopen(handle, "wb") as out:
                out.write(data)
            return
        target = file.resolve()  # a link's target is replaced, the link stays
        if target.is_dir():
            raise OutputError(f"{file} is a folder: name a file")
        if target.exists() and not replace:
            raise taken
        _put(target, data, replace)
    except FileExistsError:
        raise taken from None
    except (OSError, RuntimeError) as error:  # of a link in a circle, pathlib makes a RuntimeError
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{file} cannot be written: {reason}") from error


def refuse_taken(*files: Path | None, replace: bool) -> None:
    """Refuse what `write` would refuse, before anything is written.

    Raises:
        OutputError: a file exists and ``replace`` is False, or two are one.
    """
    targets = [file.resolve() for file in files if file is not None and descriptor(file) is None]
    named = [file for file in files if file is not None and descriptor(file) is None]
    for i, (file, target) in enumerate(zip(named, targets, strict=True)):
        if target.is_file() and not replace:
            raise OutputError(f"{file} exists: give --force to replace it")
        if target.is_dir():
            raise OutputError(f"{file} is a folder: name a file")
        if not target.parent.is_dir():
            raise OutputError(f"{file} cannot be written: there is no folder {file.parent}")
        if not _is_device(file) and not os.access(target.parent, os.W_OK):
            raise OutputError(f"{file} cannot be written: its folder is not to be written to")
        if target in targets[:i] and not _is_device(file):
            raise OutputError(f"{file} is named twice: name two files")


def descriptor(file: Path) -> int | None:
    """The number of the stream, open already, that a path such as ``/dev/stdout`` stands for."""
    match = OPEN_STREAMS.fullmatch(str(file))
    return int(match[1]) if match else STANDARD_STREAMS.get(str(file))


def _is_device(file: Path) -> bool:
    return file.exists() and not file.is_file() and not file.is_dir()


def _put(target: Path, data: bytes, replace: bool) -> None:
    from tempfile import NamedTemporaryFile  # slow to import, and most counts are for the terminal

    with NamedTemporaryFile(prefix=".costlab-", dir=target.parent, delete=False) as out:
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
