"""Images for training and validation: kept as uint8, resized for a network, identified by a digest."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from costlab.errors import DataError, one_line
from costlab.train.environment import single_core_threads
from costlab.train.record import DataRecord

CHUNK = 256
"""Images resized at a time, so that only few are in memory as floating-point numbers."""


class Split(NamedTuple):
    """Images with their classes: ``images`` is (N, 3, H, W) of uint8, ``labels`` is (N,) of int64."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images for training and others for validation, of the same classes.

    Args:
        name: the name of the source, without its path.
        about: what the images are, in one sentence for a report.
        synthetic: whether they are generated.
        mirrored: whether an image keeps its class when it is mirrored, and so may be in training.
        classes: the names of the classes, in the order of the labels.
        train: the training images.
        validation: the validation images.
    """

    name: str
    about: str
    synthetic: bool
    mirrored: bool
    classes: tuple[str, ...]
    train: Split
    validation: Split

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all images and labels with their shapes, as 64 hexadecimal digits."""
        sha256 = hashlib.sha256()
        for tensor in (*self.train, *self.validation):
            sha256.update(f"{tensor.dtype} {tuple(tensor.shape)}\n".encode())
            sha256.update(tensor.reshape(-1).numpy().data)
        return sha256.hexdigest()

    def record(self) -> DataRecord:
        """What the record of a run keeps of the images."""
        return DataRecord(
            self.name,
            self.about,
            self.synthetic,
            len(self.classes),
            len(self.train.labels),
            len(self.validation.labels),
            self.digest,
            self.side,
        )

    @property
    def side(self) -> int:
        """The side of the images as they come, in pixels."""
        return int(self.train.images.shape[-1])

    def resized(self, side: int) -> tuple[Split, Split]:
        """Both splits, ``(N, 3, H, H) -> (N, 3, side, side)``; not copied if they have that side already."""
        return _resized(self.train, side), _resized(self.validation, side)


def _resized(split: Split, side: int) -> Split:
    images = split.images
    if images.shape[-1] == side:
        return split
    resized = torch.empty((*images.shape[:2], side, side), dtype=torch.uint8)

    def resize(start: int) -> None:
        part = images[start : start + CHUNK].float()
        if side < images.shape[-1]:
            part = functional.interpolate(part, size=(side, side), mode="area")
        else:
            part = functional.interpolate(part, size=(side, side), mode="bilinear", align_corners=False)
        resized[start : start + CHUNK] = part.round_().clamp_(0, 255).to(torch.uint8)

    with single_core_threads() as pool:
        list(pool.map(resize, range(0, len(images), CHUNK)))
    return Split(resized, split.labels)


@dataclass(frozen=True)
class DataRequest:
    """The arguments of `costlab.train.datasets.load`; ``path`` is what follows the name in ``spec``."""

    spec: str
    path: str
    train: int
    validation: int
    seed: int
    report: Callable[[str], None]

    def error(self, reason: str) -> DataError:
        """The error for a source that cannot be used, naming the option."""
        return DataError(f"--data {self.spec}: {one_line(reason)}")

    def folder(self) -> Path:
        """The folder at ``path``. Raises `DataError` if there is none."""
        try:
            folder = Path(self.path).expanduser()
            if folder.is_dir():
                return folder
            exists = folder.exists()
        except (OSError, RuntimeError) as error:  # pathlib raises RuntimeError for an unknown home folder
            raise self.error(f"the folder cannot be reached: {one_line(error)}") from None
        reason = "this is no folder; unpack an archive first" if exists else "there is no such folder"
        raise self.error(reason)

    def order(self, size: int, most: int) -> Tensor:
        """The indices of the images to use, of ``size``: the first ``most`` of a permutation, all for 0."""
        permutation = torch.randperm(size, generator=torch.Generator().manual_seed(self.seed % 2**32))
        return permutation[: most or size]
