"""Calibrations: how long operations take on one machine, as a model that was fitted, with its errors."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from math import fsum
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from costlab.algebra.dim import is_number
from costlab.counting.count import Count
from costlab.decode import AboveZero, Line, MalformedError, Natural, NotNegative, Positive, decode, parse
from costlab.errors import CalibrationError, DefinitionError, one_line
from costlab.files import read_given, write
from costlab.hardware.timing.features import Features, Operation, base_of, operations_of

FORMAT, VERSION = "costlab calibration", 1
MOST_BYTES = 2**22
"""The most bytes of a file."""
NANOSECONDS = 1e9
"""Of a second."""
LEAST = 3
"""Networks that are fitted at the least: with fewer nothing is left when one is left out."""


@dataclass(frozen=True)
class Coefficients:
    """Nanoseconds of a class of operations: for each multiply-add, byte and launch, none of them negative.

    ``operations`` says how many it was fitted to.
    """

    group: Line
    multiply_adds: NotNegative
    read: NotNegative
    written: NotNegative
    weights: NotNegative
    launch: NotNegative
    operations: Natural

    def nanoseconds(self, features: Features) -> float:
        """The time of an operation by itself."""
        mine = (self.multiply_adds, self.read, self.written, self.weights, self.launch)
        return sum(each * amount for each, amount in zip(mine, features, strict=True))


@dataclass(frozen=True)
class Fitted:
    """A network that a calibration was fitted to: its median time in two runs, and over both, in ns.

    ``predicted`` is what a fit says that was made without it; ``multiply_adds`` are those of the batch.
    """

    label: Line
    multiply_adds: Natural
    first: Positive
    second: Positive
    measured: Positive
    predicted: AboveZero

    @property
    def error(self) -> float:
        """The relative error of what was predicted without it."""
        return self.predicted / self.measured - 1

    @property
    def spread(self) -> float:
        """How far the second run was from the first."""
        return abs(self.second / self.first - 1)


@dataclass(frozen=True)
class Machine:
    """The machine that was measured, without its name: what computes, and with what."""

    processor: Line
    threads: Positive
    torch: Line
    clock: Line

    def __str__(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.processor}, {threads}, torch {self.torch}, {self.clock}"


@dataclass(frozen=True)
class Model:
    """A linear model of time: ``classes``, ``rest`` for what is in none of them, and what lies ``between``.

    A class that is not there is taken for the one that its first word names.
    """

    between: float
    classes: tuple[Coefficients, ...]
    rest: Coefficients

    @cached_property
    def by_group(self) -> Mapping[str, Coefficients]:
        """The coefficients by class."""
        return {each.group: each for each in self.classes}

    def knows(self, group: str) -> bool:
        """Whether it was fitted to operations of that class."""
        return group in self.by_group

    def nanoseconds(self, operation: Operation) -> float:
        """The time of an operation by itself."""
        group = operation.group
        found = self.by_group.get(group) or self.by_group.get(base_of(group), self.rest)
        return found.nanoseconds(operation.features)


class Prediction(NamedTuple):
    """The seconds of each operation of a count in inference, in its order, 0 for what takes no time.

    ``remarks`` say where the calibration was not fitted to such a network.
    """

    seconds: tuple[float, ...]
    remarks: tuple[str, ...]

    @property
    def total(self) -> float:
        """The seconds of the whole network."""
        return fsum(self.seconds)


@dataclass(frozen=True)
class Calibration:
    """A linear model of time per class of operations, in float32, for one machine and batch.

    An operation takes ``between`` times what its class says; ``between`` holds what lies between operations.
    ``rest`` is for classes that no network had.
    """

    format: Line
    version: Positive
    machine: Machine
    batch: Positive
    rounds: Positive
    between: AboveZero
    classes: tuple[Coefficients, ...]
    rest: Coefficients
    networks: tuple[Fitted, ...]

    @property
    def error(self) -> float:
        """The mean over networks of the relative error of a fit without the network."""
        return fmean(abs(each.error) for each in self.networks)

    @property
    def worst(self) -> Fitted:
        """The network that a fit without it is furthest from."""
        return max(self.networks, key=lambda each: abs(each.error))

    @property
    def spread(self) -> float:
        """The mean over networks of how far the second run was from the first."""
        return fmean(each.spread for each in self.networks)

    @cached_property
    def model(self) -> "Model":
        """What it predicts with."""
        return Model(self.between, self.classes, self.rest)

    def predict(self, count: Count) -> Prediction:
        """The time of what was counted, on the machine of the calibration, in inference.

        Raises:
            DefinitionError: the count is for symbols or arrays, or one of a step of training.
        """
        if count.is_step or not is_number(count.batch, *count.total.sizes):
            raise DefinitionError(f"{count.label}: a time is predicted of numbers, and on the way forward")
        operations = {each.path: each for each in operations_of(count)}
        times = (
            self.model.nanoseconds(operations[node.path]) if node.path in operations else 0.0
            for node in count.inference.operations
        )
        seconds = tuple(self.between * time / NANOSECONDS for time in times)
        return Prediction(seconds, tuple(self._remarks(count, operations.values())))

    def _remarks(self, count: Count, operations: Iterable[Operation]) -> Iterator[str]:
        groups = dict.fromkeys(each.group for each in operations)
        if unknown := [each for each in groups if not self.model.knows(each)]:
            yield f"not in the calibration, and taken for what is like it: {', '.join(unknown)}"
        if int(count.batch) != self.batch:
            yield f"the calibration is for batch {self.batch}, and this is batch {int(count.batch)}"
        size = sum(each.features.multiply_adds for each in operations)
        sizes = [each.multiply_adds for each in self.networks]
        if not min(sizes) <= size <= max(sizes):
            yield (
                f"{size:,} multiply-adds are {'fewer' if size < min(sizes) else 'more'} than any "
                "network of the calibration has"
            )

    def to_json(self) -> str:
        """The content of its file."""
        return json.dumps(asdict(self), indent=1) + "\n"

    def write(self, file: Path, *, replace: bool = False) -> None:
        """Write it to a file, whole or not at all.

        Raises:
            OutputError: the file exists and ``replace`` is False, or it cannot be written.
        """
        write(file, self.to_json(), replace=replace)


def read_calibration(file: str | Path) -> Calibration:
    """The calibration in a file that `Calibration.write` wrote.

    Raises:
        CalibrationError: there is no such file, it is damaged, or another version of costlab wrote it.
        OutputError: it cannot be read.
    """
    path = Path(file)
    wanted = "name one that costlab measure --calibrate wrote"
    made_by = f"; costlab measure --calibrate {path} makes it"
    content = read_given(path, MOST_BYTES, wanted, CalibrationError, made_by)
    try:
        value = parse(content)
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise MalformedError("costlab measure --calibrate did not write it")
        if value.get("version") != VERSION:
            raise MalformedError(f"its version is not {VERSION}: make it again")
        made: Calibration = decode(Calibration, value)
        _refuse_contradictions(made)
    except ValueError as error:  # of MalformedError, and of the parser
        reason = str(error) if isinstance(error, MalformedError) else f"no JSON: {one_line(error)}"
        raise CalibrationError(f"{path} is no calibration: {reason}") from None
    return made


def _refuse_contradictions(made: Calibration) -> None:
    if len(made.networks) < LEAST:
        raise MalformedError(f"networks: there must be at least {LEAST}")
    for name, entries in (
        ("classes", [each.group for each in made.classes]),
        ("networks", [each.label for each in made.networks]),
    ):
        if twice := next((each for each in entries if entries.count(each) > 1), None):
            raise MalformedError(f"{name}: {twice} is there twice")
