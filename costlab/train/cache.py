"""The images of a run, resized to the sides that its arms take, in files that its workers share."""

from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from costlab.errors import RunError
from costlab.files import make_folder, write
from costlab.train.data import Dataset, Split

FOLDER = "data"


def prepare(folder: Path, sides: Iterable[int], digest: str, dataset: Callable[[], Dataset]) -> None:
    """Write the files of these sides that are missing, damaged or of images with another digest.

    ``dataset`` loads the images; it is called only if a file has to be written.

    Raises:
        OutputError: a file cannot be written.
    """
    missing = [side for side in sorted(set(sides)) if not _is_whole(folder, side, digest)]
    if not missing:
        return
    images = dataset()
    make_folder(folder / FOLDER)
    for side in missing:
        _save(_file(folder, side), images.resized(side), digest)


def load(folder: Path, side: int) -> tuple[Split, Split]:
    """The training and validation images of a side.

    Raises:
        RunError: their file is missing or damaged.
    """
    file = _file(folder, side)
    try:
        content = torch.load(file, weights_only=True, mmap=True)
        return Split(*content["train"]), Split(*content["validation"])
    except Exception as error:  # a damaged file may raise anything
        raise RunError(f"{file} is damaged: remove it, and --resume {folder} makes it anew") from error


def remove(folder: Path) -> None:
    """Remove the files of a run that is finished."""
    for file in (folder / FOLDER).glob("images-*.pt"):
        file.unlink(missing_ok=True)
    if (folder / FOLDER).is_dir() and not any((folder / FOLDER).iterdir()):
        (folder / FOLDER).rmdir()


def _file(folder: Path, side: int) -> Path:
    return folder / FOLDER / f"images-{side}.pt"


def _is_whole(folder: Path, side: int, digest: str) -> bool:
    try:
        content = torch.load(_file(folder, side), weights_only=True, mmap=True)
        return bool(content["digest"] == digest)
    except Exception:  # missing or damaged: written again in either case
        return False


def _save(file: Path, splits: tuple[Split, Split], digest: str) -> None:
    from io import BytesIO

    out = BytesIO()
    train, validation = splits
    torch.save({"digest": digest, "train": list(train), "validation": list(validation)}, out)
    write(file, out.getbuffer().tobytes(), replace=True)
