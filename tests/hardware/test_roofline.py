"""Rooflines, held against arithmetic by hand, and whether what is saved in multiply-adds is saved in time."""

from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import costlab
from costlab import Conv2d, Flatten, Linear, MaxPool2d, ReLU, seq
from costlab.errors import DefinitionError, DeviceError
from costlab.hardware.device import Device
from costlab.hardware.roofline import Roofline, of_count, roofline
from costlab.hardware.saved_time import SavedTime, saved_time

SLOW = Device("slow", float32=1_000, bfloat16=8_000, bandwidth=500)
"""In float32 two FLOP a byte are on the ridge."""


def test_two_operations_by_hand() -> None:
    # 8 weights on 16 places: 128 multiply-adds; 4 x (2 x 16 + 8 + 4 x 16) bytes; a ReLU of 64 elements
    found = roofline(seq(Conv2d(4, 1, bias=False), ReLU()), SLOW, input=(2, 4, 4), batch=3)
    conv, relu = found.operations
    assert (conv.path, conv.kind, conv.multiply_adds, conv.flop) == ("0", "conv2d", 384, 768)
    assert conv.bytes == 4 * (3 * 32 + 8 + 3 * 64) == 1184
    assert (conv.limit, conv.seconds) == ("memory", 1184 / 500)
    assert conv.intensity == 768 / 1184
    assert (relu.flop, relu.bytes, relu.limit, relu.seconds) == (0, 4 * 3 * 128, "memory", 1536 / 500)
    assert found.ridge == 2
    assert found.seconds == pytest.approx(2720 / 500)
    assert (conv.share, relu.share) == pytest.approx((1184 / 2720, 1536 / 2720))
    fused = roofline(seq(Conv2d(4, 1, bias=False), ReLU()), SLOW, input=(2, 4, 4), batch=3, fused=True)
    assert fused.seconds == 1184 / 500
    relu = fused.operations[1]
    assert (relu.operations, relu.bytes, relu.limit, relu.intensity, relu.seconds) == (0, 0, "", None, 0.0)


def test_on_the_ridge_the_peak_bounds() -> None:
    # a linear layer of n to n for m inputs: 2nnm FLOP and 4(2nm + nn) bytes
    one = roofline(seq(Linear(8, bias=False)), Device("even", float32=2 * 64, bandwidth=4 * 80), input=(8,))
    assert (one.operations[0].limit, one.seconds) == ("compute", 1.0)
    one = roofline(
        seq(Linear(8, bias=False)), Device("odd", float32=2 * 64 + 1, bandwidth=4 * 80), input=(8,)
    )
    assert (one.operations[0].limit, one.seconds) == ("memory", 1.0)


@settings(max_examples=20, deadline=None)
@given(
    peak=st.integers(1, 10**16),
    bandwidth=st.integers(1, 10**13),
    batch=st.integers(1, 64),
    fused=st.booleans(),
)
def test_every_sum_is_that_of_its_operations(peak: int, bandwidth: int, batch: int, fused: bool) -> None:
    found = roofline(
        "inception_a", Device("any", float32=peak, bandwidth=bandwidth), batch=batch, fused=fused
    )
    exact = Fraction(0)
    for each in found.operations:
        compute, memory = Fraction(each.flop, peak), Fraction(each.bytes, bandwidth)
        exact += max(compute, memory)
        assert each.seconds == float(max(compute, memory))
        assert each.limit == ("" if not each.bytes else "compute" if compute >= memory else "memory")
    assert found.seconds == pytest.approx(float(exact))
    assert found.total.multiply_adds == found.count.multiply_adds
    for rows in (found.operations, found.kinds(), found.modules(0), found.modules(1), found.modules(5)):
        for field in ("operations", "multiply_adds", "flop", "bytes"):
            assert sum(getattr(row, field) for row in rows) == getattr(found.total, field)
        assert sum(row.seconds for row in rows) == pytest.approx(found.seconds)
        assert sum(row.memory_seconds for row in rows) == pytest.approx(found.total.memory_seconds)
        assert sum(row.share for row in rows) == pytest.approx(1)


def test_inception_v3() -> None:
    unfused = roofline("inception_v3:aux=true", "k40", batch=32)
    fused = roofline("inception_v3", "k40", batch=32, fused=True)
    assert (unfused.total.bytes, fused.total.bytes) == (9_323_444_384, 4_731_952_800)
    assert unfused.total.multiply_adds == 32 * 5_713_216_096
    assert fused.seconds > 2 * 32 * 5_713_216_096 / 4.29e12
    modules = {row.path: row for row in fused.modules()}
    assert modules["stem"].limit == "both"
    assert roofline("inception_v3", "h200", "bfloat16", batch=32).modules()[-1].limit == "memory"
    assert "at least" in repr(fused)
    assert "no prediction" in repr(fused)
    assert "mixed_7c" in fused._repr_html_()


def test_a_module_is_bounded_too() -> None:
    found = roofline(nn.Sequential(nn.Linear(8, 4, bias=False), nn.ReLU()), SLOW, input=torch.zeros(5, 8))
    assert found.total.flop == 2 * 5 * 8 * 4
    assert found.total.bytes == 4 * (5 * 8 + 8 * 4 + 5 * 4 + 2 * 5 * 4)


def test_what_is_predicted_stands_beside_the_bound() -> None:
    found = roofline("inception_a", "h200")
    assert found.total.predicted is None
    seconds = [float(number) for number in range(len(found.operations))]
    beside = found.beside(seconds)
    assert [each.predicted for each in beside.operations] == seconds
    assert beside.total.predicted == sum(seconds)
    assert sum(each.predicted or 0 for each in beside.kinds()) == sum(seconds)
    assert beside.seconds == found.seconds
    with pytest.raises(DefinitionError, match="1 predictions for"):
        found.beside([1.0])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: roofline("inception_a", "k41"), "there is no device 'k41'; did you mean k40?"),
        (lambda: roofline("nosuch", "k40", "bfloat16"), "k40 has no bfloat16 peak"),
        (lambda: roofline("inception_a", "k40", "half"), "'half' is no type"),
        (lambda: roofline("inception_a", "tpu-v2", "bfloat16"), "tpu-v2: its memory bandwidth is not known"),
        (lambda: roofline("inception_a", "tpu-v3"), "tpu-v3 has no float32 peak; it has bfloat16"),
        (lambda: roofline("inception_a", "k40", batch=costlab.symbols("n")), "is no single number"),
        (lambda: roofline("nosuch", "k40"), "there is no definition 'nosuch'"),
        (lambda: roofline("inception_a", "k40", batch=0), "batch=0"),
        (lambda: roofline("inception_a", "k40").modules(-1), "depth=-1"),
        (lambda: of_count(costlab.count("stem", batch=2, backward=True), SLOW), "that of the way forward"),
        (lambda: saved_time(seq(ReLU()), "inception_a", "k40", input=(3, 4, 4)), "has no multiply-adds"),
    ],
)
def test_what_cannot_be_bounded(ask: Any, message: str) -> None:
    with pytest.raises(costlab.CostlabError) as caught:
        ask()
    assert message in str(caught.value)


def test_a_file_of_devices(tmp_path: Any) -> None:
    (tmp_path / "mine.csv").write_text("name,fp32_tflops,memory_gbps\nmine,1,100\n")
    assert roofline("inception_a", "mine", devices=tmp_path / "mine.csv").peak == 10**12
    with pytest.raises(DeviceError):
        roofline("inception_a", "mine")


@pytest.mark.parametrize(
    ("before", "after", "shape", "microseconds", "fewer", "verdicts"),
    [
        # fused: 2 x 32 x 49 x 192 x 192 x 17 x 17 FLOP at 989.4e12, two sevenths of it in each of two
        (
            "conv_nxn:n=7,channels=192",
            "conv_1xn_nx1:n=7,channels=192",
            "192x17x17",
            (33.8, 9.6),
            3.5,
            ("arrives", "in part"),
        ),
        (
            "conv_nxn:n=5,channels=64",
            "conv_stack:n=3,parts=2,channels=64",
            "64x35x35",
            (8.1, 5.8),
            25 / 18,
            ("arrives", "does not arrive"),
        ),
        (
            "conv_nxn:n=3,channels=64",
            "conv_separable:n=3,channels=64",
            "64x35x35",
            (2.9, 4.2),
            9 * 64 / (9 + 64),
            ("does not arrive", "does not arrive"),
        ),
    ],
)
def test_saved_multiply_adds_and_saved_time(
    before: str,
    after: str,
    shape: str,
    microseconds: tuple[float, float],
    fewer: float,
    verdicts: tuple[str, str],
) -> None:
    fused, unfused = (
        saved_time(before, after, "h200", "bfloat16", batch=32, fused=way, input=shape)
        for way in (True, False)
    )
    found = (round(1e6 * fused.before.seconds, 1), round(1e6 * fused.after.seconds, 1))
    assert found == microseconds
    assert fused.fewer == pytest.approx(fewer)
    assert fused.saved_multiply_adds == pytest.approx(1 - 1 / fewer)
    assert fused.saved_seconds == pytest.approx(1 - microseconds[1] / microseconds[0], abs=0.02)
    assert (fused.verdict, unfused.verdict) == verdicts


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        (50, "arrives"),
        (54, "arrives"),
        (57, "in part"),
        (94, "in part"),
        (97, "does not arrive"),
        (120, "does not arrive"),
    ],
)
def test_the_verdict_follows_the_shares(seconds: int, verdict: str) -> None:
    def bounded(filters: int, peak: int) -> Roofline:
        net = seq(Conv2d(filters, 1, bias=False))
        return roofline(net, Device("x", float32=peak, bandwidth=10**15), input=(8, 4, 4))

    # Half of the multiply-adds, in so many hundredths of the time: the second is on a device that takes it.
    saved = SavedTime(bounded(8, 10**9), bounded(4, 10**9 * 50 // seconds))
    assert saved.saved_multiply_adds == 0.5
    assert saved.saved_seconds == pytest.approx(1 - seconds / 100)
    assert saved.verdict == verdict


def test_where_nothing_is_saved_that_is_told() -> None:
    same = saved_time("inception_a", "inception_a", "k40")
    assert (same.verdict, same.arrived, same.saved_seconds, same.fewer) == ("nothing saved", None, 0.0, 1.0)
    gone = saved_time("conv_nxn:channels=64", seq(MaxPool2d(1, 1), Flatten()), "k40", input="64x35x35")
    assert (gone.fewer, gone.saved_multiply_adds) == (None, 1.0)
