"""Devices: the table, names, what is not known, and files that are not what they should be."""

import csv
from pathlib import Path

import pytest

import costlab
from costlab.errors import DeviceError, OutputError
from costlab.hardware import device_file
from costlab.hardware.device import TYPES, Device, bytes_of, device, devices

HEAD = "name,fp32_tflops,memory_gb,memory_gbps,power_w\n"


def test_the_table_holds_what_its_clocks_and_units_give() -> None:
    # units x clock in MHz x FLOP of each a clock, against the vendor's rounded peak
    for name, units, clock, flop in (
        ("k20x", 2688, 732, 2),
        ("k40", 2880, 745, 2),
        ("k40-boost", 2880, 875, 2),
        ("k80-half", 2496, 875, 2),
        ("k80-half-base", 2496, 562, 2),
        ("p100-pcie", 3584, 1303, 2),
        ("p100", 3584, 1480, 2),
        ("v100-pcie", 5120, 1380, 2),
        ("v100", 5120, 1530, 2),
        ("t4", 2560, 1590, 2),
        ("a100", 6912, 1410, 2),
        ("l4", 7424, 2040, 2),
        ("rtx4090", 16384, 2520, 2),
        ("h100-pcie", 14592, 1755, 2),
        ("h100", 16896, 1980, 2),
        ("epyc-7763", 64, 2450, 32),
    ):
        assert device(name).peak("float32") == pytest.approx(units * clock * flop * 1e6, rel=0.012), name
    for name, one in devices().items():
        assert (one.name, one.full_name != "", one.source != "", one.clock != "") == (name, True, True, True)
        assert one.peaks, name
        assert (one.power is None) == (one.power_kind == ""), name
    assert device("k80").peak("float32") == 2 * device("k80-half").peak("float32")
    assert device("tpu-v3").memory == 32 * 2**30
    assert device("k40").memory == 12 * 10**9  # the smaller reading of 12 GB
    assert device("h200").ridge("bfloat16") == 989.4e12 / 4.8e12
    assert device("k80-half").unverified
    assert not device("k40").unverified


def test_the_table_is_in_the_columns_that_a_file_may_have() -> None:
    with Path(device_file.__file__).with_name("devices.csv").open(newline="", encoding="utf-8") as file:
        assert tuple(next(csv.reader(file))) == device_file.COLUMNS


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("K40", "k40"),
        ("A10040GB", "a100-40gb"),
        ("Tesla k80 (one GPU, base)", "k80-half-base"),
        ("H-200", "h200"),
    ],
)
def test_a_device_is_found_whatever_the_case_and_the_hyphens(typed: str, name: str) -> None:
    assert device(typed) is devices()[name]
    assert costlab.device(device(name)).name == name


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("k41", "there is no device 'k41'; did you mean k40?"),
        ("h20", "h200"),
        ("", "there is no device ''"),
        ("--", "there is no device '--'; costlab list --devices shows what there is"),
        (3, "3 is no device: give its name, or a Device"),
    ],
)
def test_a_device_that_is_none(typed: str, message: str) -> None:
    with pytest.raises(DeviceError) as caught:
        device(typed)
    assert message in str(caught.value)


def test_what_is_not_known_is_refused_where_it_is_asked() -> None:
    for ask, message in (
        (lambda: device("k40").peak("bfloat16"), "k40 has no bfloat16 peak; it has float64, float32"),
        (lambda: device("k40").peak("half"), "'half' is no type: give one of float64, float32, tf32"),
        (lambda: bytes_of(["int8"]), "['int8'] is no type: give one of float64"),  # type: ignore[arg-type]  # what is wrong is of any type
        (lambda: device("tpu-v2").known_bandwidth(), "tpu-v2: its memory bandwidth is not known"),
        (lambda: device("tpu-v2").ridge("bfloat16"), "tpu-v2: its memory bandwidth is not known"),
        (lambda: Device("mine").peak("int8"), "mine has no int8 peak; it has no peak that is known"),
    ):
        with pytest.raises(DeviceError) as caught:
            ask()
        assert str(caught.value).startswith(message)
    assert device("k40").memory == 12_000_000_000
    assert device("k40").power == 235
    assert device("tpu-v5e").power is None
    assert device("epyc-7763").memory is None
    assert set(device("h200").peaks) == set(TYPES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"float32": 0},
        {"float32": -1},
        {"float32": 4.29e12},
        {"memory": True},
        {"power": float("nan")},
        {"power": float("inf")},
        {"bandwidth": "288"},
        {"verified": "perhaps"},
        {"name": ""},
        {"name": "-"},
    ],
)
def test_a_device_that_cannot_be_made(wrong: dict[str, object]) -> None:
    with pytest.raises(DeviceError):
        Device(**{"name": "mine", **wrong})  # type: ignore[arg-type]  # what is wrong is of any type


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("\ufeff" + HEAD + "\nMy Own, 36.5 ,48,864,70.5\r\nK-40,1e1,,,\n\n", encoding="utf-8")
    known = devices(file)
    mine = known["My Own"]
    assert (mine.float32, mine.memory, mine.bandwidth) == (36_500_000_000_000, 48 * 10**9, 864 * 10**9)
    assert (mine.power, mine.unverified, mine.float64) == (70.5, True, None)
    assert device("my-own", file) == mine
    assert device("k40", file).peaks == {"float32": 10**13}  # which stands in the place of the table's
    assert len(known) == len(devices()) + 1
    assert device("h200", file) is device("h200")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ":1: the column name is missing"),
        (HEAD, "holds no device"),
        ("name,fp32_tflop\nx,1\n", ":1: there is no column 'fp32_tflop'; did you mean fp32_tflops"),
        ("name,name\nx,y\n", ":1: the column name is there twice"),
        ("year\n3\n", ":1: the column name is missing"),
        (HEAD + "x,1,1,1\n", ":2: 4 cells under 5 columns"),
        (HEAD + "x,1,1,1,1,1\n", ":2: 6 cells under 5 columns"),
        (HEAD + "x,-1,1,1,1\n", ":2: fp32_tflops='-1' must be a number above 0"),
        (HEAD + "x,0,1,1,1\n", ":2: fp32_tflops='0' must be above 0"),
        (HEAD + "x,1,nan,1,1\n", ":2: memory_gb='nan' must be a number"),
        (HEAD + "x,1,inf,1,1\n", ":2: memory_gb='inf' must be a number"),
        (HEAD + "x,1,1,fast,1\n", ":2: memory_gbps='fast' must be a number"),
        (HEAD + "x,1,1,1_0,1\n", ":2: memory_gbps='1_0' must be a number"),
        (HEAD + "x,1,1,٣,1\n", ":2: memory_gbps='٣' must be a number"),
        (HEAD + "x,1,1,1e99,1\n", ":2: memory_gbps='1e99' must be above 0 and less than"),
        (HEAD + "x,1,1.0000000001,1,1\n", ":2: memory_gb='1.0000000001' has more digits"),
        (HEAD + "x,1,1,1,1\n\nX-,2,,,\n", ":4: name=X- is x of line 2 again"),
        (HEAD + ",1,1,1,1\n", ":2: name='' is no name"),
        (HEAD + 'x,"1,1,1,1\n', ": this is no CSV"),
        (HEAD + '"x\ny",1,1,1,1\n', "is no text on one line"),
        (HEAD + "x\x1b[31m,1,1,1,1\n", ":2: "),
        ("name,verified\nx,perhaps\n", ":2: x: verified='perhaps' must be one of yes, in part, derived, no"),
        (HEAD.encode() + b"x,1,1,1,1\n\xff,1,1,1,1\n", ":3: this is no text in UTF-8"),
    ],
)
def test_a_file_that_is_malformed(tmp_path: Path, content: str | bytes, message: str) -> None:
    file = tmp_path / "mine.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DeviceError) as caught:
        devices(file)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    large.write_bytes(b"\n" * (device_file.MOST_BYTES + 1))
    for file, error in (
        (tmp_path, DeviceError),
        (tmp_path / "nosuch.csv", DeviceError),
        (Path("/dev/null"), DeviceError),
        ("\0", DeviceError),
        (large, OutputError),
    ):
        with pytest.raises(error):
            devices(file)
