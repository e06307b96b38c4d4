"""Writing files: whole or not at all, and never over what is there without being asked."""

import os
import stat
from pathlib import Path

from costlab.errors import OutputError

STREAMS = ("/dev/stdout", "/dev/stderr")
STREAM_FOLDERS = ("/dev/fd", "/proc/self/fd")


def write(file: Path, content: str, *, replace: bool) -> None:
    """Write ``content`` to ``file`` in one step: at any moment the old or the new file is there.

    A device, a pipe or a stream that is open already is written to as it is.

    Raises:
        OutputError: the file exists and ``replace`` is False, or it cannot be written.
    """
    taken = OutputError(f"{file} exists: give --force to replace it")
    try:
        if _is_stream(file):
            with file.open("a", encoding="utf-8", newline="") as out:
                out.write(content)
            return
        target = file.resolve()  # a link's target is replaced, the link stays
        if target.is_dir():
            raise OutputError(f"{file} is a folder: name a file")
        if target.exists() and not replace:
            raise taken
        _put(target, content, replace)
    except FileExistsError:
        raise taken from None
    except (OSError, RuntimeError) as error:  # of a link in a circle, pathlib makes a RuntimeError
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{file} cannot be written: {reason}") from error


def _is_stream(file: Path) -> bool:
    if str(file) in STREAMS or str(file.parent) in STREAM_FOLDERS:
        return True
    return file.exists() and not file.is_file() and not file.is_dir()


def _put(target: Path, content: str, replace: bool) -> None:
    from tempfile import NamedTemporaryFile  # slow to import, and most counts are for the terminal

    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="", prefix=".costlab-", dir=target.parent, delete=False
    ) as out:
        part = Path(out.name)
        try:
            out.write(content)
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
