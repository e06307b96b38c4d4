"""Fits of time: planted coefficients come back, and what is left out is predicted as by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from costlab import CostlabError
from costlab.hardware.timing.calibration import Machine
from costlab.hardware.timing.features import Features, Operation
from costlab.hardware.timing.fit import TimedNetwork, calibration_of, fit, nonnegative

MACHINE = Machine("a CPU", 1, "2.11", "CPU time of the thread")
PLANTED = {"relu": (0.0, 0.25, 0.5, 0.0, 900.0), "conv kxk": (0.0125, 0.5, 0.0, 0.25, 20_000.0)}


def network(label: str, times: dict[str, list[float]], whole: int) -> TimedNetwork:
    """A network of operations that only are launched, by class."""
    launched = Features(0, 0, 0, 0)
    operations = [
        (Operation(f"{group}{i}", group, group, launched), time)
        for group, some in times.items()
        for i, time in enumerate(some)
    ]
    return TimedNetwork(label, tuple(operations), whole, whole, whole)


SIZES = (
    (900_000, 80_000, 20_000, 7),
    (70_000, 900_000, 3, 40),
    (5, 60_000, 700_000, 90_000),
    (8, 9, 11, 500_000),
)


def planted(label: str, factor: int) -> TimedNetwork:
    operations = []
    for (group, coefficients), sizes in product(PLANTED.items(), SIZES):
        features = Features(*(factor * size for size in sizes))
        operations.append((Operation("x", group, group, features), float(np.dot(coefficients, features))))
    whole = round(1.5 * sum(time for _, time in operations))
    return TimedNetwork(label, tuple(operations), whole, round(1.1 * whole), whole)


def test_planted_coefficients_come_back() -> None:
    made = calibration_of([planted("a", 1), planted("b", 30), planted("c", 7)], MACHINE, 1, 7)
    assert made.between == pytest.approx(1.5, rel=1e-6)
    found = {each.group: each for each in made.classes}
    for group, coefficients in PLANTED.items():
        got = [getattr(found[group], name) for name in Features._fields]
        assert got == pytest.approx(coefficients, rel=1e-6, abs=1e-9)
    assert [each.error for each in made.networks] == pytest.approx([0, 0, 0], abs=1e-5)
    assert made.error == pytest.approx(0, abs=1e-5)
    assert made.spread == pytest.approx(0.1, rel=1e-5)


def test_what_is_left_out_is_predicted_as_by_hand() -> None:
    networks = [
        network("a", {"relu": [10]}, 12),
        network("b", {"relu": [20]}, 22),
        network("c", {"relu": [30, 30]}, 50),
    ]
    made = calibration_of(networks, MACHINE, 1, 7)
    # of a and b: 15 a launch; the whole is 12/15 and 22/15 of that, in the middle 17/15; twice 15 is 34
    assert made.networks[2].predicted == pytest.approx(34)
    assert made.networks[2].error == pytest.approx(34 / 50 - 1)
    # of a and c: 70/3 a launch; 12 * 3/70 and 50 * 3/140
    assert made.networks[1].predicted == pytest.approx((12 + 25) / 2)
    # of b and c: 80/3; 22 * 3/80 and 50 * 3/160
    assert made.networks[0].predicted == pytest.approx((22 + 25) / 2)
    errors = [23.5 / 12 - 1, 18.5 / 22 - 1, 34 / 50 - 1]
    assert made.error == pytest.approx(sum(map(abs, errors)) / 3)
    assert (made.worst.label, made.spread) == ("a", 0)
    assert made.between == pytest.approx(sorted([12 / 22.5, 22 / 22.5, 50 / 45])[1])


def test_a_class_is_taken_for_the_one_that_its_first_word_names() -> None:
    model = fit([network(name, {"pool 2x2": [10], "pool 3x3": [30], "relu": [5]}, 45) for name in "abc"])
    launched = Features(0, 0, 0, 0)

    def time(group: str) -> float:
        return model.nanoseconds(Operation("x", "pool", group, launched))

    assert [time("pool 2x2"), time("pool 3x3"), time("pool 5x5"), time("relu")] == pytest.approx(
        [10, 30, 20, 5]
    )
    assert time("softmax") == pytest.approx(15)  # the mean of all
    assert not model.knows("softmax")
    assert not model.knows("pool 5x5")
    assert model.knows("relu")


def test_fewer_than_three_networks_are_too_few() -> None:
    with pytest.raises(CostlabError, match="2 networks were timed: a calibration takes 3 at least"):
        calibration_of([network(name, {"relu": [1]}, 1) for name in "ab"], MACHINE, 1, 7)


SOME = st.integers(-50, 50).map(float)


@settings(max_examples=25)
@given(arrays(float, (7, 4), elements=SOME), arrays(float, 7, elements=SOME))
def test_least_squares_without_negative_entries(matrix: "np.ndarray", wanted: "np.ndarray") -> None:
    x = nonnegative(matrix, wanted)
    slope = matrix.T @ (matrix @ x - wanted)  # Karush, Kuhn and Tucker's conditions
    loose = 1e-6 * (1 + np.abs(matrix).max() * np.abs(wanted).max() * 7)
    assert (x >= 0).all()
    assert (slope >= -loose).all()
    assert np.abs(slope * x).max() <= loose * (1 + np.abs(x).max())
