"""The share of a peak, held against arithmetic by hand and against the flop counter on a real step."""

import copy
import gc
import json
import pickle
from threading import Event, Thread
from typing import Any
from weakref import ref

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils import checkpoint
from torch.utils.flop_counter import FlopCounterMode

import costlab
from costlab.errors import DefinitionError, DeviceError, TargetError
from costlab.torch import Utilization, mfu
from costlab.torch.recomputation import SPARING, run_once

ROWS = 3
FIRST, SECOND = ROWS * 8 * 16, ROWS * 16 * 4
STEP = 2 * FIRST + 3 * SECOND
"""Of a stack of two layers: the first one's input wants no gradient."""
TEN = costlab.Device("ten", float32=10**13, bfloat16=4 * 10**13, float16=4 * 10**13, tf32=2 * 10**13)


def stack() -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))


def adds(module: nn.Module, inputs: Any, **options: Any) -> int:
    return mfu(module, inputs, 1.0, device=TEN, **options).multiply_adds


class Checkpointed(nn.Module):
    def __init__(self, *, reentrant: bool) -> None:
        super().__init__()
        self.body, self.head, self.reentrant = stack(), nn.Linear(4, 2), reentrant

    def forward(self, x: Tensor) -> Any:
        return self.head(checkpoint.checkpoint(self.body, x, use_reentrant=self.reentrant))


def test_a_stack_is_what_is_computed_by_hand() -> None:
    share = mfu(stack(), torch.rand(ROWS, 8), 2e-9, device=TEN, steps=5, devices=4)
    assert share.multiply_adds == 5 * STEP
    assert share == 2 * 5 * STEP / (2e-9 * 10**13 * 4)
    assert (share.seconds, share.peak, share.device, share.dtype, share.devices) == (
        2e-9, 10**13, "ten", "float32", 4
    )  # fmt: skip
    assert share.flop_per_second == 2 * 5 * STEP / 2e-9
    assert adds(stack(), torch.rand(ROWS, 8), backward=False) == FIRST + SECOND


def test_a_convolutional_network_is_half_of_what_the_flop_counter_sees_of_a_real_step() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 3, bias=False)
    )
    x = torch.rand(2, 3, 12, 12)
    counted = adds(model, x)
    with FlopCounterMode(display=False) as counter:
        model(x).sum().backward()
    assert 2 * counted == counter.get_total_flops()


@pytest.mark.parametrize("reentrant", [False, True])
def test_what_a_checkpoint_runs_again_counts_for_the_hardware_alone(*, reentrant: bool) -> None:
    x = torch.rand(ROWS, 8, requires_grad=True)
    model, before = Checkpointed(reentrant=reentrant), dict(SPARING)
    plain = 3 * (FIRST + SECOND + ROWS * 4 * 2)
    assert adds(model, x) == plain
    again = FIRST + SECOND * reentrant  # which stops early: what the last layer puts out nothing wants
    assert adds(model, x, recomputation=True) == plain + again
    assert costlab.count(model, x, backward=True).multiply_adds == plain + again
    assert before == SPARING


def test_checkpoints_are_as_they_were_after_runs_in_two_threads() -> None:
    before, began = dict(SPARING), Event()

    def run() -> None:
        began.set()
        with run_once():
            pass

    thread = Thread(target=run)
    with run_once():
        thread.start()
        began.wait()
        thread.join(0.01)
        assert thread.is_alive()
    thread.join()
    assert before == SPARING


def test_nothing_learns_under_a_checkpoint_that_is_handed_nothing_with_a_gradient() -> None:
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad"):
        real = adds(Checkpointed(reentrant=True), torch.rand(ROWS, 8), recomputation=True)
    assert (
        adds(Checkpointed(reentrant=True), torch.rand(ROWS, 8)) == real == FIRST + SECOND + 2 * ROWS * 4 * 2
    )


def test_weights_of_attention_count_once() -> None:
    class Attends(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return nn.functional.scaled_dot_product_attention(x, x, x)

    x = torch.rand(2, 1, 5, 4, requires_grad=True)
    product = 2 * 5 * 5 * 4
    assert adds(Attends(), x) == 6 * product
    assert adds(Attends(), x, recomputation=True) == 7 * product
    assert costlab.count(Attends(), x, backward=True).multiply_adds == 7 * product


def test_a_compiled_module_and_one_in_a_wrapper_are_the_one_within() -> None:
    x = torch.rand(ROWS, 8)
    model = stack()
    assert adds(torch.compile(model, backend="eager"), x) == adds(nn.DataParallel(model), x) == STEP  # type: ignore[arg-type]  # a module


def test_inputs_are_given_as_for_a_count() -> None:
    both = nn.Bilinear(4, 5, 3)
    x, y = torch.rand(2, 4), torch.rand(2, 5)
    given = [(x, y), {"input1": x, "input2": y}, ["2x4", "2x5"]]
    assert {adds(both, each) for each in given} == {costlab.count(both, (x, y), backward=True).multiply_adds}
    assert adds(nn.Conv2d(3, 4, 1), "3x8x8") == 2 * 8 * 8 * 3 * 4
    assert adds(nn.LazyLinear(4), x) == 2 * 2 * 4 * 4
    with torch.device("meta"):
        assert adds(nn.Linear(4, 3), torch.rand(2, 4)) == 2 * 2 * 4 * 3


def test_nothing_of_the_module_or_the_process_changes() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout(), nn.Flatten(), nn.Linear(8, 2))
    model[1].eval()
    called: list[nn.Module] = []
    model[0].register_forward_hook(lambda module, *_: called.append(module))
    x = torch.rand(4, 1, 2, 2)
    model(x).sum().backward()
    called.clear()
    state = copy.deepcopy(model.state_dict())
    grads = [each.grad for each in model.parameters()]
    values = [None if each is None else each.clone() for each in grads]
    forms = {name: (each.training, len(each._forward_hooks)) for name, each in model.named_modules()}
    random, held = torch.get_rng_state(), [id(each) for each in model.parameters()]
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        share = mfu(model, x, 1.0, device=TEN)
        assert torch.is_autocast_enabled("cpu")
        assert torch.get_autocast_dtype("cpu") == torch.bfloat16
        assert not torch.is_grad_enabled()
    assert share.dtype == "bfloat16"
    assert torch.equal(torch.get_rng_state(), random)
    assert [id(each) for each in model.parameters()] == held
    assert {name: (each.training, len(each._forward_hooks)) for name, each in model.named_modules()} == forms
    for each, before, value in zip(model.parameters(), grads, values, strict=True):
        assert each.grad is before
        assert value is None or torch.equal(before, value)  # type: ignore[arg-type]  # one is where the other is
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, state[name])
    assert torch.rand(2).requires_grad is False


def step(
    inputs: Tensor | None = None, seconds: Any = 1.0, device: Any = TEN, module: Any = None, **options: Any
) -> Utilization:
    given = torch.rand(ROWS, 8) if inputs is None else inputs
    return mfu(module or stack(), given, seconds, device=device, **options)


@pytest.mark.parametrize(
    ("error", "says", "options"),
    [
        (
            DeviceError,
            "'auto' is for a module on a CUDA device, and this one is on cpu; give",
            {"device": "auto"},
        ),
        (DeviceError, "no device 'h1000'", {"device": "h1000"}),
        (DeviceError, "device='cuda:0' says where tensors are; 'auto' is", {"device": "cuda:0"}),
        (DeviceError, "device='cuda' says where", {"device": torch.device("cuda")}),
        (DeviceError, "v100 has no bfloat16 peak", {"device": "v100", "dtype": torch.bfloat16}),
        (DeviceError, "'half' is no type", {"dtype": "half"}),
        (DeviceError, r"no peak for torch\.complex64", {"dtype": torch.complex64}),
        (DefinitionError, "seconds=0 must be a number above 0", {"seconds": 0}),
        (DefinitionError, "seconds=inf", {"seconds": float("inf")}),
        (DefinitionError, "seconds=nan", {"seconds": float("nan")}),
        (DefinitionError, "seconds=True", {"seconds": True}),
        (DefinitionError, r"seconds=about 2\*\*1328", {"seconds": 10**400}),
        (DefinitionError, "seconds='1'", {"seconds": "1"}),
        (DefinitionError, "module='resnet50' is no torch.nn.Module", {"module": "resnet50"}),
        (DefinitionError, "steps=0 must be a whole number", {"steps": 0}),
        (DefinitionError, r"devices=1\.0 must be a whole number", {"devices": 1.0}),
        (TargetError, "must have same reduction dim", {"inputs": torch.rand(3, 7)}),
    ],
)
def test_what_is_wrong_is_said_by_name(error: type[Exception], says: str, options: dict[str, Any]) -> None:
    with pytest.raises(error, match=says):
        step(**options)


def test_seconds_may_be_a_number_of_numpy() -> None:
    share = step(seconds=np.float32(0.5))
    assert (share.seconds, type(share.seconds)) == (0.5, float)


def test_a_module_without_parameters_is_on_no_device() -> None:
    with pytest.raises(DeviceError, match="this one is without parameters"):
        mfu(nn.ReLU(), torch.rand(2), 1.0)


def test_a_share_is_a_number_that_tells_where_it_comes_from() -> None:
    share = Utilization(10**12, 0.5, 10**13, "ten", "bfloat16", 2)
    assert float(share) == share.utilization == 0.2
    assert type(float(share)) is type(share.utilization) is float
    assert f"{share:.1%}" == "20.0%"
    assert json.dumps({"mfu": share}) == '{"mfu": 0.2}'
    assert repr(share) == (
        "<20.00%: 1,000,000,000,000 multiply-adds in 0.5 s, of 10 TFLOP/s of 2 x ten in bfloat16>"
    )
    for again in (pickle.loads(pickle.dumps(share)), copy.deepcopy(share)):
        assert repr(again) == repr(share)


def test_what_is_kept_of_a_module_goes_with_it() -> None:
    model = stack()
    model.forward = model.forward  # type: ignore[method-assign]  # a circle, as wrappers make them
    gone = ref(model)
    assert adds(model, torch.rand(ROWS, 8)) == STEP
    del model
    gc.collect()
    assert gone() is None


def test_it_is_reached_from_costlab_itself() -> None:
    assert costlab.torch.mfu is mfu
