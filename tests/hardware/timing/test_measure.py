"""Measurements by a clock that goes on by itself: what is timed, where it goes, what is left as it was."""

import gc
from itertools import count as counting
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch import Tensor, nn

import costlab
from costlab import CostlabError, measure
from costlab.hardware.timing.clock import Clock, clock_for
from costlab.hardware.timing.features import NOTHING
from costlab.hardware.timing.machine import this_machine
from costlab.hardware.timing.measured import SYNCHRONIZED, THREAD, WALL, Measurement, Spread, spread
from costlab.report.tables.predicted import predicted_table
from tests.hardware.timing.test_calibration import CALIBRATION

TICK = 1_000


@pytest.fixture(autouse=True)
def _ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is a tick further each time that it is read."""

    def ticking(*_: object) -> Clock:
        ticks = counting(step=TICK)
        return Clock("ticks", lambda: next(ticks))

    monkeypatch.setattr("costlab.hardware.timing.measure.clock_for", ticking)


def measured(**settings: Any) -> Measurement:
    return measure("bottleneck", (8, 6, 6), channels=4, rounds=3, **settings)


def test_each_operation_has_a_row_of_the_count_and_as_many_ticks_as_operators() -> None:
    made = measured()
    counted = costlab.count("bottleneck", (8, 6, 6), channels=4)
    assert [row.path for row in made.rows] == [node.path for node in counted.operations]
    assert [row.kind for row in made.rows] == [node.work.kind for node in counted.operations if node.work]
    assert made.whole == (TICK,) * 3
    operators = {"batch_norm2d": 2}  # torch makes an empty tensor beside it
    assert all(row.times == (operators.get(row.kind, 1) * TICK,) * 3 for row in made.rows)
    assert made.elsewhere == (0, 0, 0)
    assert made.within[0] == sum(row.times[0] for row in made.rows)
    assert sum(map(made.share, made.rows)) == pytest.approx(1)
    assert sum(row.features.multiply_adds for row in made.rows) == counted.multiply_adds


def test_modules_and_kinds_add_up() -> None:
    made = measured()
    for rows in (made.modules(0), made.modules(1), made.modules(2), made.modules(99), made.kinds()):
        assert sum(row.times[0] for row in rows) == made.within[0]
        assert sum(row.features.multiply_adds for row in rows) == made.count.multiply_adds
        assert sum(row.operations for row in rows) == len(made.rows)
    assert made.total.times == made.whole
    with pytest.raises(CostlabError, match="depth=-1"):
        made.modules(-1)


@pytest.mark.parametrize("target", [nn.Identity(), costlab.seq(), costlab.Flatten()])
def test_where_no_operation_takes_time_the_whole_does(target: Any) -> None:
    made = measure(target, (3, 2, 2) if not isinstance(target, nn.Module) else torch.zeros(1, 3), rounds=1)
    assert (made.total.times, made.total.features[:4]) == ((TICK,), (0, 0, 0, 0))
    assert predicted_table(made.count, CALIBRATION).to_text(80)


def test_rates_are_of_the_median() -> None:
    row = next(row for row in measured(batch=2).rows if row.kind == "conv2d")
    assert row.multiply_adds_per_second == row.features.multiply_adds * 10**9 // TICK
    assert row.bytes_per_second == row.moved * 10**9 // TICK
    pooled = measure("bottleneck", (8, 6, 6), channels=4, rounds=1).rows[-1]
    assert (pooled.kind, pooled.multiply_adds_per_second) == ("relu", None)


def test_the_spread_is_that_of_the_quartiles() -> None:
    assert spread([5]) == Spread(5, 5, 5)
    assert spread([1, 2, 3, 4, 100]) == Spread(3, 2, 4)


class Layers(nn.Module):
    """A transformer's layer, which torch may run as one operator, and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.drop(self.layer(x))
        return y


def test_a_module_of_the_callers_is_left_as_it_is() -> None:
    model = Layers().train()
    before = {name: each.clone() for name, each in model.state_dict().items()}
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    made = measure(model, "2x4x8:float32", rounds=1)
    assert model.training
    assert model.layer.training
    assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert gc.isenabled()
    assert torch.is_grad_enabled()
    assert torch.backends.mha.get_fastpath_enabled()
    assert {row.path for row in made.rows} >= {"layer.linear1", "layer.linear2", "layer.self_attn.attention"}
    for row in made.rows:
        assert (row.times[0] > 0) or row.kind in NOTHING, row.path


class Whims(nn.Module):
    """Runs another operator each time; or fails where there are values."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.runs, self.fails = 0, fails

    def forward(self, x: Tensor) -> Tensor:
        self.runs += 1
        if self.fails and not x.is_meta and self.runs > 1:
            raise ValueError("not today")
        return x.relu() if self.runs % 3 else x.exp()


def test_what_cannot_be_timed_is_said() -> None:
    with pytest.raises(CostlabError, match="Whims does not run the same operators each time"):
        measure(Whims(), (4,), rounds=2)
    with pytest.raises(CostlabError, match="Whims cannot run here: ValueError: not today"):
        measure(Whims(fails=True), (4,), rounds=2)
    with torch.device("meta"):
        empty = nn.Linear(2, 2)
    with pytest.raises(CostlabError, match="Linear cannot run: its weights are on meta"):
        measure(empty, (2,))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch": 0}, "batch=0"),
        ({"on": 3}, "3 is no device to run on: give cpu, cuda or cuda:N"),
        ({"rounds": 0}, "rounds=0 must be a whole number of at least 1"),
        ({"threads": True}, "threads=True must be a whole number of at least 1"),
        ({"on": "gpu"}, "gpu is no device to run on: give cpu, cuda or cuda:N"),
        ({"on": "cpu:1"}, "cpu:1 is no device to run on"),
        ({"on": "cuda:99"}, "cuda:99 is not there: torch .* sees"),
    ],
)
def test_mistakes_are_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(CostlabError, match=message):
        measure("bottleneck", **given)


def test_one_thread_is_timed_by_itself_and_a_gpu_is_waited_for() -> None:
    assert clock_for(torch.device("cpu"), 1).name == THREAD
    assert clock_for(torch.device("cpu"), 2).name == WALL
    with patch("torch.cuda.synchronize") as waited:
        clock = clock_for(torch.device("cuda", 1), 1)
        assert clock.name == SYNCHRONIZED
        assert clock.read() <= clock.read()
    assert [call.args for call in waited.call_args_list] == [(torch.device("cuda", 1),)] * 2
    here = this_machine(torch.device("cpu"), 2, "ticks")
    assert here.processor
    assert str(here).endswith(f"2 threads, torch {torch.__version__}, ticks")
