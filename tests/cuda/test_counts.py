"""What is counted, timed and metered of modules that are on a GPU."""

import re
import time
from typing import Any

import pytest
import torch
from torch import nn

import costlab
from costlab.errors import DeviceError
from costlab.torch import StepMeter, mfu
from costlab.torch.peaks import called

TEN = costlab.Device("ten", float32=10**13, bfloat16=4 * 10**13, tf32=2 * 10**13)


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))


FORWARD = 4 * 3 * 9 * 36 + 144 * 5


def test_a_module_is_counted_where_it_is_and_stays_as_it_was(device: torch.device) -> None:
    module, images = network().to(device), torch.rand(1, 3, 8, 8, device=device)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    torch.manual_seed(2)
    expected = torch.rand(4, device=device)
    torch.manual_seed(2)
    counted = costlab.count(module, images)
    assert torch.equal(torch.rand(4, device=device), expected)
    assert counted.multiply_adds == FORWARD
    assert counted.parameters == sum(each.numel() for each in module.parameters())
    for name, tensor in module.state_dict().items():
        assert tensor.device.type == device.type
        assert torch.equal(tensor, before[name])


def test_operations_are_timed(device: torch.device) -> None:
    measured = costlab.measure("bottleneck", (8, 6, 6), channels=4, rounds=2, on=str(device))
    counted = costlab.count("bottleneck", (8, 6, 6), channels=4)
    assert [row.path for row in measured.rows] == [node.path for node in counted.operations]
    assert measured.spread.low > 0
    timed = {row.kind: row.times for row in measured.kinds()}
    assert min(timed["conv2d"]) > 0
    if device.type == "cuda":
        assert measured.machine.processor == " ".join(torch.cuda.get_device_name().split())


def test_the_share_of_a_peak_is_that_of_the_multiply_adds(device: torch.device) -> None:
    share = mfu(network().to(device), torch.rand(3, 3, 8, 8, device=device), 1.0, device=TEN, backward=False)
    assert share.multiply_adds == 3 * FORWARD
    assert share == 2 * 3 * FORWARD / share.peak


@pytest.mark.cuda
def test_the_device_of_a_module_is_found_in_the_table_or_named() -> None:
    module, images = network().cuda(), torch.rand(3, 3, 8, 8, device="cuda")
    name = torch.cuda.get_device_name()
    try:
        known = called(name).name
    except DeviceError:
        with pytest.raises(DeviceError, match=re.escape(name)):
            mfu(module, images, 1.0)
        return
    share = mfu(module, images, 1.0)
    assert share.device == known
    assert 0 < share < 1


def test_a_window_lasts_as_long_as_the_device_works(device: torch.device) -> None:
    gpu = device.type == "cuda"
    side, repeated = (2048, 50) if gpu else (64, 2)  # on a GPU longer than launching takes
    module, x = nn.Linear(side, side, bias=False).to(device), torch.rand(512, side, device=device)
    meter = StepMeter(module, device=TEN, dtype="float32", every=2, warm_up=0)
    meter.batch(x)  # what is traced and made once is done before
    module(x).sum().backward()
    meter = StepMeter(module, device=TEN, dtype="float32", every=2, warm_up=0)
    marks, told = [], []
    meter.start()
    for _ in range(4):
        marks.append(mark(device))
        for _ in range(repeated):
            module(x).sum().backward()
        marks.append(mark(device))
        told.append(meter.step(x))
    first, last = told[1], told[3]
    assert told[0] is told[2] is None
    assert first is not None
    assert last is not None
    worked = between(marks[4], marks[5]) + between(marks[6], marks[7])
    assert 2 * last["costlab/step_seconds"] >= 0.98 * worked  # which lie within it, by another clock
    assert last["costlab/multiply_adds"] == 2 * 512 * side * side  # the input wants no gradient


def mark(device: torch.device) -> Any:
    """A moment in what the device does, which nothing waits for."""
    if device.type == "cpu":
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch leaves it without types
    event.record()
    return event


def between(before: Any, after: Any) -> float:
    """Seconds between two moments."""
    if isinstance(before, float):
        return float(after - before)
    torch.cuda.synchronize()
    return float(before.elapsed_time(after)) / 1e3
