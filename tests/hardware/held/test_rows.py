"""Rows of what is held: in the order in which things run, weights beside what is kept of the same kind."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from torch import nn

from costlab.algebra.dim import symbols
from costlab.errors import DefinitionError, DeviceError, TargetError
from costlab.hardware.held.called import kind_of_layer
from costlab.hardware.memory import memory


class Norm(nn.BatchNorm2d):
    """A layer of one's own that is one of torch's."""


class Own(nn.Module):
    """A module that is none of torch's layers."""


def net() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), Norm(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))


@pytest.mark.parametrize("train", [True, False])
def test_modules_stand_in_the_order_in_which_they_run(train: bool) -> None:
    held = memory(net(), "2x3x8x8:float32", train=train)
    names = [row.name for row in held.modules(1)]
    assert names == ["0", "1", "2", "4", *([""] if train else [])]  # the loss is the root's
    stem = memory("stem", train=train)
    ran = [moment.path.partition(".")[0] for moment in stem.moments if moment.phase == "forward"]
    shown = [row.name for row in stem.modules(1)]
    assert [name for name in shown if name != "loss"] == list(dict.fromkeys(ran))


def test_a_kind_of_a_module_is_one_row() -> None:
    rows = {row.name: row for row in memory(net(), "2x3x8x8:float32", train=True).kinds()}
    assert list(rows) == ["conv2d", "batch_norm2d", "relu", "linear"]
    assert (rows["linear"].weights, rows["linear"].kept) == (4 * (144 * 5 + 5), 0)  # it is ReLU's output
    assert (rows["relu"].weights, rows["relu"].kept) == (0, 4 * 2 * 144)
    assert (rows["batch_norm2d"].weights, rows["batch_norm2d"].kept) == (4 * 8, 4 * (2 * 144 + 8))
    assert [row.name for row in memory("stem", train=True).kinds()] == [*list(rows)[:3], "max_pool2d"]


def test_a_layer_is_called_as_the_operation_that_it_runs() -> None:
    layers = [nn.ConvTranspose1d(2, 2, 1), nn.RMSNorm(2), nn.LSTM(2, 2), nn.MultiheadAttention(2, 1)]
    assert [*map(kind_of_layer, layers)] == ["conv_transpose1d", "rms_norm", "lstm", "attention"]
    assert (kind_of_layer(Norm(2)), kind_of_layer(Own())) == ("batch_norm2d", "Own")


def test_a_device_has_a_name() -> None:
    held = memory("inception_v3", batch=128, train=True)
    assert (held.fits("K40"), held.fits("h200")) == (False, True)
    with pytest.raises(DeviceError, match="there is no device 'h2000'"):
        held.fits("h2000")


def test_arrays_and_symbols_have_no_verdict() -> None:
    several = memory("inception_e", batch=np.array([1, 2]))
    assert several.peak_pieces is None
    for held in (several, memory("inception_e", batch=symbols("N"))):
        with pytest.raises(DefinitionError, match="whether it fits is known of plain numbers only"):
            held.fits("k40")


def test_without_parameters_there_is_nothing_to_train() -> None:
    with pytest.raises(TargetError, match="ReLU: it has no parameters: there is nothing to train"):
        memory(nn.ReLU(), "2x3:float32", train=True)


def test_several_threads_may_ask_at_once() -> None:
    module = net()
    with ThreadPoolExecutor(4) as threads:
        totals = set(
            threads.map(lambda train: memory(module, "2x3x8x8:float32", train=train).total, [False, True] * 6)
        )
    assert totals == {memory(module, "2x3x8x8:float32", train=train).total for train in (False, True)}


def test_at_a_prompt_bytes_are_grouped() -> None:
    assert "peak 1,048,576 bytes beside" in repr(memory("inception_e"))
