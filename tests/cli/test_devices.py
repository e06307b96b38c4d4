"""``costlab list --devices``."""

import json
from pathlib import Path

from costlab.hardware.device import TYPES, device, devices
from costlab.report.tables.devices import devices_table
from tests.cli.conftest import Run


def test_the_devices_are_listed(run: Run, tmp_path: Path) -> None:
    code, out, err = run("list", "--devices")
    assert (code, err) == (0, "")
    assert "k80-half (?)" in out
    assert "989.40 T" in out
    rows = json.loads(run("list", "--devices", "-f", "json").out)["rows"]
    assert [row["name"] for row in rows] == [*devices()]
    for row in rows:
        one = device(row["name"])
        assert {name: row[name] for name in TYPES if row[name]} == one.peaks
        assert (row["memory"], row["unverified"], row["source"]) == (one.memory, one.unverified, one.source)
    (tmp_path / "mine.csv").write_text("name,fp32_tflops\nmine,1\n")
    mine = run("list", "--devices", "--devices-from", str(tmp_path / "mine.csv"), "--columns", "name,float32")
    assert "mine (?)" in mine.out
    assert "1.00 T" in mine.out


def test_one_device_is_described(run: Run) -> None:
    out = run("list", "--devices", "K40").out
    assert "k40: Tesla K40, gpu, 2013" in out
    assert "4,290,000,000,000   FLOP/s   4.29 TFLOP/s" in out
    assert "derivation: 2880 x 745 MHz x 2 = 4.2912" in out
    assert "power, TDP" in out
    described = json.loads(run("list", "--devices", "tpu-v2", "-f", "json").out)
    assert (described["bandwidth"], described["verified"]) == (None, "in part")
    assert "not known" in run("list", "--devices", "tpu-v2").out


def test_a_narrow_terminal_keeps_names_and_peaks() -> None:
    for width in (140, 100, 80, 60, 40):
        for table in (devices_table(), devices_table("h200")):
            lines = table.to_text(width).split("\n")
            assert max(map(len, lines)) <= width
        assert "float32" in devices_table().to_text(width)


def test_what_cannot_be_listed_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("name,fp32_tflops\nmine,-1\n")
    for words, message in (
        (("--devices", "k41"), "there is no device 'k41'; did you mean k40?"),
        (("--devices", "--ablations"), "--devices does not go with --ablations or --conventions"),
        (("--devices-from", "x"), "--devices-from goes with --devices"),
        (("--devices", "--devices-from", str(tmp_path / "mine.csv")), "mine.csv:2: fp32_tflops='-1' must be"),
        (("--devices", "--devices-from", ""), "is no name"),
    ):
        failed = run("list", *words)
        assert (failed.code, failed.out, message in failed.err) == (2, "", True), failed.err
        assert failed.err.count("\n") == 1
