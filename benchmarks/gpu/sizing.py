"""How much is trained in the time that there is: from a short run that was measured."""

from typing import NamedTuple

from benchmarks.gpu.session import PartError, Scale

ENOUGH = 5
"""Epochs, and with so many batches each, below which a run has fewer seeds instead."""
FEWEST = 2
"""Seeds, of which there are intervals: one alone is taken where nothing else fits."""
SHARE = 0.7
"""Of the time is planned for: the rest is for what the short run did not show."""


class Measured(NamedTuple):
    """What a short run took.

    ``rate`` is in images per second, of all workers together, ``first`` what the first epoch of a trial takes
    beyond another one, in seconds of all workers; ``beside`` are the seconds of everything else.
    """

    rate: float
    first: float
    beside: float
    arms: int


class Size(NamedTuple):
    """What is trained: images and epochs of each trial, seeds of each arm."""

    images: int
    epochs: int
    seeds: int


def seconds_of(size: Size, measured: Measured, arms: int) -> float:
    """What a run of that size is expected to take.

    Beside training a run starts workers, and one more for the memory of each arm: that grows with the arms.
    """
    trials = arms * size.seeds
    beside = measured.beside * (arms + 2) / (measured.arms + 2)
    return beside + trials * (measured.first + size.images * size.epochs / measured.rate)


def size_for(seconds: float, measured: Measured, arms: int, scale: Scale) -> Size:
    """The largest run of a scale that ends in that time, with images and epochs in the preset's proportion.

    Raises:
        PartError: not even the smallest one does.
    """
    within = SHARE * seconds
    wanted = [(seeds, min(ENOUGH, scale.epochs)) for seeds in range(scale.seeds, 1, -1)]
    for seeds, epochs in [*wanted, (min(FEWEST, scale.seeds), 1), (1, 1)]:
        fitting = [
            size
            for size in (Size(_images(each, scale), each, seeds) for each in range(epochs, scale.epochs + 1))
            if seconds_of(size, measured, arms) <= within
        ]
        if fitting:
            return fitting[-1]
    need = seconds_of(Size(_images(1, scale), 1, 1), measured, arms) / SHARE
    raise PartError(f"{seconds:.0f} s are left, and the smallest run of {arms} arms takes about {need:.0f} s")


def _images(epochs: int, scale: Scale) -> int:
    """Images for so many epochs, in whole batches."""
    batches = scale.images * epochs // scale.epochs // scale.batch
    return min(scale.images, max(1, batches) * scale.batch)
