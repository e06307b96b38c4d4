"""A trial: one variant trained with one seed, from where it was left to the end."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import torch

from costlab.errors import RunError
from costlab.files import PART, make_folder, write
from costlab.targets.build import build
from costlab.targets.target import Variant
from costlab.train import checkpoint
from costlab.train.batches import Batches, order, spread
from costlab.train.data import Split
from costlab.train.distributed import ALONE, Group
from costlab.train.learner import Learner, Sums
from costlab.train.record import Epoch

EPOCHS = "epochs.jsonl"
TOLD_EVERY = 0.5
"""Seconds between two tellings of where a trial stands."""
SAVED_EVERY = 20.0
"""Seconds between two checkpoints within an epoch."""


class NotFiniteError(Exception):
    """The loss is no number any more."""


class Standing(NamedTuple):
    """Where a trial stands: steps done of all, images per second, and the last epoch that is whole."""

    step: int
    steps: int
    images_per_second: float
    last: Epoch | None


@dataclass(frozen=True)
class Task:
    """What a trial is to train. ``identity`` tells it from all other trials, whatever folder it lies in."""

    network: Variant
    side: int
    recipe: Any
    seed: int
    mirrored: bool
    identity: str
    compiled: bool = False


class Trial:
    """A trial on a device. ``data`` are the splits for training and validation at the side of the task.

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
        group: Group = ALONE,
        every: float = SAVED_EVERY,
    ) -> None:
        self.task, self.device, self.group, self.every = task, device, group, every
        self.folder = folder
        self.train, self.validation = batches_of(data, device)
        self.steps = len(self.train) // task.recipe.batch_size
        self.shift = round(task.recipe.shift * task.side)
        torch.manual_seed(task.seed)
        network = build(task.network, (3, task.side, task.side)).to(device)
        self.learner = Learner(
            group.together(network), task.recipe, self.steps, device, task.compiled, group.wrap
        )
        torch.manual_seed(task.seed + group.rank)  # what dropout drops differs from process to process
        self.epochs: list[Epoch] = []
        self.step, self.seconds = 0, 0.0
        self.sums = Sums(torch.zeros((), device=device), torch.zeros((), device=device))
        self._resume()

    def run(self, tell: Callable[[Standing], None] = lambda _: None) -> tuple[Epoch, ...]:
        """Train to the end; ``tell`` is told where the trial stands, now and then.

        Raises:
            NotFiniteError: the loss of an epoch is no number.
            OutputError: the folder cannot be written to.
        """
        while len(self.epochs) < self.task.recipe.epochs:
            self._epoch(tell)
            self._finish_epoch()
            self._save()
            tell(self._standing(0))
        return tuple(self.epochs)

    def _epoch(self, tell: Callable[[Standing], None]) -> None:
        """The steps that are left of the epoch. Only saving, and its end, wait for the device."""
        task, batch_size = self.task, self.task.recipe.batch_size
        planned = order(len(self.train), task.seed, len(self.epochs), self.shift, task.mirrored)
        began = told = saved = perf_counter()
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
                began += saved - now  # the time of training is without that of saving
            if now - told >= TOLD_EVERY:
                told = now
                tell(self._standing((self.step - done) * batch_size / (now - began)))
        self._wait()
        self.seconds = before + perf_counter() - began

    def _finish_epoch(self) -> None:
        """Evaluate, and set down what came out."""
        number, images = len(self.epochs) + 1, self.steps * self.task.recipe.batch_size
        trained = self.group.total(torch.stack(list(self.sums))).tolist()
        rate = self.learner.learning_rate
        tested = self.group.shared(self._validate() if self.group.leads else None)
        if not (isfinite(trained[0]) and isfinite(tested[0])):
            raise NotFiniteError(
                f"the loss is no number after epoch {number}: try a lower learning_rate, or a lower clip"
            )
        self.epochs.append(
            Epoch(
                number,
                trained[0] / images,
                trained[1] / images,
                tested[0] / len(self.validation),
                tested[1] / len(self.validation),
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

    def _standing(self, speed: float) -> Standing:
        done = len(self.epochs) * self.steps + self.step
        last = self.epochs[-1] if self.epochs else None
        return Standing(done, self.task.recipe.epochs * self.steps, speed, last)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _save(self) -> None:
        random = self.group.gathered(checkpoint.random_state(self.device))
        if not self.group.leads:
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
        for part in self.folder.glob(f"{PART}*"):  # what a process that was killed had not written whole
            part.unlink()
        return checkpoint.load(self.folder / checkpoint.FILE, self.task.identity)

    def _resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        file = self.folder / checkpoint.FILE
        state = self.group.led(self._saved)
        if state is None:
            return
        try:
            self.learner.load(state["learner"])
            self.epochs = [Epoch(**epoch) for epoch in state["epochs"]]
            self.step, self.seconds = int(state["step"]), float(state["seconds"])
            self.sums = Sums(*(each.to(self.device) for each in state["sums"]))
            random = state["random"]
            if len(random) == self.group.world:
                checkpoint.set_random_state(random[self.group.rank], self.device)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise checkpoint.damaged(file) from error
        if len(random) != self.group.world:
            raise RunError(
                f"{file} is of {len(random)} processes, not {self.group.world}: go on with as many"
            )
        if self.group.leads:
            self._write_epochs()


def batches_of(data: tuple[Split, Split], device: torch.device) -> tuple[Batches, Batches]:
    """Training and validation images on a device, both made about 0 by what the training images have."""
    mean, deviation = spread(data[0].images)
    train, validation = (Batches(split, device, mean, deviation) for split in data)
    return train, validation
