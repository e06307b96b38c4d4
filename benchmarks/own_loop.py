"""Steps of costlab in a process of their own, as its workers take them: with one thread, and memory kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

import torch
from torch.multiprocessing import get_context

from costlab.targets.build import build
from costlab.train.allocator import keep_freed_memory
from costlab.train.batches import epoch_order
from costlab.train.data import Split
from costlab.train.learner import Learner
from costlab.train.recipe import Recipe
from costlab.train.trial import batches_of
from costlab.train.worker import THREADS


class OwnLoop:
    """Steps that another process takes when it is asked to."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rate(self, steps: int) -> float:
        """Images per second of so many steps."""
        self._connection.send(steps)
        return float(self._connection.recv())


@contextmanager
def own_loop(
    target: str, recipe: Recipe, data: tuple[Split, Split], device: torch.device
) -> Iterator[OwnLoop]:
    """The loop on a network, in a process that ends with the block."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, target, recipe, data, device), daemon=True)
    process.start()
    there.close()
    try:
        yield OwnLoop(here)
    finally:
        process.terminate()
        process.join()


def _serve(
    connection: "Connection[float, int]",
    target: str,
    recipe: Recipe,
    data: tuple[Split, Split],
    device: torch.device,
) -> None:
    is_gpu = device.type == "cuda"
    if is_gpu:
        torch.backends.cudnn.benchmark = True
    else:
        torch.set_num_threads(THREADS)
        keep_freed_memory()
    train, _ = batches_of(data, device)
    side = train.images.shape[1]
    learner = Learner(
        build(target, (3, side, side)), recipe, len(train) // recipe.batch_size, device, compiled=is_gpu
    )
    planned = epoch_order(len(train), 0, 0, round(recipe.shift * side), mirrored=True)
    batches = (batch for _ in iter(int, 1) for batch in train.epoch(planned, recipe.batch_size))
    while True:
        steps = connection.recv()
        start = perf_counter()
        for _ in range(steps):
            learner.step(next(batches))
        if is_gpu:
            torch.cuda.synchronize(device)
        connection.send(steps * recipe.batch_size / (perf_counter() - start))
