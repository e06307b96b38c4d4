"""Writing files: whole or not at all, and never over what is there without being asked."""

import os
import stat
from pathlib import Path

from costlab.errors import OutputError


def write(file: Path, content: str, *, replace: bool) -> None:
    """Write ``content`` to ``file`` in one step: at any moment the old or the new file is there.

    A device or a pipe is written to as it is.

    Raises:
        OutputError: the file exists and ``replace`` is False, or it cannot be written.
    """
    try:
        target = file.resolve()  # a link's target is replaced, the link stays
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_text(content, "utf-8")
            return
        if target.exists() and not replace and target.is_file():
            raise OutputError(f"{file} exists: give --force to replace it")
        if target.is_dir():
            raise OutputError(f"{file} is a folder: name a file")
        _replace(target, content)
    except OSError as error:
        raise OutputError(f"{file} cannot be written: {error.strerror or error}") from error


def _replace(target: Path, content: str) -> None:
    from tempfile import mkstemp  # slow to import, and most counts are for the terminal

    handle, name = mkstemp(prefix=f".{target.name}.", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.chmod(_mode(target))
        part.replace(target)
    except BaseException:
        part.unlink()
        raise


def _mode(target: Path) -> int:
    """The permissions that the file has, or that a new file gets."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
