"""A worker: a process that trains what it is told to, and says how it goes."""

import gc
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from traceback import format_exc
from typing import Any

import torch

from costlab.errors import CostlabError, RunError, one_line
from costlab.files import write
from costlab.train import cache, measure, plan
from costlab.train.batches import Batches
from costlab.train.distributed import ALONE, Group
from costlab.train.environment import environment
from costlab.train.experiment import Arm
from costlab.train.plan import Plan
from costlab.train.protocol import BROKEN, FAILED, READY, WorkerSettings
from costlab.train.record import Epoch, Timing
from costlab.train.record import Trial as Record
from costlab.train.trial import NotFiniteError, Standing, Task, Trial, batches_of

ERROR = "error.txt"
GONE = (EOFError, BrokenPipeError, ConnectionResetError)
"""What shows that nobody is there any more to be told anything."""
THREADS = 1
"""Of a worker on a CPU: more of them on a small network cost more than they bring, and round otherwise."""
NO_MEMORY = ("out of memory", "can't allocate memory", "ALLOC_FAILED")
COMPILE_AFTER = 2000
"""Steps from which on compiling is worth the minute that it takes."""


class Worker:
    """What a worker knows; ``tell`` reaches whoever asked for the work."""

    def __init__(self, settings: WorkerSettings, group: Group = ALONE) -> None:
        self.settings, self.group = settings, group
        self.folder, self.device = settings.folder, torch.device(settings.device)
        if self.device.type == "cpu":
            torch.set_num_threads(THREADS)
        else:
            torch.backends.cudnn.benchmark = True
        self.spent = False
        self.plan: Plan = plan.load(self.folder)
        if self.plan.identity != settings.identity:
            raise RunError(f"{self.folder} holds another run by now")
        self.networks: dict[str, Arm] = self.plan.networks()
        self._images: dict[int, Any] = {}
        self._timed: dict[int, Batches] = {}

    def trial(self, label: str, seed: int, tell: Callable[[Standing], None]) -> Record:
        """Train an arm with a seed, or say why that failed."""
        folder = trial_folder(self.folder, self.plan, label, seed)
        task = self._task(label, seed)
        told, trial = "", None
        epochs: tuple[Epoch, ...] = ()
        here = environment(self.device, self.settings.workers, task.compiled)
        here = replace(here, processes=self.group.world)
        data = self._data(task.side)
        try:
            trial = Trial(task, data, folder, self.device, self.group, self.settings.every)
            epochs = trial.run(tell)
        except (NotFiniteError, RunError) as error:  # which all processes of a group see alike
            told = one_line(str(error))
        except GONE:
            raise
        except Exception as error:
            if self.group.world > 1:
                raise  # the others wait for this process: torchrun ends them
            told = self._named(error, folder)
        del trial
        self._clean()
        return Record(label, seed, epochs, here, told.replace(f"{self.folder}/", ""))

    def _named(self, error: Exception, folder: Path) -> str:
        """What is said of an error; a device that may be broken is not used again by this process."""
        told = one_line(error)
        if isinstance(error, CostlabError):
            return one_line(str(error))
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(sign in told for sign in NO_MEMORY):
            return f"out of memory: {told}"
        self.spent = self.device.type == "cuda"
        write(folder / ERROR, format_exc(), replace=True)
        return f"{told} ({folder / ERROR} says where)"

    def _clean(self) -> None:
        """Give back the memory of a trial."""
        gc.collect()
        if self.device.type == "cuda" and not self.spent:
            torch.cuda.empty_cache()

    def timings(self, labels: Sequence[str], tell: Callable[[int, int], None]) -> dict[str, Timing]:
        """The time of a step of each of these arms."""
        steppers = {label: self._stepper(label) for label in labels}
        found = measure.measured(steppers, tell)
        return {label: self._timing(label, measured) for label, measured in found.items()}

    def memory(self, label: str, tell: Callable[[int, int], None]) -> int | None:
        """The peak memory of an arm, asked of a worker that has done nothing else."""
        tell(0, 1)
        return measure.memory(self._stepper(label), self.device)

    def _timing(self, label: str, measured: measure.Measured) -> Timing:
        task = self._task(label, 0)
        here = environment(self.device, 1, task.compiled)
        return Timing(*measured, task.recipe.batch_size, None, here)

    def _stepper(self, label: str) -> Callable[[], measure.Stepper]:
        task = self._task(label, 0)
        batches = self._batches(task.side)
        return lambda: measure.Stepper(task, batches, self.device)

    def _batches(self, side: int) -> Batches:
        if side not in self._timed:
            self._timed[side] = batches_of(self._data(side), self.device)[0]
        return self._timed[side]

    def _task(self, label: str, seed: int) -> Task:
        arm, recipe = self.networks[label], self.plan.recipe_of(label)
        steps = recipe.epochs * (self.plan.data.train // recipe.batch_size)
        compiled = self.settings.compiled
        if compiled is None:
            compiled = self.device.type == "cuda" and steps >= COMPILE_AFTER
        identity = f"{self.plan.identity} {label} {seed}"
        return Task(arm.network, arm.side, recipe, seed, self.plan.mirrored, identity, compiled)

    def _data(self, side: int) -> Any:
        if side not in self._images:
            self._images[side] = cache.load(self.folder, side)
        return self._images[side]


def serve(connection: "Connection[Any, Any]", settings: WorkerSettings) -> None:
    """Do what comes through a connection until it ends: ``(what, *details)``, answered by ``(what, answer)``.

    While it works it says ``("at", ...)``. It ends when whoever asks is not there any more.
    """
    try:
        worker = Worker(settings)
    except Exception as error:
        connection.send((BROKEN, str(error) if isinstance(error, CostlabError) else one_line(error)))
        return

    def tell(*at: Any) -> None:
        connection.send(("at", at))

    try:
        connection.send((READY, None))
        while (job := connection.recv()) is not None:
            what, *details = job
            try:
                answer = (what, JOBS[what](worker, *details, tell))
            except GONE:
                raise
            except Exception as error:
                answer = (FAILED, one_line(error))
            connection.send(answer)
            if worker.spent:
                return
    except GONE:
        os._exit(1)


JOBS: dict[str, Callable[..., Any]] = {
    "trial": Worker.trial,
    "timings": Worker.timings,
    "memory": Worker.memory,
}


def trial_folder(folder: Path, plan: Plan, label: str, seed: int) -> Path:
    """Where a trial keeps its files: named by the number of the arm, and what of its label a file may be."""
    place = [arm.label for arm in plan.arms].index(label)
    name = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in label)[:40].strip("-")
    return folder / "trials" / f"{place:02}-{name}-seed-{seed}"
