"""Fitting calibrations: least squares without negative coefficients, class by class, on relative errors."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.errors import CalibrationError
from costlab.hardware.timing.calibration import (
    FORMAT,
    LEAST,
    VERSION,
    Calibration,
    Coefficients,
    Fitted,
    Machine,
    Model,
)
from costlab.hardware.timing.features import Features, Operation, base_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

REST = "other"


class TimedNetwork(NamedTuple):
    """A network as it was timed: each operation, and the whole in two runs and over both, in nanoseconds."""

    label: str
    operations: tuple[tuple[Operation, float], ...]
    first: int
    second: int
    whole: int

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the batch."""
        return sum(operation.features.multiply_adds for operation, _ in self.operations)


def calibration_of(
    networks: Sequence[TimedNetwork], machine: Machine, batch: int, rounds: int
) -> Calibration:
    """The calibration that fits networks, each predicted by a fit without it, too.

    Raises:
        CalibrationError: there are fewer than `LEAST` networks.
    """
    if len(networks) < LEAST:
        raise CalibrationError(f"{len(networks)} networks were timed: a calibration takes {LEAST} at least")
    model = fit(networks)
    fitted = tuple(
        Fitted(
            each.label,
            each.multiply_adds,
            each.first,
            each.second,
            each.whole,
            predicted(fit([other for other in networks if other is not each]), each),
        )
        for each in networks
    )
    return Calibration(
        FORMAT, VERSION, machine, batch, rounds, model.between, model.classes, model.rest, fitted
    )


def fit(networks: Sequence[TimedNetwork]) -> Model:
    """The model of some networks.

    The relative errors of operations are least in each class; then each class is scaled so that its sum over
    all networks is what was measured, and all of them by the median over networks of the whole's time to the
    sum of its operations.
    """
    groups: dict[str, list[tuple[Features, float]]] = {}
    for network in networks:
        for operation, nanoseconds in network.operations:
            for group in {operation.group, base_of(operation.group)}:
                groups.setdefault(group, []).append((operation.features, nanoseconds))
    classes = tuple(_fit_class(group, groups[group]) for group in sorted(groups))
    rest = _fit_class(
        REST, [(each.features, time) for network in networks for each, time in network.operations]
    )
    alone = Model(1.0, classes, rest)
    return replace(alone, between=median(each.whole / predicted(alone, each) for each in networks))


def predicted(model: Model, network: TimedNetwork) -> float:
    """The time of a network by a model, in nanoseconds."""
    return model.between * sum(model.nanoseconds(operation) for operation, _ in network.operations)


def _fit_class(group: str, timed: Sequence[tuple[Features, float]]) -> Coefficients:
    import numpy as np

    table = np.array([features for features, _ in timed], dtype=float)
    times = np.array([max(nanoseconds, 1.0) for _, nanoseconds in timed])
    found = nonnegative(table / times[:, None], np.ones(len(times)))
    found = found * (times.sum() / (table @ found).sum())
    multiply_adds, read, written, weights, launch = map(float, found)
    return Coefficients(group, multiply_adds, read, written, weights, launch, len(timed))


def nonnegative(matrix: "Floats", wanted: "Floats") -> "Floats":
    """The x without negative entries for which ``matrix @ x`` is nearest to ``wanted`` in least squares.

    Of each set of columns that may be positive, which are few, the least squares are known; the best that
    has no negative entry is the answer.
    """
    import numpy as np

    scales = np.abs(matrix).max(axis=0)
    columns = np.flatnonzero(scales)
    q, r = np.linalg.qr(matrix[:, columns] / scales[columns])
    target = q.T @ wanted
    best, least = np.zeros(matrix.shape[1]), float("inf")
    if not len(columns):
        return best
    for chosen in _subsets(range(len(columns))):
        x, *_ = np.linalg.lstsq(r[:, chosen], target, rcond=None)
        error = float(np.square(r[:, chosen] @ x - target).sum())
        if (x >= 0).all() and error < least:
            best, least = np.zeros(matrix.shape[1]), error
            best[columns[chosen]] = x / scales[columns[chosen]]
    return best


def _subsets(numbers: Sequence[int]) -> Iterable[list[int]]:
    """All sets of some numbers but the empty one, the smaller ones first."""
    for size in range(1, len(numbers) + 1):
        yield from map(list, combinations(numbers, size))
