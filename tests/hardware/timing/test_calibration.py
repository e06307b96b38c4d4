"""Calibrations in files: what is written is read, what is damaged is refused; predictions as by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import costlab
from costlab import CostlabError
from costlab.hardware.timing.calibration import Calibration, Coefficients, Machine, read_calibration
from costlab.hardware.timing.features import Features, operations_of
from costlab.hardware.timing.fit import TimedNetwork, calibration_of


def calibration() -> Calibration:
    """One that is fitted to three networks of the catalog, at 2 ns per byte read and 1,000 per launch."""
    networks = []
    for label in ("stem", "bottleneck", "inception_a"):
        counted = costlab.count(label)
        timed = tuple((each, 2.0 * each.features.read + 1_000) for each in operations_of(counted))
        whole = round(1.25 * sum(time for _, time in timed))
        networks.append(TimedNetwork(label, timed, whole, 2 * whole, whole))
    return calibration_of(networks, Machine("a CPU", 1, "2.11", "CPU time of the thread"), 1, 7)


CALIBRATION = calibration()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    CALIBRATION.write(file)
    assert read_calibration(file) == CALIBRATION
    with pytest.raises(CostlabError, match="exists"):
        CALIBRATION.write(file)
    CALIBRATION.write(file, replace=True)


def changed(change: Callable[[Any], object]) -> str:
    content = json.loads(CALIBRATION.to_json())
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[]", "costlab measure --calibrate did not write it"),
        (CALIBRATION.to_json()[:-9], "no JSON"),
        (changed(lambda it: it.update(format="another")), "costlab measure --calibrate did not write it"),
        (changed(lambda it: it.update(version=2)), "its version is not 1: make it again"),
        (changed(lambda it: it.pop("rest")), "the field rest is missing"),
        (changed(lambda it: it.update(more=1)), "there is no field 'more'"),
        (changed(lambda it: it.update(batch=0)), "batch: 0 must be at least 1"),
        (changed(lambda it: it.update(between=0)), "between: 0 must be above 0"),
        (changed(lambda it: it.update(between=float("nan"))), "NaN is no number"),
        (changed(lambda it: it["rest"].update(read=float("inf"))), "Infinity is no number"),
        (
            changed(lambda it: it["classes"][0].update(read=-1.0)),
            r"classes\[0\].read: -1.0 must be at least 0",
        ),
        (changed(lambda it: it["machine"].update(processor="a\nb")), "machine.processor"),
        (
            changed(lambda it: it["networks"][1].update(first=1.5)),
            r"networks\[1\].first: 1.5 is no whole number",
        ),
        (changed(lambda it: it["networks"].pop()), "networks: there must be at least 3"),
        (changed(lambda it: it["networks"][1].update(label="stem")), "networks: stem is there twice"),
        (changed(lambda it: it["classes"].append(it["classes"][0])), "classes: .* is there twice"),
    ],
)
def test_what_is_damaged_is_refused_in_one_line(content: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(content)
    with pytest.raises(CostlabError, match=rf"a.json is no calibration: .*{reason}") as caught:
        read_calibration(file)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CostlabError, match="there is no such file; costlab measure --calibrate"):
        read_calibration(tmp_path / "none.json")
    with pytest.raises(CostlabError, match="is no name of a file"):
        read_calibration("a\0b")
    with pytest.raises(CostlabError, match="rounds=0 must be a whole number of at least 1"):
        costlab.calibrate(["mini", "inception_a", "bottleneck"], rounds=0)


def test_a_prediction_is_the_sum_of_its_operations() -> None:
    counted = costlab.count("inception_a")
    predicted = CALIBRATION.predict(counted)
    expected = [
        0 if node.work is None else 1.25e-9 * (2 * 4 * node.work.inputs + 1_000)
        for node in counted.operations
    ]
    assert predicted.seconds == pytest.approx(expected, rel=1e-6)
    assert predicted.total == pytest.approx(sum(expected), rel=1e-6)
    assert predicted.remarks == ()
    assert (
        "the calibration is for batch 1, and this is batch 3"
        in CALIBRATION.predict(costlab.count("stem", batch=3)).remarks
    )


def test_a_prediction_says_what_was_not_fitted() -> None:
    (unknown, *_) = CALIBRATION.predict(costlab.count("vgg16")).remarks
    assert unknown == "not in the calibration, and taken for what is like it: max_pool2d 2x2, linear"
    *_, larger = CALIBRATION.predict(costlab.count("vgg16")).remarks
    assert larger.startswith("15,470,264,320 multiply-adds are more than any network")
    *_, smaller = CALIBRATION.predict(costlab.count("conv_separable")).remarks
    assert "fewer than any network" in smaller


def test_a_module_is_predicted_as_the_definition_that_it_was_built_from() -> None:
    for name in ("stem", "bottleneck", "x_block"):
        counted = costlab.count(name)
        traced = costlab.count(costlab.build(name), str(counted.input))
        groups = [[each.group for each in operations_of(some)] for some in (counted, traced)]
        assert sorted(groups[0]) == sorted(groups[1])
        whole = CALIBRATION.predict(counted).total
        assert CALIBRATION.predict(traced).total == pytest.approx(whole, rel=1e-9)


def test_no_time_is_predicted_of_symbols_or_a_step_of_training() -> None:
    w = costlab.symbols("w")
    step = costlab.count("bottleneck", batch=2, backward=True)
    for counted in (costlab.count("stem", batch=w), step):
        with pytest.raises(CostlabError, match="a time is predicted of numbers"):
            CALIBRATION.predict(counted)


def test_a_class_takes_so_much_for_each_unit() -> None:
    assert Coefficients("x", 0.5, 1, 2, 4, 100, 3).nanoseconds(Features(2, 10, 20, 30, 1)) == 271
