"""Where images come from: made up, from scikit-learn, from CIFAR's published files, or from a folder.

Everything that is read is checked first, and what is wrong with it is told in one line.
"""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from costlab.algebra.parameter import closest
from costlab.errors import DataError, one_line
from costlab.train import synthetic
from costlab.train.data import Dataset, Request, Split

SYNTHETIC_TRAIN, SYNTHETIC_VALIDATION = 3000, 1000
DIGITS_VALIDATION = 360
FOLDER_SIDE = 96
FOLDER_FIFTH = 5
"""One of so many images of a class is for validation, where a folder has no images for that."""

PLANE = 32 * 32
BLOCK = 1000
"""Records of a CIFAR file that are read at a time."""


def load(
    spec: str, train: int, validation: int, seed: int = 0, report: Callable[[str], None] = lambda _: None
) -> Dataset:
    """The images that ``spec`` names.

    Args:
        spec: ``synthetic``, ``digits``, ``cifar10:PATH``, ``cifar100:PATH`` or ``folder:PATH``.
        train: the most images to train on, the first ones of a permutation; 0 for all. Of synthetic ones so
            many are made; 0 makes 3,000.
        validation: the same of those to validate on; 0 makes 1,000 synthetic ones.
        seed: of that permutation, and of the synthetic images. Which images are for validation is the same
            with any seed.
        report: is told in a line what takes a while.

    Raises:
        DataError: there is no such source, or its images are not there, damaged, or in another form.
    """
    name, colon, path = spec.partition(":")
    if name not in SOURCES:
        raise DataError(f"--data {one_line(spec)}: there is no source {name!r}{closest(name, SOURCES)}")
    request = Request(one_line(spec), path, train, validation, seed, report)
    read, takes_path = SOURCES[name]
    if takes_path and not path:
        raise request.error(f"it needs a folder: {name}:PATH")
    if colon and not takes_path:
        raise request.error(f"{name} takes no path")
    for option, value in (("train", train), ("validation", validation)):
        if value < 0:
            raise request.error(f"{option}={value} must be at least 0")
    try:
        return read(request)
    except OSError as error:
        raise request.error(f"cannot be read: {one_line(error)}") from None


def _synthetic(request: Request) -> Dataset:
    train, validation = request.train or SYNTHETIC_TRAIN, request.validation or SYNTHETIC_VALIDATION
    if max(train, validation) > synthetic.MOST:
        raise request.error(f"at most {synthetic.MOST:,} images are made of one seed")
    request.report(f"making {train + validation:,} images")
    return Dataset(
        name="synthetic",
        about="A task made up for costlab: which of five shapes with which of two patterns is the largest "
        f"thing in a cluttered picture of 96x96 pixels (seed {request.seed}).",
        synthetic=True,
        mirrored=True,
        classes=synthetic.CLASSES,
        train=synthetic.images(train, request.seed),
        validation=synthetic.images(validation, request.seed, validation=True),
    )


def _digits(request: Request) -> Dataset:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise request.error("scikit-learn is not installed: pip install 'costlab[digits]'") from None
    found = load_digits()
    grey = torch.from_numpy(np.rint(found.images * (255 / 16)).astype(np.uint8))
    labels = torch.from_numpy(found.target.astype(np.int64))
    # Neighbours in the file are of one hand, so the split is of a permutation, the same one for any seed.
    mixed = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    parts = []
    for part, wanted in (
        (mixed[:-DIGITS_VALIDATION], request.train),
        (mixed[-DIGITS_VALIDATION:], request.validation),
    ):
        rows = part[request.order(len(part), wanted)]
        parts.append(Split(grey[rows][:, None].repeat(1, 3, 1, 1), labels[rows]))
    return Dataset(
        name="digits",
        about="Handwritten digits of 8x8 grey pixels: scikit-learn's copy of the test set of the UCI "
        "handwritten digits, split at random, so that writers are in both parts.",
        synthetic=False,
        mirrored=False,
        classes=tuple(str(digit) for digit in range(10)),
        train=parts[0],
        validation=parts[1],
    )


def _cifar10(request: Request) -> Dataset:
    train = [f"data_batch_{number}.bin" for number in range(1, 6)]
    folder = _cifar_folder(request, "cifar-10-batches-bin", ("cifar-10-batches-py", "data_batch_1"))
    return _cifar(request, folder, 10, "batches.meta.txt", (train, ["test_batch.bin"]))


def _cifar100(request: Request) -> Dataset:
    folder = _cifar_folder(request, "cifar-100-binary", ("cifar-100-python", "train"))
    return _cifar(request, folder, 100, "fine_label_names.txt", (["train.bin"], ["test.bin"]))


def _cifar_folder(request: Request, inner: str, pickled: tuple[str, str]) -> Path:
    folder = request.folder()
    if (folder / inner).is_dir():
        return folder / inner
    if not any(folder.glob("*.bin")) and ((folder / pickled[0]).is_dir() or (folder / pickled[1]).is_file()):
        raise request.error(f"this is the version for Python; the binary version, {inner}, is wanted")
    return folder


def _cifar(
    request: Request, folder: Path, classes: int, names: str, files: tuple[list[str], list[str]]
) -> Dataset:
    """CIFAR's binary version: each record is a label, for 100 after a coarse one, and three planes of 32x32.

    Source: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    for each in (names, *files[0], *files[1]):
        if not (folder / each).is_file():
            raise request.error(f"{each} is not there")
    told = tuple((folder / names).read_text("utf-8", errors="replace").split())
    if len(told) != classes:
        raise request.error(f"{names} has {len(told)} names, not {classes}")
    request.report(f"reading {folder}")
    return Dataset(
        name=f"cifar{classes}",
        about=f"CIFAR-{classes}: photographs of {classes} classes, 32x32 pixels, with the published split.",
        synthetic=False,
        mirrored=True,
        classes=told,
        train=_records(request, [folder / each for each in files[0]], classes, request.train),
        validation=_records(request, [folder / each for each in files[1]], classes, request.validation),
    )


def _records(request: Request, files: Sequence[Path], classes: int, wanted: int) -> Split:
    head = 1 if classes == 10 else 2
    size = head + 3 * PLANE
    sizes = [file.stat().st_size for file in files]
    for file, found in zip(files, sizes, strict=True):
        if not found or found % size:
            reason = f"{found:,} bytes, not a multiple of {size:,}" if found else "no images"
            raise request.error(f"{file.name} has {reason}")
    total = sum(sizes) // size
    order = request.order(total, wanted).numpy()
    place = np.full(total, -1)  # where each record goes to, so that one pass in small blocks will do
    place[order] = np.arange(len(order))
    images, labels = np.empty((len(order), 3, 32, 32), np.uint8), np.empty(len(order), np.int64)
    start = 0
    for file in files:
        with file.open("rb") as content:
            while read := content.read(size * BLOCK):
                block = np.frombuffer(read, np.uint8).reshape(-1, size)
                told = block[:, head - 1]
                if told.max() >= classes:
                    raise request.error(f"{file.name} has the label {told.max()}, not below {classes}")
                to = place[start : start + len(block)]
                images[to[to >= 0]] = block[to >= 0, head:].reshape(-1, 3, 32, 32)
                labels[to[to >= 0]] = told[to >= 0]
                start += len(block)
    return Split(torch.from_numpy(images), torch.from_numpy(labels))


def _folder(request: Request) -> Dataset:
    folder = request.folder()
    inside = {part.name: part for part in _visible(folder) if part.is_dir()}
    held = [name for name in ("val", "validation") if "train" in inside and name in inside]
    if len(held) == 2:
        raise request.error("there are both val/ and validation/: leave one")
    if held:
        parts = _classes(request, inside["train"], 1), _classes(request, inside[held[0]], 1)
        for name in sorted(parts[0].keys() ^ parts[1].keys()):
            raise request.error(f"class {name} is in one of train/ and {held[0]}/ only")
    else:
        parts = _fifths(_classes(request, folder, 2))
    return Dataset(
        name="folder",
        about=f"Images from a folder of one's own, of {len(parts[0])} classes, as squares of 96x96 pixels.",
        synthetic=False,
        mirrored=True,
        classes=tuple(parts[0]),
        train=_pictures(request, parts[0], request.train),
        validation=_pictures(request, parts[1], request.validation),
    )


def _visible(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if not each.name.startswith("."))


def _classes(request: Request, folder: Path, least: int) -> dict[str, list[Path]]:
    """The files of each class by its name, in their order."""
    found: dict[str, list[Path]] = {}
    for each in _visible(folder):
        if each.is_dir():
            found[each.name] = _visible(each)
        elif not each.exists():
            raise request.error(f"{each.name} is a link to nothing")
    if len(found) < 2:
        raise request.error(
            f"{folder.name}/ has {len(found)} class folders: at least 2 are needed, with the images in them"
        )
    for name, files in found.items():
        for file in files:
            if not file.is_file():  # a folder; or a pipe, that would never end, or a link to nothing
                raise request.error(f"{name}/{file.name} is no file: images lie in the folder of their class")
        if len(files) < least:
            raise request.error(
                f"{name}/ has too few images: {len(files)}, a class must have at least {least}"
            )
    return found


def _fifths(found: dict[str, list[Path]]) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    train: dict[str, list[Path]] = {}
    validation: dict[str, list[Path]] = {}
    for name, files in found.items():
        mixed = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
        validation[name] = [files[at] for at in mixed[::FOLDER_FIFTH]]
        train[name] = [files[at] for place, at in enumerate(mixed) if place % FOLDER_FIFTH]
    return train, validation


def _pictures(request: Request, found: dict[str, list[Path]], wanted: int) -> Split:
    every = [(file, label) for label, files in enumerate(found.values()) for file in files]
    chosen = [every[at] for at in request.order(len(every), wanted).tolist()]
    request.report(f"reading {len(chosen):,} images")
    images = torch.empty((len(chosen), 3, FOLDER_SIDE, FOLDER_SIDE), dtype=torch.uint8)
    for place, (file, _) in enumerate(chosen):
        try:
            images[place] = torch.from_numpy(_picture(file)).permute(2, 0, 1)
        except Exception as error:  # readers of many formats, each with errors of its own
            raise request.error(f"{file.parent.name}/{file.name} cannot be read: {one_line(error)}") from None
    return Split(images, torch.tensor([label for _, label in chosen]))


def _picture(file: Path) -> Any:
    """The middle of an image as a square: ``-> (96, 96, 3)`` of uint8."""
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is odd in a file, but can be read
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file) as opened:
            if opened.mode.startswith(("I", "F")):
                raise ValueError(f"mode {opened.mode} has more than 8 bits for a colour")
            opened.draft(None, (2 * FOLDER_SIDE, 2 * FOLDER_SIDE))  # a large JPEG need not be read in full
            upright = ImageOps.exif_transpose(opened)
            side = min(upright.size)
            left, top = (upright.width - side) // 2, (upright.height - side) // 2
            square = upright.crop((left, top, left + side, top + side)).convert("RGB")
            return np.array(square.resize((FOLDER_SIDE, FOLDER_SIDE), Image.Resampling.BILINEAR))


SOURCES: dict[str, tuple[Callable[[Request], Dataset], bool]] = {
    "synthetic": (_synthetic, False),
    "digits": (_digits, False),
    "cifar10": (_cifar10, True),
    "cifar100": (_cifar100, True),
    "folder": (_folder, True),
}
"""How each source is read, and whether it takes a path."""
