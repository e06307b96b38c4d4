"""Architectures of transformers: counted as PyTorch's flop counter counts what runs, and left alone."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import costlab
from costlab.checking.fused import fused_attention
from tests.zoo.architecture import SEED, Inputs
from tests.zoo.architectures import BLIND, SAMPLE, UNCOUNTED, ZOO
from tests.zoo.everything import everything, tensors_in

EVERY = [pytest.param(name, marks=[] if name in SAMPLE else pytest.mark.slow) for name in ZOO]
FEWER = [pytest.param(name, marks=[] if name in [*SAMPLE][::3] else pytest.mark.slow) for name in ZOO]


@pytest.fixture(autouse=True)
def without_the_fast_path() -> Iterator[None]:
    """Without gradients nn.MultiheadAttention may run as one operator, for which there is no formula."""
    with fused_attention(False):
        yield


def run(model: nn.Module, inputs: Inputs) -> tuple[list[Tensor], int]:
    """What comes out, and the FLOPs of FlopCounterMode."""
    torch.manual_seed(SEED)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = model(**inputs)
    return tensors_in(output), int(counter.get_total_flops())


@pytest.mark.parametrize("name", EVERY)
def test_the_count_is_that_of_the_flop_counter(name: str) -> None:
    count = costlab.count(*ZOO[name].make())
    _, flops = run(*ZOO[name].make())
    blind = BLIND[name].flops if name in BLIND else 0
    assert 2 * count.multiply_adds == flops + blind
    assert count.under("torch_flop_counter").cost == flops
    assert count.unsupported.keys() == UNCOUNTED.get(name, {}).keys()


@pytest.mark.parametrize("name", FEWER)
def test_the_model_and_its_inputs_are_left_alone(name: str) -> None:
    """Nothing that they hold is another, and the model gives what one gives that was not counted."""
    model, inputs = ZOO[name].make()
    before = everything(model, inputs)
    costlab.count(model, inputs)
    assert everything(model, inputs).prints == before.prints
    counted, _ = run(model, inputs)
    alone, _ = run(*ZOO[name].make())
    torch.testing.assert_close(counted, alone, rtol=0, atol=0, equal_nan=True)


def test_what_is_said_of_architectures_is_said_of_some() -> None:
    assert SAMPLE.keys() | BLIND.keys() | UNCOUNTED.keys() <= ZOO.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deepseek_v3", "mixtral"])
def test_experts_of_a_program_that_is_exported_are_counted(name: str) -> None:
    model, inputs = ZOO[name].make()
    program = torch.export.export(model, (), {**inputs, "use_cache": False}, strict=False)
    assert "grouped_mm_fallback" in str(program.graph)
    count = costlab.count(program)
    assert count.multiply_adds == costlab.count(model, {**inputs, "use_cache": False}).multiply_adds
    assert count.unsupported == {}
