"""Batches: images on the device, put together and moved there, in an order that the seed and epoch give."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from costlab.train.data import Split

STREAM = 1_000_003
"""What tells the seeds of epochs apart; a prime, so that no two pairs of seed and epoch meet."""
EVALUATED = 500
"""Images that are evaluated at once."""


class Batch(NamedTuple):
    """Images ``(N, 3, H, W)`` of floats, about 0 and 1 wide, channels last; labels ``(N,)``."""

    images: Tensor
    labels: Tensor


class Batches:
    """The images of a split on a device, as bytes, from which batches are made there.

    ``mean`` and ``deviation`` are those of the channels of the training images, as bytes.
    """

    def __init__(self, split: Split, device: torch.device, mean: Tensor, deviation: Tensor) -> None:
        self.images = _pinned(split.images.permute(0, 2, 3, 1).contiguous(), device)
        self.labels = _pinned(split.labels, device)
        self.mean, self.deviation = mean.to(device), deviation.to(device)
        self.device = device

    def __len__(self) -> int:
        return len(self.labels)

    def epoch(
        self, order: "Order", batch_size: int, first: int = 0, part: slice = slice(None)
    ) -> Iterator[Batch]:
        """The batches of an epoch from the ``first`` one on; of each only a ``part``, such as each second."""
        order = order.to(self.device)
        for start in range(first * batch_size, len(self) - batch_size + 1, batch_size):
            yield self._moved(order.part(slice(start, start + batch_size)).part(part))

    def _moved(self, order: "Order") -> Batch:
        """The images of a part of an order, moved and mirrored; what is moved in repeats the edge."""
        _, height, width, _ = self.images.shape
        rows = torch.arange(height, device=self.device) + order.down[:, None]
        columns = torch.arange(width, device=self.device) + order.right[:, None]
        columns = torch.where(order.mirrored[:, None], width - 1 - columns, columns)
        images = self.images[
            order.image[:, None, None],
            rows.clamp(0, height - 1)[:, :, None],
            columns.clamp(0, width - 1)[:, None, :],
        ]
        return Batch(self._normal(images), self.labels[order.image])

    def all(self) -> Iterator[Batch]:
        """All images as they are, in order."""
        for start in range(0, len(self), EVALUATED):
            part = slice(start, start + EVALUATED)
            yield Batch(self._normal(self.images[part]), self.labels[part])

    def _normal(self, images: Tensor) -> Tensor:
        return images.float().sub_(self.mean).div_(self.deviation).permute(0, 3, 1, 2)


class Order(NamedTuple):
    """The order of an epoch, and how each image is moved and whether it is mirrored: ``(N,)`` each."""

    image: Tensor
    down: Tensor
    right: Tensor
    mirrored: Tensor

    def to(self, device: torch.device) -> "Order":
        """The same on a device."""
        return Order(*(_pinned(part, device) for part in self))

    def part(self, part: slice) -> "Order":
        """Some of it."""
        return Order(*(each[part] for each in self))


def order(images: int, seed: int, epoch: int, shift: int, mirrored: bool) -> Order:
    """The order of ``images`` in an epoch, moved by at most ``shift`` pixels; it hangs on nothing else.

    Drawn as a whole before the epoch, so that what is in a batch does not hang on the ones before it, and is
    the same for every network that is trained with the seed.
    """
    random = torch.Generator().manual_seed(seed * STREAM + epoch)
    image = torch.randperm(images, generator=random)
    down, right = torch.randint(-shift, shift + 1, (2, images), generator=random)
    turned = torch.rand(images, generator=random) < 0.5
    return Order(image, down, right, turned if mirrored else torch.zeros_like(turned))


def spread(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel over bytes ``(N, C, H, W)``, as ``(C,)``; none is 0."""
    counts = torch.stack(
        [torch.bincount(channel.flatten().int(), minlength=256) for channel in images.unbind(1)]
    )
    levels, total = torch.arange(256, dtype=torch.float64), counts.sum(1, keepdim=True)
    mean = (counts * levels).sum(1, keepdim=True) / total
    deviation = ((counts * (levels - mean) ** 2).sum(1, keepdim=True) / total).sqrt()
    return mean.flatten().float(), deviation.flatten().clamp(min=1).float()


def _pinned(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device; copied while the host goes on where the device can do that."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
