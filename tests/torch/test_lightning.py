"""The callback for Lightning: its hooks as a trainer calls them."""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import costlab
from tests.torch.test_meter import ReadsData

HOME = "costlab.torch.lightning"
PACKAGES = ("lightning.pytorch", "pytorch_lightning")
TEN = costlab.Device("ten", float32=10**13, bfloat16=4 * 10**13, float16=5 * 10**13)
ROW = 2 * (8 * 16) + 3 * (16 * 4)
"""A step of `Steps` on one row: the first layer's input wants no gradient."""


class Callback:
    """In the place of Lightning's, which takes seconds to import: a class whose hooks do nothing."""


@pytest.fixture
def callback(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The class of the callback, on a package that is not Lightning."""
    for name in PACKAGES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    stub = ModuleType("pytorch_lightning")
    stub.Callback = Callback  # type: ignore[attr-defined]  # as the package has it
    monkeypatch.setitem(sys.modules, "pytorch_lightning", stub)
    monkeypatch.delitem(sys.modules, HOME, raising=False)
    yield import_module(HOME).CostCallback
    sys.modules.pop(HOME, None)


class Steps(nn.Module):
    """What the callback needs of a LightningModule."""

    automatic_optimization = True
    _trainer: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8, 16), nn.Linear(16, 4)
        self.logged: list[Any] = []

    def log(self, name: str, value: Any) -> None:
        self.logged.append(name)

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        x, y = batch
        loss = nn.functional.cross_entropy(self.second(self.first(x).relu()), y)
        self.log("loss", loss)
        assert self._trainer is None
        return {"loss": loss, "more": x}


class Logger:
    def __init__(self) -> None:
        self.got: list[tuple[int, dict[str, float]]] = []

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        self.got.append((step, metrics))


class Trainer(SimpleNamespace):
    """What the callback needs of a trainer, which calls its hooks as Lightning does."""

    def __init__(self, **settings: Any) -> None:
        self.global_step, self.is_global_zero, self.precision, self.world_size = 0, True, "32-true", 1
        self.loggers = [Logger()]
        super().__init__(**settings)

    def fit(self, callback: Any, module: Any, rows: list[int], accumulate: int = 1) -> list[Any]:
        callback.on_train_start(self, module)
        module._trainer = self
        for i, n in enumerate(rows):
            batch = torch.rand(n, 8), torch.zeros(n, dtype=torch.int64)
            callback.on_train_batch_start(self, module, batch, i)
            self.global_step += (i + 1) % accumulate == 0 or i + 1 == len(rows)
            callback.on_train_batch_end(self, module, None, batch, i)
        callback.on_train_epoch_end(self, module)
        callback.on_train_end(self, module)
        assert module._trainer is self
        return self.loggers[0].got if self.loggers else []


def test_the_batches_between_two_steps_are_counted_and_logged(callback: Any) -> None:
    made, module = callback(TEN, every=2, warm_up=1), Steps()
    got = Trainer(world_size=3).fit(made, module, [4] * 7 + [2] + [1], accumulate=2)
    (step, first), (last, second) = got
    assert (step, last) == (3, 5)
    assert first["costlab/multiply_adds"] == 3 * 8 * ROW
    assert second["costlab/multiply_adds"] == 3 * (4 + 2 + 1) * ROW / 2
    assert first["costlab/samples_per_second"] == pytest.approx(3 * 8 / first["costlab/step_seconds"])
    share = 2 * 8 * ROW / (first["costlab/step_seconds"] * 10**13)
    assert first["costlab/mfu"] == pytest.approx(share)
    assert made.metrics == second
    assert module.logged == []
    assert set(vars(module)) == set(vars(Steps())) | {"_trainer"}


@pytest.mark.parametrize(
    ("precision", "peak"), [("32-true", 10**13), ("bf16-mixed", 4 * 10**13), ("16-true", 5 * 10**13)]
)
def test_the_peak_is_that_of_the_precision(callback: Any, precision: str, peak: int) -> None:
    ((_, told),) = Trainer(precision=precision).fit(callback(TEN, 1, warm_up=0), Steps(), [4])
    assert told["costlab/mfu"] == pytest.approx(2 * 4 * ROW / (told["costlab/step_seconds"] * peak))


def test_every_precision_of_lightning_has_a_type(callback: Any) -> None:
    of: Callable[[str], str | None] = import_module(HOME).type_of
    types = {
        None: ["32-true", "32", "None"],
        "float64": ["64-true", "64"],
        "bfloat16": ["bf16-mixed", "bf16-true", "bf16"],
        "float16": ["16-mixed", "16-true", "16", "transformer-engine-float16"],
        "float8": ["transformer-engine"],
    }
    assert {name: of(name) for each in types.values() for name in each} == {
        name: kind for kind, each in types.items() for name in each
    }


class Unnamed(Steps):
    def training_step(self, batch: Any, _: int) -> Any:  # as many write it
        return super().training_step(batch, _)


class Rest(Steps):
    def training_step(self, batch: Any, *rest: Any) -> Any:
        (index,) = rest
        return super().training_step(batch, index)


class Alone(Steps):
    def training_step(self, batch: Any) -> Any:  # type: ignore[override]  # as Lightning allows
        return super().training_step(batch, 0)


@pytest.mark.parametrize("module", [Unnamed, Rest, Alone])
def test_the_index_of_a_batch_is_handed_on_as_lightning_does(callback: Any, module: type[Steps]) -> None:
    ((_, told),) = Trainer().fit(callback(TEN, 1, warm_up=0), module(), [4])
    assert told["costlab/multiply_adds"] == 4 * ROW


def test_its_cost_may_be_given(callback: Any) -> None:
    made = callback(TEN, 1, warm_up=0, multiply_adds=lambda batch: 5 * len(batch[0]))
    ((_, told),) = Trainer().fit(made, ByHand(), [4])
    assert told["costlab/multiply_adds"] == 20


def test_the_trainer_is_not_looked_through(callback: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def counted(step: Any, *args: Any, **options: Any) -> costlab.Count:
        seen.extend(each._trainer for each in (step.module, step.module.inner))
        return costlab.count(step, *args, **options)

    monkeypatch.setattr("costlab.torch.step_cost.count", counted)
    module = Steps()
    module.inner = Steps()  # Lightning gives the trainer to modules within as well
    trainer = Trainer()
    module.inner._trainer = trainer
    ((_, told),) = trainer.fit(callback(TEN, 1, warm_up=0), module, [4])
    assert told["costlab/multiply_adds"] == 4 * ROW
    assert seen == [None, None]
    assert module.inner._trainer is trainer


def test_other_processes_log_nothing(callback: Any) -> None:
    assert Trainer(is_global_zero=False).fit(callback(TEN, 1, warm_up=0), Steps(), [4, 4]) == []


class ByHand(Steps):
    automatic_optimization = False


class Iterates(Steps):
    def training_step(self, dataloader_iter: Any) -> Any:  # type: ignore[override]  # as Lightning allows
        return None


class NoLoss(Steps):
    def training_step(self, batch: Any) -> Any:  # type: ignore[override]  # as Lightning allows
        return None


class Reads(Steps):
    def __init__(self) -> None:
        super().__init__()
        self.reads = ReadsData()

    def training_step(self, batch: Any) -> Any:  # type: ignore[override]  # as Lightning allows
        return self.reads(batch[0]).sum()


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (ByHand, "optimizes by hand: give multiply_adds"),
        (Iterates, "takes an iterator of batches"),
        (NoLoss, "gives no loss"),
        (Reads, "depends on the values of its data"),
    ],
)
def test_a_step_that_cannot_be_counted_is_said_once(callback: Any, module: type[Steps], says: str) -> None:
    with pytest.warns(UserWarning, match=says) as warned:
        got = Trainer().fit(callback(TEN, 1, warm_up=0), module(), [4, 4])
    assert len(warned) == 1
    assert [set(told) for _, told in got] == [{"costlab/step_seconds", "costlab/samples_per_second"}] * 2


def test_metrics_of_torchmetrics_are_passed_over(callback: Any) -> None:
    class Measures(nn.Module):
        __module__ = "torchmetrics.of_a_test"

        def forward(self, x: Tensor, y: Tensor) -> Any:
            raise RuntimeError("it reads values")

    class Measured(Steps):
        def __init__(self) -> None:
            super().__init__()
            self.metric = Measures()

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            loss = super().training_step(batch, batch_idx)["loss"]
            self.metric(loss, batch[1])
            return loss

    module = Measured()
    ((_, told),) = Trainer().fit(callback(TEN, 1, warm_up=0), module, [4])
    assert told["costlab/multiply_adds"] == 4 * ROW
    assert "forward" not in vars(module.metric)


def test_without_lightning_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PACKAGES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, HOME, raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'costlab\[lightning\]'"):
        import_module(HOME)
