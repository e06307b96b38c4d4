"""``costlab measure`` and ``costlab roofline --calibration``; nothing depends on how long anything takes."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

import costlab
from costlab.hardware.timing.calibration import read_calibration
from costlab.hardware.timing.catalog import SUITE, CatalogRuns, Subject
from costlab.hardware.timing.measure import ROUNDS
from costlab.hardware.timing.measured import Measurement
from costlab.report.tables.measure import measured_table
from tests.cli.conftest import Run
from tests.hardware.timing.test_calibration import CALIBRATION

SMALL = ("bottleneck:channels=4", "x_block:width=16", "reduction_d:width=0.1")


def test_a_row_for_each_operation(run: Run) -> None:
    code, out, err = run("measure", "bottleneck", "--rounds", "2", "--device", "k40", "-f", "csv")
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    counted = costlab.count("bottleneck")
    assert [row["module"] for row in rows] == [node.path for node in counted.operations]
    assert sum(int(row["multiply_adds"]) for row in rows) == counted.multiply_adds
    bounds = costlab.roofline("bottleneck", "k40").operations
    assert [float(row["bound"]) for row in rows] == pytest.approx([each.seconds for each in bounds])
    assert [int(row["bytes"]) for row in rows] == [each.bytes for each in bounds]
    for row in rows:
        assert 0 < float(row["low"]) <= float(row["seconds"]) <= float(row["high"])


def test_what_it_ran_on_is_said(run: Run) -> None:
    out = run("measure", "bottleneck", "--rounds", "1", "--by", "kind", "-f", "json").out
    told = json.loads(out)
    assert told["format"] == "costlab measure"
    assert (told["machine"]["threads"], told["machine"]["clock"]) == (1, "CPU time of the thread")
    assert {row["kind"] for row in told["rows"]} == {"conv2d", "batch_norm2d", "relu", "add"}
    assert len(told["whole"]) == told["rounds"] == 1


def test_what_a_module_prints_is_no_result(run: Run, tmp_path: Path) -> None:
    module = """
        from torch import nn

        class Net(nn.Linear):
            def forward(self, x):
                print("noise")
                return super().forward(x)
    """
    (tmp_path / "mine.py").write_text(dedent(module))
    target = f"{tmp_path}/mine.py:Net:in_features=2,out_features=2"
    code, out, err = run("measure", target, "-i", "2", "--rounds", "1", "-f", "csv")
    assert (code, "noise" in out, "noise" in err) == (0, False, True)


def test_a_narrow_terminal_keeps_the_time() -> None:
    table = measured_table(costlab.measure("bottleneck", rounds=1), 1, "module", costlab.device("k40"))
    for width in (140, 80, 40):
        text = table.to_text(width)
        assert max(map(len, text.split("\n"))) <= width
        assert "time" in text
        assert "medians of 1 round" in " ".join(text.split())


def test_a_calibration_is_fitted_written_and_predicts(run: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "a.json")
    words = ("measure", *SMALL, "--rounds", "1", "--calibrate", file)
    code, out, err = run(*words)
    assert code == 0
    assert [line.startswith("done: run ") for line in err.splitlines()] == [True] * 6
    made = read_calibration(file)
    assert [each.label for each in made.networks] == [*SMALL]
    assert f"{made.error:.1%}" in out
    shown = " ".join(run("roofline", SMALL[0], "--calibration", file, "--by", "operation").out.split())
    told = f"are off by {made.error:.1%} on average"
    assert told in shown
    assert f"differ by {made.spread:.1%} on average" in shown
    assert told in " ".join(run("roofline", SMALL[0], "--calibration", file, "--device", "k40").out.split())
    code, out, err = run(*words)
    assert (code, out, err.count("\n"), "exists" in err) == (2, "", 1, True)


def test_a_prediction_beside_a_bound_and_alone(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    CALIBRATION.write(file)
    expected = CALIBRATION.predict(costlab.count("stem"))
    alone = json.loads(run("roofline", "stem", "--calibration", str(file), "-f", "json").out)
    assert alone["total"]["predicted"] == pytest.approx(expected.total)
    assert (alone["left_out_error"], alone["between_runs"]) == (CALIBRATION.error, CALIBRATION.spread)
    beside = json.loads(
        run("roofline", "stem", "--calibration", str(file), "--device", "k40", "-f", "json").out
    )
    assert beside["total"]["predicted"] == pytest.approx(expected.total)
    assert beside["left_out_error"] == CALIBRATION.error
    kinds = json.loads(run("roofline", "stem", "--calibration", str(file), "--by", "kind", "-f", "json").out)
    assert sum(row["predicted"] for row in kinds["rows"]) == pytest.approx(expected.total)


@pytest.fixture
def interrupt_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets runs be interrupted after so many networks; each is timed once, and that is what it took again."""
    taken = CatalogRuns._timed
    known: dict[str, Measurement] = {}

    def set_to(number: int) -> None:
        left = iter(range(number))

        def timed(self: CatalogRuns, subject: Subject) -> Measurement:
            if next(left, None) is None:
                raise KeyboardInterrupt
            label = subject.counted.label
            known[label] = known.get(label) or taken(self, subject)
            return known[label]

        monkeypatch.setattr(CatalogRuns, "_timed", timed)

    return set_to


def test_an_interrupt_leaves_what_is_enough(
    run: Run, tmp_path: Path, interrupt_after: Callable[[int], None]
) -> None:
    file = tmp_path / "a.json"
    words = ("measure", *SMALL, "bottleneck:channels=5", "--rounds", "1", "--calibrate", str(file))
    interrupt_after(6)
    assert (run(*words).code, file.exists()) == (130, False)
    interrupt_after(7)
    code, out, err = run(*words)
    assert (code, "3 networks" in out) == (130, True)
    assert "is fitted to the 3 networks that were timed twice" in err
    assert len(read_calibration(file).networks) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give a TARGET, or --calibrate FILE"),
        (("stem", "mini"), "give one TARGET; several are for --calibrate"),
        (("stem", "--batch", "0"), "--batch"),
        (("stem", "--on", "cuda:99"), "cuda:99 is not there: torch"),
        (("stem", "--on", "gpu"), "gpu is no device to run on: give cpu, cuda or cuda:N"),
        (("stem", "--by", "kind", "--depth", "1"), "--depth goes with --by module"),
        (("stem", "--device", "k41"), "there is no device 'k41'"),
        (("stem", "--devices-from", "x.csv"), "--devices-from is for --device"),
        (("nosuch",), "nosuch"),
        (("stem", "mini", "--calibrate", "a.json"), "2 networks: a calibration is fitted to 3 at least"),
        (("stem", "mini", "mini", "--calibrate", "a.json"), "mini is named twice"),
        (("stem", "mini", "torch.nn:ReLU", "-i", "3x8x8", "--calibrate", "a.json"), "--input does not go"),
        (("--calibrate", "a.json", "--on", "cuda"), "--calibrate is for the CPU"),
        (("--calibrate", "nosuch/a.json"), "nosuch/a.json"),
    ],
)
def test_mistakes_are_one_line(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("measure", *words)
    assert (code, out, message in err) == (2, "", True), err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--calibration", "nosuch.json"), "nosuch.json: there is no such file"),
        (("--calibration", "setup.cfg", "--dtype", "bfloat16"), "--calibration is for float32"),
        (("--calibration", "setup.cfg", "--fused"), "--fused does not go with --calibration"),
        (("--calibration", "setup.cfg", "--plot", "x.png"), "--plot is for --device"),
    ],
)
def test_mistakes_with_a_calibration(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("roofline", "stem", *words)
    assert (code, out, message in err) == (2, "", True), err


def test_the_networks_of_a_calibration_are_in_the_catalog() -> None:
    kinds = [{work.kind for work in costlab.count(name).works} for name in SUITE]
    assert len(SUITE) == 13
    for kind in ("conv2d", "linear", "relu", "batch_norm2d", "max_pool2d", "concat", "add"):
        assert sum(kind in each for each in kinds) > 1, kind


def test_the_rounds_are_those_of_python() -> None:
    from costlab.cli.measure import DEFAULT_ROUNDS

    assert DEFAULT_ROUNDS == ROUNDS
