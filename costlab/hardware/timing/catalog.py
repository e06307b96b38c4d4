"""Calibrating: networks of the catalog, timed in two runs, one after the other."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch

from costlab.algebra.traced import Traced
from costlab.counting.count import Count, count
from costlab.errors import CalibrationError, MeasureError
from costlab.hardware.timing.built import built, memory, weight_bytes
from costlab.hardware.timing.calibration import LEAST, Calibration
from costlab.hardware.timing.features import NOTHING, Operation, group_of
from costlab.hardware.timing.fit import TimedNetwork, calibration_of
from costlab.hardware.timing.measure import ROUNDS, in_inference, refuse_numbers, timed
from costlab.hardware.timing.measured import Measurement, spread
from costlab.targets.like import TargetLike

SUITE = (
    "alexnet",
    "vgg16",
    "vgg16:bn=true,width=0.5",
    "googlenet",
    "bn_inception",
    "inception_v3",
    "resnet50",
    "resnet50:width=0.5",
    "regnet_x",
    "regnet_x:depth=16,w_0=56,w_a=35.73,w_m=2.28",
    "regnet_x:group_width=1",
    "regnet_x:depth=16,w_0=56,w_a=35.73,w_m=2.28,group_width=1",
    "prelu_net_a",
)
"""The networks of the catalog that a calibration is fitted to, of each kind of operation two or more."""
PART = 4
"""What is not named is left out if its weights take more than a quarter of the memory."""
Told = Callable[[str], None]
"""Called with a network and the run that it is in, in words."""


class Subject(NamedTuple):
    """A network of a calibration, counted."""

    target: TargetLike
    counted: Count


class CatalogRuns:
    """The runs of a calibration: each network is built and timed once, one after the other, then once more.

    ``targets`` are definitions, by default those of `SUITE`, of which the ones with many weights are left
    out; ``notes`` say which.

    Raises:
        CalibrationError: they are fewer than `LEAST`, one is named twice, or is a module.
        TargetError, DefinitionError, ShapeError: as `costlab.count`.
    """

    def __init__(
        self, targets: Sequence[TargetLike] = (), batch: int = 1, threads: int = 1, rounds: int = ROUNDS
    ) -> None:
        refuse_numbers(batch=batch, threads=threads, rounds=rounds)
        self._batch, self._threads, self._rounds = batch, threads, rounds
        subjects = [Subject(each, in_inference(count(each, batch=batch))) for each in targets or SUITE]
        _refuse_unfit([each.counted for each in subjects])
        large = [each for each in subjects if PART * weight_bytes(each.counted) > memory()]
        self.notes = (
            [] if targets else [f"left out for its many weights: {each.counted.label}" for each in large]
        )
        self._subjects = subjects if targets else [each for each in subjects if each not in large]
        _refuse_few(len(self._subjects))
        self._firsts: list[Measurement] = []
        self._seconds: list[Measurement] = []

    @property
    def twice(self) -> int:
        """How many networks were timed twice."""
        return len(self._seconds)

    @property
    def are_enough(self) -> bool:
        """Whether a calibration can be fitted to what was timed so far."""
        return self.twice >= LEAST

    @property
    def turns(self) -> int:
        """How often a network is timed in all."""
        return 2 * len(self._subjects)

    def take(self, now: Told | None = None, done: Told | None = None) -> None:
        """Time all networks, and tell of each before and after. An interrupt leaves what was timed before.

        Raises:
            MeasureError: one cannot run here.
        """
        for number, run in enumerate((self._firsts, self._seconds), 1):
            for subject in self._subjects:
                words = f"run {number} of 2: {subject.counted.label}"
                if now is not None:
                    now(words)
                run.append(self._timed(subject))
                if done is not None:
                    done(words)

    def calibration(self) -> Calibration:
        """What is fitted to the networks that were timed twice.

        Raises:
            CalibrationError: they are fewer than `LEAST`.
        """
        networks = [network(*pair) for pair in zip(self._firsts, self._seconds, strict=False)]
        _refuse_few(len(networks))
        return calibration_of(networks, self._firsts[0].machine, self._batch, self._rounds)

    def _timed(self, subject: Subject) -> Measurement:
        device = torch.device("cpu")
        runs = built(subject.target, None, subject.counted, device, {})
        return timed(subject.counted, runs, device, self._threads, self._rounds)


def calibrate(
    targets: Sequence[TargetLike] = (),
    *,
    batch: int = 1,
    threads: int = 1,
    rounds: int = ROUNDS,
    progress: Told | None = None,
) -> Calibration:
    """A model of time for this machine's CPU, fitted to networks of the catalog, or to ``targets``.

    All are timed in two runs, one network after the other; what comes out knows how far the runs are apart,
    and how far each network is from what a fit without it predicts. Takes some minutes.

    Raises:
        CalibrationError: they are fewer than three, one is named twice, or is a module.
        MeasureError, TargetError, DefinitionError, ShapeError: as `measure`.
    """
    runs = CatalogRuns(targets, batch, threads, rounds)
    runs.take(progress)
    return runs.calibration()


def network(first: Measurement, second: Measurement) -> TimedNetwork:
    """A network that was timed twice, for a fit: medians over the rounds of both runs."""
    operations = tuple(_operations(first, second))
    both = spread((*first.whole, *second.whole)).median
    return TimedNetwork(first.count.label, operations, first.spread.median, second.spread.median, both)


def _operations(first: Measurement, second: Measurement) -> Iterator[tuple[Operation, float]]:
    nodes = {node.path: node for node in first.count.operations}
    for row, again in zip(first.rows, second.rows, strict=True):
        if row.kind in NOTHING:
            continue
        if row.operations > 1:
            raise MeasureError(f"{first.count.label}: {row.path} runs several operations: name a definition")
        operation = Operation(row.path, row.kind, group_of(nodes[row.path]), row.features)
        yield operation, float(spread((*row.times, *again.times)).median)


def _refuse_unfit(counts: Sequence[Count]) -> None:
    labels = [each.label for each in counts]
    for each in counts:
        if labels.count(each.label) > 1:
            raise CalibrationError(f"{each.label} is named twice")
        if each.root.block.takes_tensors or isinstance(each.root.block, Traced):
            raise CalibrationError(f"{each.label} is a module: a calibration is fitted to definitions")


def _refuse_few(number: int) -> None:
    if number < LEAST:
        raise CalibrationError(f"{number} networks: a calibration is fitted to {LEAST} at least")
