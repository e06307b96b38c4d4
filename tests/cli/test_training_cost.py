"""``costlab training-cost``: rows for people and machines, what stands beside them, and mistakes."""

import csv
import io
import json
from pathlib import Path

import pytest

from costlab.hardware.training_cost import training_cost
from costlab.report.tables.training_cost import training_cost_table
from tests.cli.conftest import Run

NET = "inception_v3"


def test_a_table_for_people(run: Run) -> None:
    code, out, err = run("training-cost", f"{NET}:aux=true", "--preset", "paper")
    assert (code, err) == (0, "")
    shown = " ".join(out.split())
    assert "Training inception_v3:aux=true, input 3x299x299: 128,116,700 images on 50 replicas" in shown
    assert "4,391,204,049,630,681,600 FLOP 4.39 EFLOP two per multiply-add" in shown
    assert "4,396,119,032,615,059,200 FLOP" in shown
    assert "284.65 h 11.9 days at least: at the peak, three times forward" in shown
    assert "212,944,309.76 B 212.94 MB" in shown
    assert "assumed: the paper says Kepler" in shown
    assert "energy is left out: at the peak the time is a lower bound" in shown
    assert "training only: aux; in inference 5,713,216,096 multiply-adds" in shown


def values(out: str) -> dict[str, object]:
    return {row["name"]: row["value"] for row in json.loads(out)["rows"]}


def test_machine_formats_have_plain_numbers(run: Run) -> None:
    out = run("training-cost", NET, "--device", "k40", "--images-per-second", "9.5", "-f", "json").out
    of = values(out)
    assert (json.loads(out)["speed_from"], json.loads(out)["assumed"]["device"]) == ("measured", "given")
    assert (of["flop"], of["steps_of_run"]) == (4_386_835_372_654_041_600, 4_003_647)
    assert (of["ring_bytes"], of["server_bytes"], of["power"]) == (186863013.12, 9_533_827_200, 235)
    assert of["device_hours"] == pytest.approx(128_116_700 / 9.5 / 3600)
    assert "device_hours_by_rule" not in of  # that time hangs on no FLOP
    table = run("training-cost", NET, "--columns", "name,value", "-f", "csv").out
    told = dict(row[:2] for row in csv.reader(io.StringIO(table)))
    assert (told["synchronous_steps_of_run"], told["synchronous_steps_by_epochs"]) == ("80073", "80100")
    assert not {"device_hours", "wall_hours", "energy_kwh", "ring_bandwidth", "device", "dtype"} & {*told}


def test_what_is_given_holds_instead_of_the_preset(run: Run) -> None:
    out = run(
        "training-cost", "stem", "--preset", "today", "--device", "a100-40gb", "-b", "64", "-f", "json"
    ).out
    of = values(out)
    assert (of["device"], of["dtype"], of["batch"], of["replicas"]) == ("a100-40gb", "bfloat16", 64, 1)
    assert json.loads(out)["assumed"]["batch"] == "given"
    assert "ring_bytes" not in of


def test_devices_of_ones_own(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("name,fp32_tflops,power_w\nmine,1,100\n")
    given = ("--device", "mine", "--devices-from", str(file), "--utilization", "0.5")
    out = run("training-cost", "stem", "--replicas", "1", *given).out
    assert "50% of the peak; given" in out
    assert "mine: not all of its figures were held against a source" in out
    assert "at most, boards only: power x device-hours" in out


MISTAKES = [
    (("--replicas", "0"), "--replicas: 0 is no whole number of at least 1"),
    (("--utilization", "1.5", "--device", "k40"), "utilization=1.5 must be above 0 and at most 1"),
    (("--utilization", "0.1"), "utilization is a share of the peak of a device: give device, too"),
    (("--power", "235"), "power gives an energy where a time is known"),
    (("--power", "nan", "--images-per-second", "1"), "--power: 'nan' is no number"),
    (("--device", "k41"), "there is no device 'k41'; did you mean k40?"),
    (("--device", "k40", "--dtype", "bfloat16"), "k40 has no bfloat16 peak; it has float64, float32"),
    (("--preset", "one-device"), "--preset one-device is for a --device that you name"),
    (("--devices-from", "x.csv"), "--devices-from is for --device"),
    (
        ("--utilization", "0.1", "--images-per-second", "3", "--device", "k40"),
        "--utilization and --images-per-second both say how fast a replica is: give one of them",
    ),
]


@pytest.mark.parametrize(("options", "message"), MISTAKES, ids=lambda each: str(each)[:40])
def test_a_mistake_is_one_line(run: Run, options: tuple[str, ...], message: str) -> None:
    code, out, err = run("training-cost", "stem", *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_a_narrow_terminal_keeps_every_digit(width: int) -> None:
    cost = training_cost(NET, device="k40", images_per_second=9.5)
    text = training_cost_table(cost).to_text(width)
    assert max(map(len, text.split("\n"))) <= width
    assert "4,386,835,372,654,041,600" in text
    assert ("TDP of k40" in text) == (width >= 80)
