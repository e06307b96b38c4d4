"""Images to learn from: held as bytes, resized to what a network takes, known again by a digest."""

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
from costlab.train.environment import threads_of_one_core
from costlab.train.record import DataRecord

CHUNK = 256
"""Images that are resized at a time, so that few are held as floating-point numbers."""


class Split(NamedTuple):
    """Images with their classes: ``images`` is (N, 3, H, W) of uint8, ``labels`` is (N,) of int64."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images to train on and others to validate on, in one set of classes.

    Args:
        name: as it was asked for, never a path.
        about: what the images are, in one sentence for a report.
        synthetic: whether they are made up.
        mirrored: whether a training image that is mirrored keeps its class.
        classes: the names of the classes, in the order of the labels.
        train: the images to train on.
        validation: the images to validate on.
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
        found = hashlib.sha256()
        for tensor in (*self.train, *self.validation):
            found.update(f"{tensor.dtype} {tuple(tensor.shape)}\n".encode())
            found.update(tensor.reshape(-1).numpy().data)
        return found.hexdigest()

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
        )

    def resized(self, side: int) -> tuple[Split, Split]:
        """Both splits, ``(N, 3, H, H) -> (N, 3, side, side)``: those of that side already are not copied."""
        return _resized(self.train, side), _resized(self.validation, side)


def _resized(split: Split, side: int) -> Split:
    images = split.images
    if images.shape[-1] == side:
        return split
    made = torch.empty((*images.shape[:2], side, side), dtype=torch.uint8)

    def resize(start: int) -> None:
        part = images[start : start + CHUNK].float()
        if side < images.shape[-1]:
            part = functional.interpolate(part, size=(side, side), mode="area")
        else:
            part = functional.interpolate(part, size=(side, side), mode="bilinear", align_corners=False)
        made[start : start + CHUNK] = part.round_().clamp_(0, 255).to(torch.uint8)

    with threads_of_one_core() as pool:
        list(pool.map(resize, range(0, len(images), CHUNK)))
    return Split(made, split.labels)


@dataclass(frozen=True)
class Request:
    """What was asked for, as `costlab.train.datasets.load` says; ``path`` follows the name in ``spec``."""

    spec: str
    path: str
    train: int
    validation: int
    seed: int
    report: Callable[[str], None]

    def error(self, reason: str) -> DataError:
        """The error that something is wrong with what the option names."""
        return DataError(f"--data {self.spec}: {one_line(reason)}")

    def folder(self) -> Path:
        """The folder that is named. Raises `DataError` if there is none."""
        try:
            folder = Path(self.path).expanduser()
            if folder.is_dir():
                return folder
            there = folder.exists()
        except (OSError, RuntimeError) as error:  # of a home that is not known, pathlib makes a RuntimeError
            raise self.error(f"the folder cannot be reached: {one_line(error)}") from None
        raise self.error("this is no folder; unpack an archive first" if there else "there is no such folder")

    def order(self, size: int, wanted: int) -> Tensor:
        """Which of so many images are used: the first ones of a permutation, all of them for 0."""
        mixed = torch.randperm(size, generator=torch.Generator().manual_seed(self.seed % 2**32))
        return mixed[: wanted or size]
