"""A trial: one variant trained with one seed, resumed from its checkpoint if there is one."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import torch
from torch import nn

from costlab.decode import decode
from costlab.errors import RunError
from costlab.files import make_folder, write
from costlab.targets.build import build
from costlab.targets.target import Variant
from costlab.tracing.lazy import has_lazy
from costlab.train import checkpoint
from costlab.train.batches import Batches, channel_statistics, epoch_order
from costlab.train.data import Split
from costlab.train.distributed import SINGLE_PROCESS, Group
from costlab.train.learner import Learner, Sums
from costlab.train.record import Epoch, in_order

EPOCHS = "epochs.jsonl"
REPORT_EVERY = 0.5
"""Seconds between two reports of the progress."""
SAVE_EVERY = 20.0
"""Seconds between two checkpoints within an epoch, by default."""


class NotFiniteError(Exception):
    """The loss is infinite or not a number."""


class TrialProgress(NamedTuple):
    """The progress of a trial: steps done, steps in all, images per second, and the last complete epoch."""

    step: int
    steps: int
    images_per_second: float
    last: Epoch | None


@dataclass(frozen=True)
class Task:
    """What a trial trains. ``identity`` distinguishes it from all other trials, in whatever folder."""

    network: Variant
    side: int
    recipe: Any
    seed: int
    mirrored: bool
    identity: str
    compiled: bool = False


class Trial:
    """A trial on a device. ``data`` are the training and validation images, of the side of the task.

    Raises:
        DefinitionError, ShapeError: the network does not take these images, or cannot be built.
        RunError: the checkpoint is damaged, or of another trial.
        OutputError: the folder cannot be written to.
    """

    def __init__(
        self,
        task: Task,
        data: tuple[Split, Split],
        folder: Path,
        device: torch.device,
        group: Group = SINGLE_PROCESS,
        every: float = SAVE_EVERY,
    ) -> None:
        self.task, self.device, self.group, self.every = task, device, group, every
        self.folder = folder
        self.train, self.validation = batches_of(data, device)
        self.steps = len(self.train) // task.recipe.batch_size
        self.shift = round(task.recipe.shift * task.side)
        network = group.synchronize_batch_norm(make_network(task).to(device))
        self.learner = Learner(network, task.recipe, self.steps, device, task.compiled, group.wrap)
        torch.manual_seed(task.seed + group.rank)  # what dropout drops differs from process to process
        self.epochs: list[Epoch] = []
        self.step, self.seconds = 0, 0.0
        self.sums = Sums(torch.zeros((), device=device), torch.zeros((), device=device))
        self._resume()

    def run(self, report: Callable[[TrialProgress], None] = lambda _: None) -> tuple[Epoch, ...]:
        """Train to the end; ``report`` is called with the progress from time to time.

        Raises:
            NotFiniteError: the loss of an epoch is not finite.
            OutputError: the folder cannot be written to.
        """
        while len(self.epochs) < self.task.recipe.epochs:
            self._epoch(report)
            self._finish_epoch()
            self._save()
            report(self._progress(0))
        return tuple(self.epochs)

    def _epoch(self, report: Callable[[TrialProgress], None]) -> None:
        """Take the remaining steps of the epoch, waiting for the device only to save and at the end."""
        task, batch_size = self.task, self.task.recipe.batch_size
        planned = epoch_order(len(self.train), task.seed, len(self.epochs), self.shift, task.mirrored)
        began = reported = saved = perf_counter()
        done, before = self.step, self.seconds
        for batch in self.train.epoch(planned, batch_size, self.step, self.group.part):
            sums = self.learner.step(batch)
            self.sums = Sums(self.sums.loss + sums.loss, self.sums.correct + sums.correct)
            self.step += 1
            now = perf_counter()
            if now - saved >= self.every and self.step < self.steps and self.group.world == 1:
                self._wait()
                now = perf_counter()
                self.seconds = before + now - began
                self._save()
                saved = perf_counter()
                began += saved - now  # saving does not count as training time
            if now - reported >= REPORT_EVERY:
                reported = now
                report(self._progress((self.step - done) * batch_size / (now - began)))
        self._wait()
        self.seconds = before + perf_counter() - began

    def _finish_epoch(self) -> None:
        """Evaluate, and add the results of the epoch."""
        number, images = len(self.epochs) + 1, self.steps * self.task.recipe.batch_size
        training_sums = self.group.total(torch.stack(list(self.sums))).tolist()
        rate = self.learner.learning_rate
        validation_sums = self.group.broadcast(self._validate() if self.group.is_leader else None)
        if not (isfinite(training_sums[0]) and isfinite(validation_sums[0])):
            raise NotFiniteError(
                f"the loss is no number after epoch {number}: try a lower learning_rate, or a lower clip"
            )
        self.epochs.append(
            Epoch(
                number,
                training_sums[0] / images,
                training_sums[1] / images,
                validation_sums[0] / len(self.validation),
                validation_sums[1] / len(self.validation),
                rate,
                self.seconds,
                images / max(self.seconds, 1e-9),
            )
        )
        self.step, self.seconds = 0, 0.0
        self.sums = Sums(*torch.zeros(2, device=self.device))

    def _validate(self) -> list[float]:
        sums: list[float] = torch.stack(list(self.learner.evaluate(self.validation.all()))).tolist()
        return sums

    def _progress(self, speed: float) -> TrialProgress:
        done = len(self.epochs) * self.steps + self.step
        last = self.epochs[-1] if self.epochs else None
        return TrialProgress(done, self.task.recipe.epochs * self.steps, speed, last)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _save(self) -> None:
        random = self.group.gather(checkpoint.random_state(self.device))
        if not self.group.is_leader:
            return
        state = {
            "learner": self.learner.state(),
            "random": random,
            "sums": list(self.sums),
            "step": self.step,
            "seconds": self.seconds,
            "epochs": [asdict(epoch) for epoch in self.epochs],
        }
        checkpoint.save(self.folder / checkpoint.FILE, state, self.task.identity)
        self._write_epochs()

    def _write_epochs(self) -> None:
        lines = "".join(json.dumps(asdict(epoch)) + "\n" for epoch in self.epochs)
        write(self.folder / EPOCHS, lines, replace=True)

    def _saved(self) -> dict[str, Any] | None:
        make_folder(self.folder)
        return checkpoint.load(self.folder / checkpoint.FILE, self.task.identity)

    def _resume(self) -> None:
        """Restore the state of the checkpoint, if there is one."""
        file = self.folder / checkpoint.FILE
        state = self.group.run_on_leader(self._saved)
        if state is None:
            return
        try:
            self.learner.load(state["learner"])
            self.epochs = list(decode(tuple[Epoch, ...], state["epochs"]))
            self.step, self.seconds = int(state["step"]), float(state["seconds"])
            self._refuse_odd_time()
            self.sums = Sums(*(tensor.to(self.device) for tensor in state["sums"]))
            random = state["random"]
            if len(random) == self.group.world:
                checkpoint.set_random_state(random[self.group.rank], self.device)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise checkpoint.damaged_error(file) from error
        if len(random) != self.group.world:
            raise RunError(
                f"{file} is of {len(random)} processes, not {self.group.world}: go on with as many"
            )
        if self.group.is_leader:
            self._write_epochs()

    def _refuse_odd_time(self) -> None:
        """Raises `ValueError` if a training does not come to where this one would go on."""
        past_the_end = len(self.epochs) > self.task.recipe.epochs or not 0 <= self.step < self.steps
        if past_the_end or not in_order(self.epochs):
            raise ValueError


def make_network(task: Task) -> nn.Module:
    """The network of a task, with weights by its seed; lazy modules get theirs from an image."""
    torch.manual_seed(task.seed)
    network = build(task.network, (3, task.side, task.side))
    if has_lazy(network.modules()):
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, task.side, task.side))
    return network


def batches_of(data: tuple[Split, Split], device: torch.device) -> tuple[Batches, Batches]:
    """Training and validation images on a device, normalized by the statistics of the training images."""
    mean, deviation = channel_statistics(data[0].images)
    train, validation = (Batches(split, device, mean, deviation) for split in data)
    return train, validation
