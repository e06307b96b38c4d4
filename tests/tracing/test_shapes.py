"""What comes out without running it is as torch gives it, in sizes, strides and types; or it is refused."""

import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - what everybody calls it

from costlab.algebra.inputs import Inputs
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.count import count
from costlab.errors import TargetError
from costlab.tracing.rules.registry import SHAPED

MAP, ROWS = torch.rand(2, 6, 9, 8), torch.rand(2, 5, 6)
Q, K, V = torch.rand(2, 4, 5, 6), torch.rand(2, 4, 7, 6), torch.rand(2, 4, 7, 3)
STATES = (torch.rand(2, 5, 4), torch.rand(2, 5, 4))
GATES = [torch.rand(16, 6), torch.rand(16, 4), torch.rand(16), torch.rand(16)] * 2
CALLS: dict[str, tuple[Any, ...]] = {
    "conv2d": (F.conv2d, MAP, torch.rand(4, 3, 3, 2), torch.rand(4), (2, 1), (1, 2), (1, 2), 2),
    "conv2d same": (F.conv2d, MAP, torch.rand(4, 6, 3, 5), None, 1, "same"),
    "conv2d valid": (F.conv2d, MAP, torch.rand(4, 6, 2, 3), None, 1, "valid"),
    "conv1d": (F.conv1d, ROWS, torch.rand(4, 5, 3), torch.rand(4), 2),
    "conv3d": (F.conv3d, torch.rand(2, 3, 4, 5, 6), torch.rand(4, 3, 2, 2, 2)),
    "unbatched": (F.conv2d, MAP[0], torch.rand(4, 6, 3, 3)),
    "linear": (F.linear, ROWS, torch.rand(4, 6), torch.rand(4)),
    "linear of one row": (F.linear, ROWS[0, 0], torch.rand(4, 6)),
    "batch_norm": (F.batch_norm, MAP, torch.zeros(6), torch.ones(6), torch.rand(6), torch.rand(6)),
    "layer_norm": (F.layer_norm, ROWS, (5, 6), torch.rand(5, 6), torch.rand(5, 6)),
    "layer_norm across": (F.layer_norm, ROWS.transpose(1, 2), (5,)),
    "rms_norm": (F.rms_norm, ROWS, (6,)),
    "rms_norm across": (F.rms_norm, ROWS.transpose(1, 2), (5,)),
    "max_pool2d": (F.max_pool2d, MAP, (3, 2), 2, 1, (1, 2)),
    "max_pool2d ceil": (F.max_pool2d, MAP, 2, 2, 0, 1, True),
    "relu": (F.relu, MAP),
    "gelu of a part": (F.gelu, ROWS.chunk(2, -1)[0]),
    "silu turned": (F.silu, ROWS.transpose(0, 1)),
    "sigmoid spread": (torch.sigmoid, ROWS[:, :1].expand(2, 5, 6)),
    "tanh channels last": (torch.tanh, MAP.to(memory_format=torch.channels_last)),
    "relu6": (F.relu6, MAP),
    "attention": (F.scaled_dot_product_attention, Q, K, V),
    "attention, narrow query": (F.scaled_dot_product_attention, Q[:1], K, V),
    "attention, narrow key": (F.scaled_dot_product_attention, Q, K[:1], V[:1]),
    "cat": (torch.cat, [MAP, MAP, torch.rand(2, 1, 9, 8)], 1),
    "cat along the last": (torch.cat, (ROWS, ROWS), -1),
    "cat of columns": (torch.cat, [ROWS.transpose(1, 2), ROWS.transpose(1, 2)], 2),
    "cat of types": (torch.cat, [ROWS, ROWS.double()], 0),
    "lstm": (torch.lstm, torch.rand(3, 5, 6), STATES, GATES, True, 1, 0.0, False, True, False),
    "lstm, batch first": (torch.lstm, torch.rand(5, 3, 6), STATES, GATES, True, 1, 0.0, False, True, True),
}


class Calls(nn.Module):
    """Calls a function, and keeps what is said of its output."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any) -> Any:
        output = self.function(*args)
        each = output if isinstance(output, tuple) else (output,)
        Seen.last = [(tuple(y.shape), y.stride(), y.dtype) for y in each]
        return output


class Seen:
    """What was seen last: an attribute of a class, since a list that a model fills is put back."""

    last: ClassVar[list[tuple[Any, ...]]] = []


@pytest.mark.parametrize("name", CALLS)
def test_sizes_strides_and_types_are_torchs(name: str) -> None:
    function, *args = CALLS[name]
    with torch.no_grad():
        real = function(*args)
    expected = [(tuple(y.shape), y.stride(), y.dtype) for y in (real if isinstance(real, tuple) else (real,))]
    count(Calls(function), Inputs(args))
    assert expected == Seen.last


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda x, y: x + y,
    "of rows and a column": lambda x, y: x + y[..., :1],
    "of turned ones": lambda x, y: x.transpose(0, 1) * y.transpose(0, 1),
    "with a number": lambda x, y: x * 2 - 1,
    "with another type": lambda x, y: x / y.double(),
    "with a complex number": lambda x, y: x + 1j,
    "in place": lambda x, y: x.clone().add_(y).mul_(0.5),
    "of integers": lambda x, y: x.long() / 2,
    "of halves": lambda x, y: x.half() * 2.0 + y.half(),
    "scaled": lambda x, y: torch.add(x, y, alpha=2),
    "rounded": lambda x, y: torch.div(x, y, rounding_mode="floor"),
    "of one": lambda x, y: (x.exp().neg() + y.sigmoid()).tanh().sqrt(),
    "channels last": lambda x, y: x[None].to(memory_format=torch.channels_last) + y[None],
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_give_what_torch_gives(name: str) -> None:
    x, y = torch.rand(2, 5, 6), torch.rand(2, 5, 6)
    real = OPERATORS[name](x, y)
    count(Calls(OPERATORS[name]), (x, y))
    assert [(tuple(real.shape), real.stride(), real.dtype)] == Seen.last


def test_every_function_with_a_shape_is_among_these() -> None:
    called = {each[0] for each in CALLS.values()}
    alike = {torch.max_pool2d: F.max_pool2d, torch.relu: F.relu, torch.gru: torch.lstm}
    alike |= {torch.rnn_tanh: torch.lstm, torch.rnn_relu: torch.lstm, torch.concat: torch.cat}
    others = {torch._grouped_mm}  # which a processor runs for some types only
    assert {alike.get(function, function) for function in SHAPED if function not in others} == called


WRONG: dict[str, tuple[Any, ...]] = {
    "bias of a convolution": (F.conv2d, MAP, torch.rand(4, 6, 3, 3), torch.rand(5)),
    "stride beside same": (F.conv2d, MAP, torch.rand(4, 6, 3, 3), None, 2, "same"),
    "negative padding": (F.conv2d, MAP, torch.rand(4, 6, 3, 3), None, 1, -1),
    "kernel too large": (F.conv2d, MAP, torch.rand(4, 6, 12, 3)),
    "bias of a linear layer": (F.linear, ROWS, torch.rand(4, 6), torch.rand(5)),
    "features": (F.linear, ROWS, torch.rand(4, 5)),
    "scale of a batch norm": (F.batch_norm, MAP, torch.zeros(6), torch.ones(6), torch.rand(5)),
    "variance of a batch norm": (F.batch_norm, MAP, torch.zeros(6), torch.ones(5)),
    "scale of a layer norm": (F.layer_norm, ROWS, (6,), torch.rand(5)),
    "shape of a layer norm": (F.layer_norm, ROWS, (5,)),
    "padding of a pool": (F.max_pool2d, MAP, 2, 2, 2),
    "keys": (F.scaled_dot_product_attention, Q, K[..., :5], V),
    "types of attention": (F.scaled_dot_product_attention, Q, K.double(), V),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_torch_refuses_is_refused(name: str) -> None:
    function, *args = WRONG[name]
    with torch.no_grad(), pytest.raises((RuntimeError, ValueError)):
        function(*args)
    with pytest.raises(TargetError):
        count(Calls(function), Inputs(args))


def test_a_query_that_is_spread_over_many_keys() -> None:
    for query, key, value in ((Q[:1], K, V), (Q, K[:1], V[:1]), (Q, K, V)):
        counted = count(Calls(F.scaled_dot_product_attention), (query, key, value))
        assert counted.multiply_adds == 2 * 4 * 5 * 7 * (6 + 3)


def test_the_weights_of_attention_with_widths_of_their_own() -> None:
    net = nn.MultiheadAttention(16, 4, kdim=8, vdim=12, batch_first=True)
    x, y, z = torch.rand(2, 5, 16), torch.rand(2, 6, 8), torch.rand(2, 6, 12)
    counted = count(net, (x, y, z))
    assert counted.weights == sum(each.numel() for each in net.parameters() if each.dim() == 2)
    assert counted.activations == 2 * (5 + 6 + 6) * 16 + 2 * 5 * 16


def test_the_functions_of_torch_whose_arguments_have_another_order() -> None:
    class Norms(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale, self.shift = nn.Parameter(torch.ones(6)), nn.Parameter(torch.zeros(6))

        def forward(self, x: Tensor) -> Any:
            mean, variance = torch.zeros(6), torch.ones(6)
            x = torch.batch_norm(x, self.scale, self.shift, mean, variance, False, 0.1, 1e-5, False)
            x = torch.batch_norm(x, None, None, mean, variance, False, 0.1, 1e-5, False)
            return torch.instance_norm(x, self.scale, None, None, None, True, 0.1, 1e-5, False)

    counted = count(Norms(), MAP)
    elements = MAP.numel()
    assert [work.scalings for work in counted.works] == [elements, 0, elements]
    charged = map(ChargedOperation, counted.operations)
    assert [operation.elements("weight", "bias") for operation in charged] == [12, 0, 6]


def test_modules_of_other_threads_are_not_seen() -> None:
    stop, other = threading.Event(), nn.Sequential(nn.Linear(3, 3), nn.ReLU())

    def busy() -> None:
        while not stop.is_set():
            other(torch.zeros(1, 3))

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        net = nn.Sequential(*(nn.Linear(4, 4) for _ in range(40)))
        for _ in range(5):
            paths = [row.path for row in count(net, torch.zeros(1, 4)).rows]
            assert paths == [str(i) for i in range(40)]
    finally:
        stop.set()
        thread.join()
