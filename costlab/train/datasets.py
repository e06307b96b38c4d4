"""Where images come from: generated, from scikit-learn, from CIFAR's published files, or from a folder.

Files are checked before they are read; an error says in one line what is wrong with them.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from costlab.algebra.parameter import closest
from costlab.errors import DataError, one_line
from costlab.train import synthetic
from costlab.train.data import DataRequest, Dataset, Split
from costlab.train.folder import read_folder

SYNTHETIC_TRAIN, SYNTHETIC_VALIDATION = 3000, 1000
DIGITS_VALIDATION = 360
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


SOURCES: dict[str, tuple[Callable[[DataRequest], Dataset], bool]] = {
    "synthetic": (_synthetic, False),
    "digits": (_digits, False),
    "cifar10": (_cifar10, True),
    "cifar100": (_cifar100, True),
    "folder": (read_folder, True),
}
"""How each source is read, and whether it takes a path."""
