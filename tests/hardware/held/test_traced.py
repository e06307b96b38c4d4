"""A module's memory on fake tensors is that of real ones, to the byte."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn, optim
from torch.utils._pytree import tree_map_only

import costlab
from costlab.algebra.inputs import Inputs
from costlab.hardware.held.optimizer import Optimizer
from costlab.hardware.held.traced import parts_of, trace_inference, trace_training
from tests.hardware.held.real_tensors import Measured, measured
from tests.hardware.held.small_modules import CASES, Case
from tests.sampling import one_in

OPTIMIZERS = (
    Optimizer("sgd"),
    Optimizer("rmsprop", momentum=True),
    Optimizer("adam"),
    Optimizer("sgd", momentum=True),
    Optimizer("rmsprop"),
    Optimizer("adamw"),
)
SETTINGS = [(name, "float32", OPTIMIZERS[place % 6]) for place, name in enumerate(CASES)]
SETTINGS += [("grouped", "amp", OPTIMIZERS[0]), ("in place", "amp", OPTIMIZERS[2])]
SETTINGS += [("swin", "bfloat16", OPTIMIZERS[1]), ("u-net", "bfloat16", OPTIMIZERS[2])]


def of_torch(optimizer: Optimizer) -> Any:
    momentum = 0.9 * optimizer.momentum
    return {
        "sgd": lambda own: optim.SGD(own, 0.1, momentum=momentum, foreach=False),
        "rmsprop": lambda own: optim.RMSprop(own, 0.1, alpha=0.9, eps=1.0, momentum=momentum, foreach=False),
        "adam": lambda own: optim.Adam(own, foreach=False),
        "adamw": lambda own: optim.AdamW(own, foreach=False),
    }[optimizer.name]


def traced(case: Case, dtype: Any, optimizer: Optimizer) -> Measured:
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


def real(case: Case, dtype: str, optimizer: Optimizer) -> Measured:
    model, args, kwargs = case.make(), case.args, case.kwargs
    if dtype == "bfloat16":
        model = model.to(torch.bfloat16)
        args, kwargs = tree_map_only(Tensor, _halved, (args, kwargs))
    return measured(model, args, kwargs, of_torch(optimizer), amp=dtype == "amp")


def _halved(tensor: Tensor) -> Tensor:
    return tensor.to(torch.bfloat16) if tensor.is_floating_point() else tensor


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # torch's, of a checkpoint
@pytest.mark.parametrize(("name", "dtype", "optimizer"), one_in(2, SETTINGS, several=True))
def test_as_real_tensors(name: str, dtype: str, optimizer: Optimizer) -> None:
    case = CASES[name]
    assert traced(case, dtype, optimizer) == real(case, dtype, optimizer)


LIKE_NO_FAKE = {
    "fold": Case(
        lambda: nn.Sequential(nn.Conv2d(2, 2, 1), nn.Unfold(2), nn.Fold((4, 4), 2)),
        (torch.zeros(2, 2, 4, 4),),
    ),
    "bag": Case(
        lambda: nn.Sequential(nn.EmbeddingBag(5, 4), nn.Linear(4, 3)), (torch.zeros(3, 2, dtype=torch.int64),)
    ),
}


@pytest.mark.parametrize("name", LIKE_NO_FAKE)
def test_as_real_tensors_where_torchs_fakes_are_not(name: str) -> None:
    case = LIKE_NO_FAKE[name]
    assert traced(case, "float32", Optimizer()) == real(case, "float32", Optimizer())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_optimizer_keeps_and_needs_what_torchs_does(optimizer: Optimizer) -> None:
    layers = nn.Sequential(nn.Linear(30, 50, bias=False), nn.Linear(50, 40, bias=False))
    found = real(Case(lambda: layers, (torch.zeros(2, 30),)), "float32", optimizer)
    states: Any = [optimizer.state(6000), optimizer.state(8000)]
    assert sum(states) == found.state
    scratch: Any = optimizer.scratch([6000, 8000])
    # Beside the gradients: the output, 2x40, the loss, and a number or two of Adam's.
    assert 320 <= found.step_peaks["optimizer"] - 14000 - scratch < 400


def held(module: nn.Module, dtype: Any, inputs: Any = None) -> tuple[int, int]:
    parts: Any = parts_of(module, dtype, inputs)
    return sum(each.weights for each in parts), sum(each.buffers for each in parts)


def test_weights_and_buffers() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 4), nn.Linear(4, 4))
    model[3].weight = model[2].weight
    numbers = 4 * 27 + 4 + 8 + 16 + 4 + 4
    assert held(model, "float32") == held(model, "amp") == (4 * numbers, 2 * 16 + 8)
    assert held(model, "bfloat16") == (2 * numbers, 2 * 8 + 8)
    assert held(nn.LazyLinear(3), "float32", (2, 5)) == (4 * 18, 0)
    whole = torch.zeros(10)
    model.register_buffer("a", whole[:4])
    model.register_buffer("b", whole[4:])
    assert held(model, "float32")[1] == 2 * 16 + 8 + 40


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings", "dtype", "optimizer", "kept", "input", "state", "peak"),
    [
        ("inception_v3", {}, "float32", Optimizer("rmsprop"), 3107588608, 34329984, 95339408, 3151334824),
        (
            "inception_v3",
            {"aux": True},
            "float32",
            Optimizer("rmsprop", momentum=True),
            3111069184,
            34329984,
            217291280,
            3155071400,
        ),
        ("inception_v3", {}, "bfloat16", Optimizer("rmsprop"), 1644500224, 17164992, 47670272, 1666373332),
        ("resnet50", {}, "float32", Optimizer("sgd"), 2730049024, 19267584, 0, 2763801000),
    ],
)
def test_large_networks(
    name: str, settings: Any, dtype: Any, optimizer: Any, kept: int, input: int, state: int, peak: int
) -> None:
    with torch.device("meta"):
        model = costlab.build(name, **settings)
    side = 299 if name == "inception_v3" else 224
    step: Any = trace_training(model, (32, 3, side, side), dtype, optimizer)
    assert sum(each.size for each in step.kept) == kept + input
    assert sum(each.size for each in step.kept if each.is_input) == input
    assert (step.state, max(each.live for each in step.moments)) == (state, peak)


def test_a_large_batch_takes_no_memory() -> None:
    with torch.device("meta"):
        model = costlab.build("vgg16")
    step: Any = trace_training(model, (512, 3, 224, 224), "float32", Optimizer())
    kept = {each.is_input: 0 for each in step.kept}
    for each in step.kept:
        kept[each.is_input] += each.size
    assert kept == {True: 16 * 19267584, False: 16 * 2324889600}  # those at a batch of 32
