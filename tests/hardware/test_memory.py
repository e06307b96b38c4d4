"""What definitions hold: numbers of networks, three kinds of number, operations of one's own, refusals."""

from typing import Any

import numpy as np
import pytest
import sympy
import torch
from torch import nn

import costlab
from costlab import BatchNorm2d, Conv2d, DefinitionError, Flatten, Linear, ReLU, Shape, add, memory, seq
from costlab.algebra.block import Block
from costlab.algebra.ops.elementwise import Elementwise
from costlab.algebra.saved import Saved
from costlab.algebra.shape import AnyShape
from costlab.algebra.work import Work
from costlab.hardware.held import ran
from tests.hardware.real import inference_peak, step_of


def of_input(found: costlab.Memory) -> Any:
    return sum(each.size for each in found.keeps if each.is_input)


@pytest.mark.parametrize(
    ("aux", "momentum", "held", "peak"),
    [
        (False, False, (95_338_272, 138_480, 3_107_588_608, 95_339_408), 3_151_334_824),
        (True, True, (108_645_056, 145_664, 3_111_069_184, 217_291_280), 3_155_071_400),
    ],
)
def test_inception_v3_in_training(aux: bool, momentum: bool, held: tuple[int, ...], peak: int) -> None:
    found = memory(
        "inception_v3", batch=32, train=True, optimizer="rmsprop", momentum=momentum, average=True, aux=aux
    )
    assert (found.weights, found.buffers, found.kept, found.state) == held
    assert found.given == of_input(found) == 34_329_984
    assert found.gradients == found.averaged == found.weights
    assert found.peak.live == found.peak_bytes == peak
    assert found.peak.phase == "backward"
    assert found.resident == 2 * found.weights + found.buffers + found.state + found.given
    assert found.total == found.resident + peak
    assert sum(row.kept for row in found.kinds()) == sum(row.kept for row in found.modules(1)) == found.kept
    assert max(row.live for row in found.modules(1)) == peak  # type: ignore[type-var]  # plain numbers


def test_inception_v3_at_rest() -> None:
    found = memory("inception_v3")
    as_run, last, fused = found.peak, found.by_last_use, found.fused
    assert (as_run.live, last.live, fused.live) == (13_829_760, 11_063_808, 8_297_856)
    for peak in (as_run, last, fused):
        assert peak.path.startswith("stem.conv_2b")
        assert peak.phase == "forward"
    assert found.given == 1_072_812
    assert (found.kept, found.state, found.gradients, found.averaged) == (0, 0, 0, 0)
    assert found.weights == memory("inception_v3", aux=True).weights  # heads are left out


def test_bfloat16_halves_all_but_indices() -> None:
    found = memory("inception_v3", batch=32, train=True, dtype="bfloat16")
    assert found.kept == 1_644_500_224
    assert found.weights * 2 == 95_338_272


@pytest.mark.parametrize(("name", "kept"), [("resnet50", 2_730_049_024), ("vgg16", 2_324_889_600)])
def test_other_networks_keep(name: str, kept: int) -> None:
    assert memory(name, batch=32, train=True).kept == kept


def test_the_closed_form_in_the_batch_gives_each_number() -> None:
    (n,) = sympy.symbols("N,", integer=True, positive=True)
    found = memory("inception_v3", batch=n, train=True)
    assert found.kept == 97_107_840 * n + 137_728
    assert found.given == 1_072_812 * n
    block: Block = seq(Conv2d(4, 3), BatchNorm2d(), ReLU(), add(Conv2d(4, 1), ReLU()))
    general: Any = memory(block, Shape(3, 9, 9), batch=n, train=True)
    for batch in (1, 2, 7, 100):
        one = memory(block, Shape(3, 9, 9), batch=batch, train=True)
        assert general.kept.subs(n, batch) == one.kept
        assert general.peak_bytes.subs(n, batch) == one.peak_bytes


@pytest.mark.parametrize("name", ["inception_a", "mini", "stem"])
def test_a_sweep_gives_what_single_calls_give(name: str) -> None:
    widths = np.array([0.5, 1.0, 1.5])
    for train in (False, True):
        swept: Any = memory(name, batch=3, train=train, width=widths)
        for place, width in enumerate(widths):
            one = memory(name, batch=3, train=train, width=float(width))
            for figure in ("kept", "peak_bytes", "weights", "buffers", "gradients", "total"):
                of_all = np.broadcast_to(getattr(swept, figure), widths.shape)
                assert of_all[place] == getattr(one, figure), (figure, width)


def test_batches_are_an_array_too() -> None:
    batches = np.array([1, 2, 5, 12, 40])
    swept: Any = memory("inception_a", batch=batches, train=True)
    alone = [memory("inception_a", batch=int(batch), train=True) for batch in batches]
    assert list(swept.kept) == [one.kept for one in alone]
    assert list(swept.peak_bytes) == [one.peak_bytes for one in alone]


class Swish(Elementwise):
    """``x * sigmoid(x)``, of which nobody says what autograd keeps."""

    kind = "swish"

    def module(self, x: AnyShape) -> nn.Module:
        return nn.SiLU()


class SavingSwish(Swish):
    """The same, and it says so."""

    kind = "saving_swish"

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(input=True)


@pytest.mark.parametrize("cls", [Swish, SavingSwish])
def test_an_operation_of_ones_own_is_asked_or_traced(
    cls: type[Swish], monkeypatch: pytest.MonkeyPatch
) -> None:
    traced: list[Any] = []
    as_module = ran.of_module

    def noted(*given: Any) -> Any:
        traced.append(given)
        return as_module(*given)

    monkeypatch.setattr(ran, "of_module", noted)
    block = seq(Conv2d(4, 3), cls(), Flatten(), Linear(3))
    step = memory(block, (3, 6, 5), batch=2, train=True, optimizer="adam")
    at_rest = memory(block, (3, 6, 5), batch=2)
    assert bool(traced) == (cls is Swish)
    module, x = costlab.build(block, (3, 6, 5)), torch.randn(2, 3, 6, 5)
    real = step_of(module, (x,), torch.optim.Adam)
    assert (step.kept, of_input(step), step.peak_bytes, step.state) == real
    assert at_rest.peak_bytes == inference_peak(module, x)


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "nothing to train": (ReLU(), {"train": True}, "there are no parameters that could be trained"),
    "one value": (
        seq(a=seq(bn=BatchNorm2d())),
        {"train": True, "input": (3, 1, 1)},
        "a.bn: batch norm cannot be trained on one value per channel: give a larger batch, or a larger input",
    ),
    "adam with momentum": (
        Conv2d(4, 3),
        {"train": True, "optimizer": "adam", "momentum": True},
        "optimizer=adam keeps averages of its own and has no momentum: leave it out",
    ),
    "an optimizer at rest": (
        Conv2d(4, 3),
        {"optimizer": "adam"},
        "an optimizer, momentum and an average are for training: give train",
    ),
    "momentum at rest": (
        Conv2d(4, 3),
        {"momentum": True},
        "an optimizer, momentum and an average are for training: give train",
    ),
    "an average at rest": (
        Conv2d(4, 3),
        {"average": True},
        "an optimizer, momentum and an average are for training: give train",
    ),
    "an unknown type": (
        Conv2d(4, 3),
        {"dtype": "float16"},
        "dtype='float16' must be one of float32, bfloat16, amp",
    ),
    "an unknown optimizer": (
        Conv2d(4, 3),
        {"train": True, "optimizer": "lion"},
        "optimizer='lion' must be one of sgd, rmsprop, adam, adamw",
    ),
    "no batch": (Conv2d(4, 3), {"batch": 0}, "batch=0 must be at least 1"),
    "several optimizers": (
        Conv2d(4, 3),
        {"train": True, "optimizer": ["adam"]},
        "optimizer=['adam'] must be one of sgd, rmsprop, adam, adamw",
    ),
    "half a batch": (Conv2d(4, 3), {"batch": 1.5}, "batch=1.5 must be a whole number"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(name: str) -> None:
    block, given, message = REFUSED[name]
    with pytest.raises(DefinitionError) as error:
        memory(block, **{"input": (3, 9, 9), **given})
    assert str(error.value).endswith(message)


def test_one_value_of_two_images_can_be_trained() -> None:
    assert memory(seq(bn=BatchNorm2d()), (3, 1, 1), batch=2, train=True).kept == 24


def test_where_the_peak_is_is_known_of_numbers_alone() -> None:
    width = costlab.symbols("W")
    found = memory(Conv2d(width, 3), (3, 9, 9))
    for figure in ("peak", "by_last_use", "fused"):
        with pytest.raises(DefinitionError, match="where the peak is, is known of plain numbers only"):
            getattr(found, figure)
    assert found.peak_bytes == 4 * 49 * width


def test_what_is_of_inference_is_not_asked_of_training() -> None:
    found = memory(Conv2d(4, 3), (3, 9, 9), train=True)
    for figure in ("by_last_use", "fused", "best_order"):
        with pytest.raises(DefinitionError, match="ask for inference"):
            getattr(found, figure)
    with pytest.raises(DefinitionError, match="depth"):
        found.modules(-1)


def test_arrays_do_not_wrap_where_their_sums_pass_64_bits() -> None:
    batches = [1, 2**31 - 1]

    def peak(batch: Any) -> Any:
        return memory("inception_v3", (3, 4096, 4096), batch=batch, train=True, optimizer="adam").peak_bytes

    each = [peak(batch) for batch in batches]
    assert list(peak(np.array(batches))) == each
    assert each[1] > 2**63


@pytest.mark.parametrize("weights", [0, 4])
@pytest.mark.parametrize("scalings", [0, 5])
@pytest.mark.parametrize("bias_adds", [0, 3])
def test_tensors_of_parameters_are_all_of_them(weights: int, scalings: int, bias_adds: int) -> None:
    work = Work("mine", parameters=7, weights=weights, scalings=scalings, bias_adds=bias_adds)
    assert sum(int(size) for size in work.tensors if isinstance(size, int)) == 7
