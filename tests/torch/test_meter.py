"""What a meter tells of real modules, by a clock that stands still."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import costlab
from costlab.errors import DefinitionError, DeviceError
from costlab.torch import StepMeter, meter
from costlab.torch.step_cost import step_cost
from tests.torch.test_window import Clock

TEN = costlab.Device("ten", float32=10**13)
MIXED = costlab.Device("mixed", float32=10**13, bfloat16=4 * 10**13)
ROW = 2 * 4 * 3
"""A layer whose input wants no gradient, for one row."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(meter, "perf_counter", made.read)
    return made


def layer() -> nn.Linear:
    return nn.Linear(4, 3)


def told(clock: Clock, made: StepMeter, *batches: Any) -> list[dict[str, float]]:
    """What is told of a step on each batch, of half a second."""
    made.start()
    windows = []
    for batch in batches:
        clock.now += 0.5
        windows.append(made.step(batch))
    return [dict(each) for each in windows if each]


def test_each_batch_is_counted_at_its_own_size(clock: Clock) -> None:
    made = StepMeter(layer(), device=TEN, every=2, warm_up=1)
    (first, second) = told(clock, made, *(torch.rand(n, 4) for n in (64, 8, 8, 8, 3)))
    assert first == {
        "costlab/step_seconds": 0.5,
        "costlab/samples_per_second": 16,
        "costlab/multiply_adds": 8 * ROW,
        "costlab/mfu": 2 * 2 * 8 * ROW / 10**13,
    }
    assert second["costlab/multiply_adds"] == 11 * ROW / 2
    assert second["costlab/samples_per_second"] == 11


def test_several_batches_make_a_step_and_several_processes_do_the_same(clock: Clock) -> None:
    made = StepMeter(layer(), device=MIXED, dtype="bfloat16", every=1, warm_up=0, replicas=4, devices=2)
    made.start()
    for rows in (8, 5):
        clock.now += 1
        made.batch(torch.rand(rows, 4))
    whole = made.step()
    assert whole == {
        "costlab/step_seconds": 2,
        "costlab/samples_per_second": 4 * 13 / 2,
        "costlab/multiply_adds": 4 * 13 * ROW,
        "costlab/mfu": 2 * 13 * ROW / (2 * 4 * 10**13 * 2),
    }


def test_tokens_are_those_of_a_first_input_of_two_dimensions(clock: Clock) -> None:
    embeds = nn.Sequential(nn.Embedding(10, 4), layer())
    made = StepMeter(embeds, device=None, every=1, warm_up=0)
    (shown,) = told(clock, made, torch.zeros(2, 7, dtype=torch.int64))
    assert shown["costlab/tokens_per_second"] == 28
    assert shown["costlab/samples_per_second"] == 4
    assert shown["costlab/multiply_adds"] == 14 * 3 * 4 * 3
    assert "costlab/mfu" not in shown


def test_a_batch_of_parts_has_no_first_axis(clock: Clock) -> None:
    parts = torch.nested.nested_tensor([torch.rand(2, 4), torch.rand(3, 4)], layout=torch.jagged)
    (shown,) = told(clock, StepMeter(layer(), device=None, every=1, warm_up=0), parts)
    assert shown["costlab/multiply_adds"] == 5 * ROW
    assert "costlab/samples_per_second" not in shown


class ReadsData(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = layer()

    def forward(self, x: Tensor) -> Any:
        return self.layer(x) if x.sum() > 0 else x


def test_what_cannot_be_counted_is_said_once_and_left_out(clock: Clock) -> None:
    made = StepMeter(ReadsData(), device=TEN, every=1, warm_up=0)
    with pytest.warns(
        UserWarning, match="costlab: multiply-adds are not logged, and multiply_adds= may give them"
    ) as warned:
        shown = told(clock, made, torch.rand(8, 4), torch.rand(3, 4))
    assert len(warned) == 1
    assert "\n" not in str(warned[0].message)
    assert [set(each) for each in shown] == [{"costlab/step_seconds", "costlab/samples_per_second"}] * 2


def test_what_is_no_batch_does_not_end_the_training(clock: Clock) -> None:
    made = StepMeter(layer(), device=TEN, every=1, warm_up=0)
    with pytest.warns(UserWarning, match="an input is an iterator"):
        assert [set(each) for each in told(clock, made, (iter([1]),))] == [{"costlab/step_seconds"}]


def test_what_cannot_be_counted_may_be_given(clock: Clock) -> None:
    made = StepMeter(ReadsData(), device=TEN, every=1, warm_up=0, multiply_adds=lambda x: 7 * len(x))
    (shown,) = told(clock, made, torch.rand(8, 4))
    assert shown["costlab/multiply_adds"] == 56


@pytest.mark.parametrize(
    ("device", "dtype", "says"),
    [("auto", None, "this one is on cpu"), ("v100", "bfloat16", "no bfloat16 peak")],
)
def test_without_a_peak_the_share_is_left_out(
    clock: Clock, device: str, dtype: str | None, says: str
) -> None:
    made = StepMeter(layer(), device=device, dtype=dtype, every=1, warm_up=0)
    with pytest.warns(UserWarning, match=f"the share of the device's peak is not logged.*{says}") as warned:
        shown = told(clock, made, torch.rand(8, 4), torch.rand(8, 4))
    assert len(warned) == 1
    assert all("costlab/mfu" not in each and each["costlab/multiply_adds"] == 8 * ROW for each in shown)


def test_a_trace_takes_none_of_the_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: Any) -> Any:
        clock.now += 100
        return step_cost(*args)

    monkeypatch.setattr(meter, "step_cost", slow)
    (shown,) = told(clock, StepMeter(layer(), device=TEN, every=1, warm_up=0), torch.rand(8, 4))
    assert shown["costlab/step_seconds"] == 0.5


def test_an_evaluation_takes_none_of_the_time(clock: Clock) -> None:
    made = StepMeter(layer(), device=None, every=2, warm_up=0)
    assert told(clock, made, torch.rand(8, 4)) == []
    with made.paused():
        clock.now += 100
    (shown,) = told(clock, made, torch.rand(8, 4))
    assert shown["costlab/step_seconds"] == 0.5


def test_a_step_after_a_pause_that_did_not_end_does_not_count(clock: Clock) -> None:
    made = StepMeter(layer(), device=None, every=1, warm_up=0)
    clock.now = 50
    assert made.step(torch.rand(64, 4)) is None  # the time was not started
    clock.now = 51
    shown = made.step(torch.rand(8, 4))
    assert shown is not None
    assert (shown["costlab/step_seconds"], shown["costlab/multiply_adds"]) == (1, 8 * ROW)


def test_the_type_is_told_where_autocast_may_have_been_on(clock: Clock) -> None:
    made = StepMeter(layer(), device=MIXED, every=1, warm_up=0)
    with pytest.warns(UserWarning, match="the peak of float32: if autocast.*dtype='bfloat16'") as warned:
        shown = told(clock, made, torch.rand(8, 4), torch.rand(8, 4))
    assert [each["costlab/mfu"] for each in shown] == [2 * 8 * ROW / (0.5 * 10**13)] * 2
    assert len(warned) == 1
    told(clock, StepMeter(layer(), device=MIXED, dtype="float32", every=1, warm_up=0), torch.rand(8, 4))


def test_a_share_that_no_device_reaches_is_said_once(clock: Clock) -> None:
    slow = costlab.Device("slow", float32=8 * ROW)  # where half a second is the least for so many rows
    made = StepMeter(layer(), device=slow, every=1, warm_up=0)
    with pytest.warns(UserWarning, match=r"no device reaches <400\.00%.*device and dtype") as warned:
        shown = told(clock, made, torch.rand(2, 4), torch.rand(8, 4), torch.rand(8, 4))
    assert [each["costlab/mfu"] for each in shown] == [1, 4, 4]
    assert len(warned) == 1


def test_a_loop_that_traces_again_and_again_is_told_so(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "MANY_TRACES", 3)
    made = StepMeter(layer(), device=None, every=1, warm_up=0)
    told(clock, made, *(torch.rand(n, 4) for n in (1, 2, 1, 2)))
    with pytest.warns(UserWarning, match="3 forms of batches were traced") as warned:
        told(clock, made, *(torch.rand(n, 4) for n in (1, 3, 4)))
    assert len(warned) == 1


def test_of_a_clock_that_stands_there_is_no_rate(clock: Clock) -> None:
    made = StepMeter(layer(), device=TEN, every=1, warm_up=0)
    made.start()
    assert made.step(torch.rand(8, 4)) == {"costlab/step_seconds": 0}


def refused() -> Iterator[tuple[type[Exception], str, dict[str, Any]]]:
    yield DeviceError, "no device 'h1000'", {"device": "h1000"}
    yield DefinitionError, "module='resnet50' is no torch.nn.Module", {"module": "resnet50"}
    yield DefinitionError, "every=0 must be a whole number of at least 1", {"every": 0}
    yield DefinitionError, "warm_up=-1 must be a whole number of at least 0", {"warm_up": -1}
    yield DefinitionError, "devices=0", {"devices": 0}
    yield DefinitionError, r"replicas=1\.5", {"replicas": 1.5}


@pytest.mark.parametrize(("error", "says", "options"), [*refused()])
def test_what_is_wrong_is_said_by_name(error: type[Exception], says: str, options: dict[str, Any]) -> None:
    with pytest.raises(error, match=says):
        StepMeter(**{"module": layer()} | options)
