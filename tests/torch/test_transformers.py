"""The callback for transformers' Trainer: its events as a trainer calls them, and a real one."""

import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import costlab
from tests.torch.example import run_example

HOME = "costlab.torch.transformers"
TEN = costlab.Device("ten", float32=10**13, bfloat16=4 * 10**13)
WORDS, WIDE, LONG = 50, 8, 16
TOKEN = 2 * WIDE * WIDE + WIDE * WIDE + 3 * WIDE * WORDS
"""A step of `Tiny` on one token: a layer whose input, the words' vectors, wants a gradient, and the words."""


class Tiny(nn.Module):
    """A model of language as the trainer takes one: by name, with a loss in a dictionary."""

    main_input_name = "input_ids"

    def __init__(self) -> None:
        super().__init__()
        self.words, self.layer, self.head = (
            nn.Embedding(WORDS, WIDE),
            nn.Linear(WIDE, WIDE),
            nn.Linear(WIDE, WORDS),
        )
        self.beside = nn.Linear(WIDE, WIDE)

    def forward(self, input_ids: Tensor, labels: Tensor) -> Any:
        x = self.layer(self.words(input_ids))
        scores = self.head(x)
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), labels.flatten())
        return {"loss": loss, "logits": scores}


def batch(rows: int) -> dict[str, Tensor]:
    return {
        "labels": torch.zeros(rows, LONG, dtype=torch.int64),
        "input_ids": torch.zeros(rows, LONG, dtype=torch.int64),
    }


class Loop:
    """Calls the events of a callback as transformers' Trainer does."""

    def __init__(self, model: nn.Module, **settings: Any) -> None:
        self.args = SimpleNamespace(
            **({"n_gpu": 0, "world_size": 1, "bf16": False, "fp16": False} | settings)
        )
        self.state = SimpleNamespace(is_world_process_zero=settings.get("zero", True), log_history=[])
        self.control = SimpleNamespace(should_evaluate=False, should_save=False)
        self.model = model

    def tell(self, callback: Any, event: str, **more: Any) -> None:
        getattr(callback, event)(self.args, self.state, self.control, model=self.model, **more)

    def run(self, callback: Any, *steps: list[int]) -> list[dict[str, float]]:
        self.tell(callback, "on_train_begin")
        for batches in steps:
            self.tell(callback, "on_step_begin")
            for i, rows in enumerate(batches):
                self.model(**batch(rows))["loss"].backward()
                with torch.no_grad():
                    self.model(**batch(1))  # as where something is generated
                self.tell(callback, "on_step_end" if i + 1 == len(batches) else "on_substep_end")
            self.model(**batch(1))  # as in an evaluation
            logs = {"loss": 1.0}
            self.state.log_history.append(dict(logs))
            self.tell(callback, "on_log", logs=logs)
            assert logs == self.state.log_history[-1]
        self.tell(callback, "on_train_end")
        assert not self.model._forward_pre_hooks
        return [each for each in self.state.log_history if "costlab/step_seconds" in each]


@pytest.fixture
def callback() -> Any:
    return import_module(HOME).CostCallback


def test_the_batches_of_a_step_are_counted_and_stand_beside_the_loss(callback: Any) -> None:
    made = callback(TEN, every=2, warm_up=1)
    first, second = Loop(Tiny(), world_size=3).run(made, [9], [4, 4], [4, 4], [4, 4], [2])
    assert first["costlab/multiply_adds"] == 3 * 8 * LONG * TOKEN
    assert second["costlab/multiply_adds"] == 3 * 5 * LONG * TOKEN
    assert first["costlab/samples_per_second"] == pytest.approx(3 * 8 / first["costlab/step_seconds"])
    assert first["costlab/tokens_per_second"] == pytest.approx(LONG * first["costlab/samples_per_second"])
    share = 2 * 8 * LONG * TOKEN / (first["costlab/step_seconds"] * 10**13)
    assert first["costlab/mfu"] == pytest.approx(share)
    assert second.items() >= made.metrics.items()


def test_the_peak_is_that_of_the_type_of_the_arguments(callback: Any) -> None:
    (told,) = Loop(Tiny(), bf16=True).run(callback(TEN, 1, warm_up=0), [4])
    share = 2 * 4 * LONG * TOKEN / (told["costlab/step_seconds"] * 4 * 10**13)
    assert told["costlab/mfu"] == pytest.approx(share)


def test_what_is_to_log_may_be_handed_on(callback: Any) -> None:
    got: list[dict[str, float]] = []
    assert Loop(Tiny()).run(callback(TEN, 1, warm_up=0, log=got.append), [4], [3]) == []
    assert [each["costlab/multiply_adds"] for each in got] == [4 * LONG * TOKEN, 3 * LONG * TOKEN]


def test_other_processes_log_nothing(callback: Any) -> None:
    assert Loop(Tiny(), zero=False).run(callback(TEN, 1, warm_up=0), [4]) == []


def test_a_model_that_cannot_be_counted_is_said_once(callback: Any) -> None:
    class Reads(Tiny):
        def forward(self, input_ids: Tensor, labels: Tensor) -> Any:
            found = super().forward(input_ids, labels)
            return found if found["loss"] > 0 else {}

    with pytest.warns(UserWarning, match="depends on the values of its data") as warned:
        told = Loop(Reads()).run(callback(TEN, 1, warm_up=0), [4], [4])
    assert len(warned) == 1
    assert all("costlab/multiply_adds" not in each and "costlab/mfu" not in each for each in told)
    assert len(told) == 2


def test_its_cost_may_be_given(callback: Any) -> None:
    made = callback(TEN, 1, warm_up=0, multiply_adds=lambda given: 5 * len(given["input_ids"]))
    (told,) = Loop(Tiny()).run(made, [4])
    assert told["costlab/multiply_adds"] == 20


def test_without_transformers_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, HOME, raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'costlab\[transformers\]'"):
        import_module(HOME)


@pytest.mark.slow  # to import the trainer takes ten seconds
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "settings", [{}, {"gradient_checkpointing": True}, {"torch_compile": True}, {"bf16": True}]
)
def test_a_real_trainer_logs_it(callback: Any, settings: dict[str, Any], tmp_path: Path) -> None:
    library: Any = import_module("transformers")
    config = library.GPT2Config(
        vocab_size=WORDS, n_positions=LONG, n_embd=WIDE, n_layer=2, n_head=2, use_cache=False
    )
    if "torch_compile" in settings:
        settings = settings | {"torch_compile_backend": "eager"}
    model, made = library.GPT2LMHeadModel(config), callback(TEN, every=2, warm_up=1)
    args = library.TrainingArguments(
        tmp_path, per_device_train_batch_size=4, gradient_accumulation_steps=2, num_train_epochs=1,
        logging_steps=1, report_to=[], disable_tqdm=True, use_cpu=True, save_strategy="no", **settings,
    )  # fmt: skip
    data = [{name: each[0] for name, each in batch(1).items()} for _ in range(22)]
    trainer = library.Trainer(model, args, train_dataset=data, callbacks=[made])
    trainer.train()
    (told,) = [each for each in trainer.state.log_history if "costlab/mfu" in each]
    rows = 7  # of steps of 8 and 6, after one of 8
    blocks = (
        2 * 3 * (12 * WIDE * WIDE + 2 * LONG * WIDE)
    )  # 12 squares of the width, and both products of attention
    assert told["costlab/multiply_adds"] == rows * LONG * (blocks + 3 * WIDE * WORDS)
    assert told["step"] == 3
    if not settings:
        found = run_example("transformers", model=model, args=args, data=data)
        assert found["trainer"].state.global_step == 3
