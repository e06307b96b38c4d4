"""Batches of images on the device, shifted and mirrored there, in an order set by seed and epoch."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from costlab.train.data import Split
from costlab.train.fused import has_kernels

STREAM = 1_000_003
"""Factor of the seed in the seed of an epoch; a prime, so that no two pairs of seed and epoch coincide."""
EVALUATION_BATCH = 500
"""Images per batch in evaluation."""


class Batch(NamedTuple):
    """Normalized images ``(N, 3, H, W)`` of floats, channels last; labels ``(N,)``."""

    images: Tensor
    labels: Tensor


class Batches:
    """The images of a split on a device as uint8, from which batches are made there.

    ``mean`` and ``deviation`` are those of each channel of the training images, on the scale of uint8.
    """

    def __init__(self, split: Split, device: torch.device, mean: Tensor, deviation: Tensor) -> None:
        self.images = _to_device(split.images.permute(0, 2, 3, 1).contiguous(), device)
        self.labels = _to_device(split.labels, device)
        self.mean, self.deviation = mean.to(device), deviation.to(device)
        self.device = device
        levels = torch.arange(256, device=device).float()[:, None]
        self._levels = levels.sub(self.mean).div(self.deviation)  # what a level of each channel becomes

    def __len__(self) -> int:
        return len(self.labels)

    def epoch(
        self, order: "Order", batch_size: int, first: int = 0, part: slice = slice(None)
    ) -> Iterator[Batch]:
        """The batches of an epoch from the ``first`` on; ``part`` selects images of each, as every second."""
        order = order.to(self.device)
        for start in range(first * batch_size, len(self) - batch_size + 1, batch_size):
            yield self._shifted(order.part(slice(start, start + batch_size)).part(part))

    def _shifted(self, order: "Order") -> Batch:
        """The images of a part of an order, shifted and mirrored; the edge is repeated where pixels lack."""
        if self.device.type == "cpu" and has_kernels():
            return Batch(self._shifted_in_a_pass(order), self.labels[order.image])
        _, height, width, _ = self.images.shape
        rows = torch.arange(height, device=self.device) + order.down[:, None]
        columns = torch.arange(width, device=self.device) + order.right[:, None]
        columns = torch.where(order.mirrored[:, None], width - 1 - columns, columns)
        images = self.images[
            order.image[:, None, None],
            rows.clamp(0, height - 1)[:, :, None],
            columns.clamp(0, width - 1)[:, None, :],
        ]
        return Batch(self._normalized(images), self.labels[order.image])

    def _shifted_in_a_pass(self, order: "Order") -> Tensor:
        """The same images to the last bit, made by one pass over them."""
        from costlab.train.kernels import shifted

        images = torch.empty(len(order.image), *self.images.shape[1:], dtype=torch.float32)
        which, down, right, mirrored = (part.contiguous().numpy() for part in order)
        shifted(self.images.numpy(), which, down, right, mirrored, self._levels.numpy(), images.numpy())
        return images.permute(0, 3, 1, 2)

    def all(self) -> Iterator[Batch]:
        """All images in order, neither shifted nor mirrored."""
        for start in range(0, len(self), EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            yield Batch(self._normalized(self.images[part]), self.labels[part])

    def _normalized(self, images: Tensor) -> Tensor:
        return images.float().sub_(self.mean).div_(self.deviation).permute(0, 3, 1, 2)


class Order(NamedTuple):
    """The order of images in an epoch, and how each is shifted and mirrored: ``(N,)`` each."""

    image: Tensor
    down: Tensor
    right: Tensor
    mirrored: Tensor

    def to(self, device: torch.device) -> "Order":
        """The order on a device."""
        return Order(*(_to_device(part, device) for part in self))

    def part(self, part: slice) -> "Order":
        """A slice of the order."""
        return Order(*(column[part] for column in self))


def epoch_order(images: int, seed: int, epoch: int, shift: int, mirrored: bool) -> Order:
    """A random order of ``images`` for an epoch, with shifts of at most ``shift`` pixels.

    It depends on the arguments only and is drawn as a whole, so that a batch is the same wherever training
    is resumed, and for every network that is trained with the seed.
    """
    random = torch.Generator().manual_seed(seed * STREAM + epoch)
    image = torch.randperm(images, generator=random)
    down, right = torch.randint(-shift, shift + 1, (2, images), generator=random)
    turned = torch.rand(images, generator=random) < 0.5
    return Order(image, down, right, turned if mirrored else torch.zeros_like(turned))


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel of uint8 ``(N, C, H, W)``, as ``(C,)``.

    Deviations are at least 1, so that they can be divided by.
    """
    counts = torch.stack(
        [torch.bincount(channel.flatten().int(), minlength=256) for channel in images.unbind(1)]
    )
    levels, total = torch.arange(256, dtype=torch.float64), counts.sum(1, keepdim=True)
    mean = (counts * levels).sum(1, keepdim=True) / total
    deviation = ((counts * (levels - mean) ** 2).sum(1, keepdim=True) / total).sqrt()
    return mean.flatten().float(), deviation.flatten().clamp(min=1).float()


def _to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device, copied asynchronously if that is a GPU."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
