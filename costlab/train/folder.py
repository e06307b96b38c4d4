"""Pictures in a folder for each class: which there are, at which side they are taken, and their pixels."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import torch

from costlab.errors import one_line
from costlab.train.data import DataRequest, Dataset, Split
from costlab.train.experiment import LARGEST_SIDE, LEAST_SIDE

if TYPE_CHECKING:
    from PIL.Image import Image

FIFTH = 5
"""One image of so many in a class is for validation, if a folder is not split already."""
TWENTIETH = 20
"""One image of so many may be smaller than all are taken to be, and is enlarged."""

FilesByClass: TypeAlias = dict[str, list[Path]]


class Chosen(NamedTuple):
    """The pictures to read, with the numbers of their classes."""

    files: list[Path]
    labels: list[int]


def read_folder(request: DataRequest) -> Dataset:
    """The pictures of ``train`` and ``val``, or those of all classes, of which every fifth is for validation.

    They become squares of 96 pixels at a side, or of fewer: as many as 95% of them have.

    Raises:
        DataError: there are no classes, a picture cannot be read, or they are smaller than 8 pixels.
    """
    folder = request.folder()
    inside = {part.name: part for part in _visible(folder) if part.is_dir()}
    _refuse_strays(request, folder)
    present = [name for name in ("val", "validation") if "train" in inside and name in inside]
    if len(present) == 2:
        raise request.error("there are both val/ and validation/: leave one")
    if present:
        parts = tuple(_files_by_class(request, inside[name], 1) for name in ("train", present[0]))
        for name in sorted(parts[0].keys() ^ parts[1].keys()):
            raise request.error(f"class {name} is in one of train/ and {present[0]}/ only")
    else:
        parts = _hold_out_a_fifth(_files_by_class(request, folder, 2))
    chosen = [
        _choose(request, part, most)
        for part, most in zip(parts, (request.train, request.validation), strict=True)
    ]
    side, smaller = _common_side(request, [file for part in chosen for file in part.files])
    every = sum(len(part.files) for part in chosen)
    enlarged = f": {smaller:,} of {every:,} were smaller and so were enlarged" if smaller else ", as all have"
    return Dataset(
        name="folder",
        about=f"Images from a folder of one's own, of {len(parts[0])} classes, as squares of {side}x{side} "
        f"pixels{enlarged}.",
        synthetic=False,
        mirrored=True,
        classes=tuple(parts[0]),
        train=_read_images(request, chosen[0], side),
        validation=_read_images(request, chosen[1], side),
    )


def _visible(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _files_by_class(request: DataRequest, folder: Path, least: int) -> FilesByClass:
    """The files of each class by its name, sorted. Refuses a class of fewer than ``least`` files."""
    files_by_class: FilesByClass = {}
    for entry in _visible(folder):
        if entry.is_dir():
            files_by_class[entry.name] = _visible(entry)
        elif not entry.exists():
            raise request.error(f"{entry.name} is a link to nothing")
    _refuse_strays(request, folder)
    if len(files_by_class) < 2:
        raise request.error(
            f"{folder.name}/ has {len(files_by_class)} class folders: at least 2 are needed, "
            "with the images in them"
        )
    for name, files in files_by_class.items():
        for file in files:
            if not file.is_file():  # a folder, a broken link, or a pipe, which would block
                raise request.error(f"{name}/{file.name} is no file: images lie in the folder of their class")
        if len(files) < least:
            raise request.error(
                f"{name}/ has too few images: {len(files)}, a class must have at least {least}"
            )
    return files_by_class


def _refuse_strays(request: DataRequest, folder: Path) -> None:
    """Refuse a picture that lies beside the folders of the classes, of which nobody knows its class."""
    from PIL import Image

    Image.init()  # or only some endings are known
    for entry in _visible(folder):
        if Image.EXTENSION.get(entry.suffix.lower()) in Image.OPEN and not entry.is_dir():
            raise request.error(
                f"{entry.name} lies beside the folders of the classes: put it into one of them, or elsewhere"
            )


def _hold_out_a_fifth(files_by_class: FilesByClass) -> tuple[FilesByClass, ...]:
    train: FilesByClass = {}
    validation: FilesByClass = {}
    for name, files in files_by_class.items():
        permutation = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
        validation[name] = [files[i] for i in permutation[::FIFTH]]
        train[name] = [files[i] for place, i in enumerate(permutation) if place % FIFTH]
    return train, validation


def _choose(request: DataRequest, files_by_class: FilesByClass, most: int) -> Chosen:
    every = [(file, label) for label, files in enumerate(files_by_class.values()) for file in files]
    chosen = [every[i] for i in request.order(len(every), most).tolist()]
    return Chosen([file for file, _ in chosen], [label for _, label in chosen])


def _common_side(request: DataRequest, files: list[Path]) -> tuple[int, int]:
    """The side at which pictures are taken, and how many of them are smaller; from their heads alone.

    Raises:
        DataError: more than one in twenty has fewer pixels than any network is trained on.
    """
    request.report(f"looking at {len(files):,} images")
    sides = []
    for file in files:
        with _opened(request, file) as image:
            sides.append(min(image.size))
    side = min(LARGEST_SIDE, sorted(sides)[len(sides) // TWENTIETH])
    if side < LEAST_SIDE:
        small = sum(each < LEAST_SIDE for each in sides)
        raise request.error(
            f"{small:,} of {len(sides):,} pictures have fewer than {LEAST_SIDE} pixels at a side, and at "
            "most one in twenty is enlarged: leave them out, or name larger ones"
        )
    return side, sum(each < side for each in sides)


def _read_images(request: DataRequest, chosen: Chosen, side: int) -> Split:
    request.report(f"reading {len(chosen.files):,} images")
    images = torch.empty((len(chosen.files), 3, side, side), dtype=torch.uint8)
    for place, file in enumerate(chosen.files):
        with _opened(request, file) as image:
            images[place] = torch.from_numpy(_square(image, side)).permute(2, 0, 1)
    return Split(images, torch.tensor(chosen.labels))


@contextmanager
def _opened(request: DataRequest, file: Path) -> "Iterator[Image]":
    """A picture whose head is read. Raises `DataError` with its name for whatever fails there or inside."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about oddities in files that can be read
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                yield image
    except Exception as error:  # each image format raises errors of its own
        raise request.error(f"{file.parent.name}/{file.name} cannot be read: {one_line(error)}") from None


def _square(image: "Image", side: int) -> Any:
    """The central square of an image: ``-> (side, side, 3)`` of uint8."""
    from PIL import Image, ImageOps

    if image.mode.startswith(("I", "F")):
        raise ValueError(f"mode {image.mode} has more than 8 bits for a colour")
    image.draft(None, (2 * side, 2 * side))  # a large JPEG need not be read in full
    upright = ImageOps.exif_transpose(image)
    least = min(upright.size)
    left, top = (upright.width - least) // 2, (upright.height - least) // 2
    square = upright.crop((left, top, left + least, top + least)).convert("RGB")
    return np.array(square.resize((side, side), Image.Resampling.BILINEAR))
