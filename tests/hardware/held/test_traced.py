"""A module's memory on fake tensors is that of real ones, to the byte."""

from typing import Any

import pytest
from torch import optim

from costlab.algebra.inputs import Inputs
from costlab.hardware.held.optimizer import Optimizer
from costlab.hardware.held.traced import trace_inference, trace_training
from tests.hardware.held.real_tensors import Measured, measured
from tests.hardware.held.small_modules import CASES, Case


def of_torch(optimizer: Optimizer) -> Any:
    momentum = 0.9 * optimizer.momentum
    return {
        "sgd": lambda own: optim.SGD(own, 0.1, momentum=momentum, foreach=False),
        "rmsprop": lambda own: optim.RMSprop(own, 0.1, alpha=0.9, eps=1.0, momentum=momentum, foreach=False),
        "adam": lambda own: optim.Adam(own, foreach=False),
        "adamw": lambda own: optim.AdamW(own, foreach=False),
    }[optimizer.name]


def traced(case: Case, optimizer: Optimizer, dtype: Any = "float32") -> Measured:
    model, given = case.make(), Inputs(case.args, case.kwargs)
    inference: Any = trace_inference(model, given, dtype)
    training: Any = trace_training(model, given, dtype, optimizer)
    peaks: dict[str, int] = {}
    for each in training.moments:
        peaks[each.phase] = max(each.live, peaks.get(each.phase, 0))
    return Measured(
        sum(each.size for each in training.kept if not each.is_input),
        sum(each.size for each in training.kept if each.is_input),
        max(each.live for each in inference.moments),
        peaks,
        training.gradients,
        training.state,
    )


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # torch's, of a checkpoint
@pytest.mark.parametrize("name", CASES)
def test_as_real_tensors(name: str) -> None:
    case = CASES[name]
    number = list(CASES).index(name)
    optimizer = [Optimizer("sgd"), Optimizer("rmsprop", momentum=True), Optimizer("adam")][number % 3]
    real = measured(case.make(), case.args, case.kwargs, of_torch(optimizer))
    assert traced(case, optimizer) == real
