"""Where images come from: generated, from scikit-learn, from CIFAR's published files, or from a folder.

Files are checked before they are read; an error says in one line what is wrong with them.
"""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from costlab.algebra.parameter import closest
from costlab.errors import DataError, one_line
from costlab.train import synthetic
from costlab.train.data import DataRequest, Dataset, Split

SYNTHETIC_TRAIN, SYNTHETIC_VALIDATION = 3000, 1000
DIGITS_VALIDATION = 360
FOLDER_SIDE = 96
FOLDER_FIFTH = 5
"""One image of so many in a class is for validation, if a folder is not split already."""

FilesByClass: TypeAlias = dict[str, list[Path]]

PLANE = 32 * 32
BLOCK = 1000
"""Records of a CIFAR file that are read at a time."""


def load(
    spec: str, train: int, validation: int, seed: int = 0, report: Callable[[str], None] = lambda _: None
) -> Dataset:
    """The images that ``spec`` names.

    Args:
        spec: ``synthetic``, ``digits``, ``cifar10:PATH``, ``cifar100:PATH`` or ``folder:PATH``.
        train: the most training images to use, the first of a permutation; 0 for all. So many synthetic
            images are generated; 3,000 for 0.
        validation: the same for validation images; 1,000 synthetic ones for 0.
        seed: of the permutation, and of the synthetic images. The split into training and validation images
            does not depend on it.
        report: called with a line before each slow step.

    Raises:
        DataError: there is no such source, or its images are missing, damaged or in another format.
    """
    name, colon, path = spec.partition(":")
    if name not in SOURCES:
        raise DataError(f"--data {one_line(spec)}: there is no source {name!r}{closest(name, SOURCES)}")
    request = DataRequest(one_line(spec), path, train, validation, seed, report)
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


def _synthetic(request: DataRequest) -> Dataset:
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


def _digits(request: DataRequest) -> Dataset:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise request.error("scikit-learn is not installed: pip install 'costlab[digits]'") from None
    digits = load_digits()
    grey = torch.from_numpy(np.rint(digits.images * (255 / 16)).astype(np.uint8))
    labels = torch.from_numpy(digits.target.astype(np.int64))
    # Neighbours in the file are by one writer, so a permutation is split, the same one for any seed.
    permutation = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    parts = []
    for part, most in (
        (permutation[:-DIGITS_VALIDATION], request.train),
        (permutation[-DIGITS_VALIDATION:], request.validation),
    ):
        rows = part[request.order(len(part), most)]
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


def _cifar10(request: DataRequest) -> Dataset:
    train = [f"data_batch_{number}.bin" for number in range(1, 6)]
    folder = _cifar_folder(request, "cifar-10-batches-bin", ("cifar-10-batches-py", "data_batch_1"))
    return _cifar(request, folder, 10, "batches.meta.txt", (train, ["test_batch.bin"]))


def _cifar100(request: DataRequest) -> Dataset:
    folder = _cifar_folder(request, "cifar-100-binary", ("cifar-100-python", "train"))
    return _cifar(request, folder, 100, "fine_label_names.txt", (["train.bin"], ["test.bin"]))


def _cifar_folder(request: DataRequest, inner: str, pickled: tuple[str, str]) -> Path:
    folder = request.folder()
    if (folder / inner).is_dir():
        return folder / inner
    if not any(folder.glob("*.bin")) and ((folder / pickled[0]).is_dir() or (folder / pickled[1]).is_file()):
        raise request.error(f"this is the version for Python; the binary version, {inner}, is wanted")
    return folder


def _cifar(
    request: DataRequest, folder: Path, classes: int, names: str, files: tuple[list[str], list[str]]
) -> Dataset:
    """CIFAR's binary version: a record is a label (CIFAR-100: a coarse and a fine one) and 3 planes of 32x32.

    Source: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    for name in (names, *files[0], *files[1]):
        if not (folder / name).is_file():
            raise request.error(f"{name} is not there")
    class_names = tuple((folder / names).read_text("utf-8", errors="replace").split())
    if len(class_names) != classes:
        raise request.error(f"{names} has {len(class_names)} names, not {classes}")
    request.report(f"reading {folder}")
    return Dataset(
        name=f"cifar{classes}",
        about=f"CIFAR-{classes}: photographs of {classes} classes, 32x32 pixels, with the published split.",
        synthetic=False,
        mirrored=True,
        classes=class_names,
        train=_read_records(request, [folder / name for name in files[0]], classes, request.train),
        validation=_read_records(request, [folder / name for name in files[1]], classes, request.validation),
    )


def _read_records(request: DataRequest, files: Sequence[Path], classes: int, most: int) -> Split:
    head = 1 if classes == 10 else 2
    size = head + 3 * PLANE
    sizes = [file.stat().st_size for file in files]
    for file, size_of_file in zip(files, sizes, strict=True):
        if not size_of_file or size_of_file % size:
            reason = f"{size_of_file:,} bytes, not a multiple of {size:,}" if size_of_file else "no images"
            raise request.error(f"{file.name} has {reason}")
    total = sum(sizes) // size
    order = request.order(total, most).numpy()
    place = np.full(total, -1)  # the index of each record among the images; -1 for those left out
    place[order] = np.arange(len(order))
    images, labels = np.empty((len(order), 3, 32, 32), np.uint8), np.empty(len(order), np.int64)
    start = 0
    for file in files:
        with file.open("rb") as content:
            while read := content.read(size * BLOCK):
                block = np.frombuffer(read, np.uint8).reshape(-1, size)
                block_labels = block[:, head - 1]
                if (highest := block_labels.max()) >= classes:
                    raise request.error(f"{file.name} has the label {highest}, not below {classes}")
                places = place[start : start + len(block)]
                images[places[places >= 0]] = block[places >= 0, head:].reshape(-1, 3, 32, 32)
                labels[places[places >= 0]] = block_labels[places >= 0]
                start += len(block)
    return Split(torch.from_numpy(images), torch.from_numpy(labels))


def _folder(request: DataRequest) -> Dataset:
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
    return Dataset(
        name="folder",
        about=f"Images from a folder of one's own, of {len(parts[0])} classes, as squares of 96x96 pixels.",
        synthetic=False,
        mirrored=True,
        classes=tuple(parts[0]),
        train=_read_images(request, parts[0], request.train),
        validation=_read_images(request, parts[1], request.validation),
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
        validation[name] = [files[i] for i in permutation[::FOLDER_FIFTH]]
        train[name] = [files[i] for place, i in enumerate(permutation) if place % FOLDER_FIFTH]
    return train, validation


def _read_images(request: DataRequest, files_by_class: FilesByClass, most: int) -> Split:
    all_files = [(file, label) for label, files in enumerate(files_by_class.values()) for file in files]
    chosen = [all_files[i] for i in request.order(len(all_files), most).tolist()]
    request.report(f"reading {len(chosen):,} images")
    images = torch.empty((len(chosen), 3, FOLDER_SIDE, FOLDER_SIDE), dtype=torch.uint8)
    for place, (file, _) in enumerate(chosen):
        try:
            images[place] = torch.from_numpy(_read_square(file)).permute(2, 0, 1)
        except Exception as error:  # each image format raises errors of its own
            raise request.error(f"{file.parent.name}/{file.name} cannot be read: {one_line(error)}") from None
    return Split(images, torch.tensor([label for _, label in chosen]))


def _read_square(file: Path) -> Any:
    """The central square of an image: ``-> (96, 96, 3)`` of uint8."""
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about oddities in files that can be read
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file) as image:
            if image.mode.startswith(("I", "F")):
                raise ValueError(f"mode {image.mode} has more than 8 bits for a colour")
            image.draft(None, (2 * FOLDER_SIDE, 2 * FOLDER_SIDE))  # a large JPEG need not be read in full
            upright = ImageOps.exif_transpose(image)
            side = min(upright.size)
            left, top = (upright.width - side) // 2, (upright.height - side) // 2
            square = upright.crop((left, top, left + side, top + side)).convert("RGB")
            return np.array(square.resize((FOLDER_SIDE, FOLDER_SIDE), Image.Resampling.BILINEAR))


SOURCES: dict[str, tuple[Callable[[DataRequest], Dataset], bool]] = {
    "synthetic": (_synthetic, False),
    "digits": (_digits, False),
    "cifar10": (_cifar10, True),
    "cifar100": (_cifar100, True),
    "folder": (_folder, True),
}
"""How each source is read, and whether it takes a path."""
