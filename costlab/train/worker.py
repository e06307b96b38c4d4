"""A worker: a process that trains trials and measures arms on request, and reports its progress."""

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
from costlab.files import make_folder, write
from costlab.train import cache, measure, plan
from costlab.train.allocator import keep_freed_memory
from costlab.train.batches import Batches
from costlab.train.distributed import SINGLE_PROCESS, Group
from costlab.train.environment import describe_environment
from costlab.train.experiment import SizedArm
from costlab.train.fused import has_kernels, uses_kernels
from costlab.train.plan import TRIALS, Plan
from costlab.train.protocol import BROKEN, FAILED, READY, WorkerSettings
from costlab.train.record import Environment, Epoch, Timing, TrialResult
from costlab.train.trial import NotFiniteError, Task, Trial, TrialProgress, batches_of

ERROR = "error.txt"
GONE = (EOFError, BrokenPipeError, ConnectionResetError)
"""The errors of a connection whose other side is gone."""
THREADS = 1
"""Threads of a worker on a CPU: more do not pay for a small network, and change the rounding."""
NO_MEMORY = ("out of memory", "can't allocate memory", "ALLOC_FAILED")
COMPILE_AFTER = 2000
"""The number of steps from which on compiling is worth the minute that it takes."""


class Worker:
    """The state of a worker. ``report`` sends the progress of a request to the process that made it."""

    def __init__(self, settings: WorkerSettings, group: Group = SINGLE_PROCESS) -> None:
        self.settings, self.group = settings, group
        self.folder, self.device = settings.folder, torch.device(settings.device)
        if self.device.type == "cpu":
            torch.set_num_threads(THREADS)
            has_kernels()  # now: neither a step nor its memory is measured with what it takes to load them
        else:
            torch.backends.cudnn.benchmark = True
        self.is_broken = False
        self.plan: Plan = plan.load(self.folder)
        if self.plan.identity != settings.identity:
            raise RunError(f"{self.folder} holds another run by now")
        # Of the members of spaces, which are many, each is made when it is trained.
        self.networks: dict[str, SizedArm] = {} if self.plan.spaces else self.plan.networks()
        self._images: dict[int, Any] = {}
        self._timed: dict[int, Batches] = {}

    def trial(self, label: str, seed: int, report: Callable[[TrialProgress], None]) -> TrialResult:
        """The result of an arm trained with a seed, or the reason why that failed."""
        self._keep_memory()
        self._know(label)
        folder = trial_folder(self.folder, self.plan, label, seed)
        task = self._task(label, seed)
        failure, trial = "", None
        epochs: tuple[Epoch, ...] = ()
        here = replace(self._here(task, self.settings.workers), processes=self.group.world)
        data = self._data(task.side)
        try:
            trial = Trial(task, data, folder, self.device, self.group, self.settings.every)
            epochs = trial.run(report)
        except (NotFiniteError, RunError) as error:  # the same in all processes of a group
            failure = one_line(str(error))
        except GONE:
            raise
        except Exception as error:
            if self.group.world > 1:
                raise  # the others wait for this process: torchrun ends them
            failure = self._describe(error, folder)
        del trial
        self._free_memory()
        return TrialResult(label, seed, epochs, here, failure.replace(f"{self.folder}/", ""))

    def _know(self, label: str) -> None:
        """Make the network of a member of a space; what a search has found since is in the plan by now."""
        if label in self.networks:
            return
        if label not in {arm.label for arm in self.plan.arms}:
            self.plan = plan.load(self.folder)
        self.networks[label] = self.plan.network(label)

    def _describe(self, error: Exception, folder: Path) -> str:
        """An error in a line. After an unexpected one, this process does not use its GPU again."""
        message = one_line(error)
        if isinstance(error, CostlabError):
            return one_line(str(error))
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
            sign in str(error) for sign in NO_MEMORY
        ):
            return f"out of memory: {message}"
        self.is_broken = self.device.type == "cuda"
        make_folder(folder)  # a network that cannot be made has none yet
        write(folder / ERROR, format_exc(), replace=True)
        return f"{message} ({folder / ERROR} says where)"

    def _keep_memory(self) -> None:
        """Train as fast as memory allows; the peak of memory is measured without, as torch takes it."""
        if self.device.type == "cpu":
            keep_freed_memory()

    def _free_memory(self) -> None:
        """Free the memory of a trial."""
        gc.collect()
        if self.device.type == "cuda" and not self.is_broken:
            torch.cuda.empty_cache()

    def timings(self, labels: Sequence[str], report: Callable[[int, int], None]) -> dict[str, Timing]:
        """The time of a step of each of these arms."""
        self._keep_memory()
        steppers = {label: self._stepper(label) for label in labels}
        times = measure.time_steps(steppers, report)
        return {label: self._timing(label, time_steps) for label, time_steps in times.items()}

    def peak_memory(self, label: str, report: Callable[[int, int], None]) -> int | None:
        """The peak memory of an arm in bytes. The worker must not have done anything else before."""
        report(0, 1)
        return measure.peak_memory(self._stepper(label), self.device)

    def _timing(self, label: str, step_time: measure.StepTime) -> Timing:
        task = self._task(label, 0)
        return Timing(*step_time, task.recipe.batch_size, None, self._here(task, 1))

    def _here(self, task: Task, workers: int) -> Environment:
        here = describe_environment(self.device, workers, task.compiled)
        return replace(here, kernels=uses_kernels(self.device, task.compiled))

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
    """Serve requests ``(what, *details)`` of a connection, answered by ``(what, answer)``, until it closes.

    Progress is sent as ``("at", ...)``. The process ends when the other side is gone.
    """
    try:
        _serve(connection, settings)
    except GONE:
        os._exit(1)


def _serve(connection: "Connection[Any, Any]", settings: WorkerSettings) -> None:
    try:
        worker = Worker(settings)
    except Exception as error:
        connection.send((BROKEN, str(error) if isinstance(error, CostlabError) else one_line(error)))
        return

    def report(*at: Any) -> None:
        connection.send(("at", at))

    connection.send((READY, None))
    while (job := connection.recv()) is not None:
        what, *details = job
        try:
            answer = (what, JOBS[what](worker, *details, report))
        except GONE:
            raise
        except Exception as error:
            answer = (FAILED, one_line(error))
        connection.send(answer)
        if worker.is_broken:
            return


JOBS: dict[str, Callable[..., Any]] = {
    "trial": Worker.trial,
    "timings": Worker.timings,
    "memory": Worker.peak_memory,
}


def trial_folder(folder: Path, plan: Plan, label: str, seed: int) -> Path:
    """The folder of a trial, named by the number of its arm, the label without odd signs, and the seed."""
    place = [arm.label for arm in plan.arms].index(label)
    name = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in label)[:40].strip("-")
    return folder / TRIALS / f"{place:02}-{name}-seed-{seed}"
