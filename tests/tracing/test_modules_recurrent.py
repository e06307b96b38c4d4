"""Recurrent layers, their cells and packed sequences; torch's counter misses most of them."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

from costlab import count
from costlab.algebra.inputs import Inputs
from tests.tracing import brute
from tests.tracing.brute import assert_counted

GATES = {nn.LSTM: 4, nn.GRU: 3, nn.RNN: 1}
STEPS, N, FEATURES, HIDDEN = 4, 2, 6, 5
EVERY: list[dict[str, Any]] = [
    {},
    {"num_layers": 2, "dropout": 0.5},
    {"bidirectional": True, "bias": False},
    {"num_layers": 3, "bidirectional": True},
    {"batch_first": True},
]
LAYERS = [(cls, settings) for cls in GATES for settings in EVERY] + [
    (nn.LSTM, {"proj_size": 3}),
    (nn.LSTM, {"proj_size": 3, "num_layers": 2, "bidirectional": True}),
    (nn.RNN, {"nonlinearity": "relu"}),
]
TOLD = [f"{cls.__name__}{settings}" for cls, settings in LAYERS]


def by_loops(cls: Any, settings: dict[str, Any], steps: int) -> int:
    return brute.recurrent(
        steps,
        FEATURES,
        HIDDEN,
        GATES[cls],
        layers=settings.get("num_layers", 1),
        directions=2 if settings.get("bidirectional") else 1,
        projected=settings.get("proj_size", 0),
    )


class Packed(nn.Module):
    """A recurrent layer that reads sequences of 4 and of 2 steps."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, torch.tensor([4, 2]), batch_first=self.layer.batch_first)
        output, _ = self.layer(packed)
        return pad_packed_sequence(output, batch_first=self.layer.batch_first)[0]


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # torch's, when it runs
@pytest.mark.parametrize(("cls", "settings"), LAYERS, ids=TOLD)
def test_layers(cls: Any, settings: dict[str, Any]) -> None:
    model = cls(FEATURES, HIDDEN, **settings)
    first = settings.get("batch_first", False)
    x = torch.rand(N, STEPS, FEATURES) if first else torch.rand(STEPS, N, FEATURES)
    expected = by_loops(cls, settings, STEPS * N)
    counted = assert_counted(model, x, expected, by_torch=False)
    biases = [each for each in model.parameters() if each.dim() == 1]
    assert counted.bias_adds == STEPS * N * sum(each.numel() for each in biases)
    assert counted.root.output == tuple(model(x)[0].shape)
    assert count(model, torch.rand(STEPS * N, FEATURES)).multiply_adds == expected  # one, without a batch


@pytest.mark.parametrize(("cls", "settings"), LAYERS, ids=TOLD)
def test_packed_sequences(cls: Any, settings: dict[str, Any]) -> None:
    """The steps that a sequence lacks are not reckoned."""
    model = Packed(cls(FEATURES, HIDDEN, **settings))
    first = settings.get("batch_first", False)
    x = torch.rand(N, STEPS, FEATURES) if first else torch.rand(STEPS, N, FEATURES)
    counted = assert_counted(model, x, by_loops(cls, settings, 4 + 2), by_torch=False)
    assert counted.unsupported == {}


def test_packed_sequences_as_inputs() -> None:
    packed = pack_sequence([torch.rand(4, FEATURES), torch.rand(2, FEATURES)])
    for inputs in (packed, Inputs([packed]), {"input": packed}):
        assert count(nn.GRU(FEATURES, HIDDEN), inputs).multiply_adds == by_loops(nn.GRU, {}, 4 + 2)


@pytest.mark.parametrize(("cls", "gates"), [(nn.LSTMCell, 4), (nn.GRUCell, 3), (nn.RNNCell, 1)])
def test_cells(cls: Any, gates: int) -> None:
    model = cls(FEATURES, HIDDEN)
    assert_counted(model, torch.rand(3, FEATURES), brute.recurrent(3, FEATURES, HIDDEN, gates))
    assert_counted(model, torch.rand(FEATURES), brute.recurrent(1, FEATURES, HIDDEN, gates))


def test_a_cell_in_a_loop() -> None:
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.head = nn.LSTMCell(FEATURES, HIDDEN), nn.Linear(HIDDEN, 2)

        def forward(self, x: Tensor) -> Tensor:
            state = torch.zeros(x.shape[1], HIDDEN), x.new_zeros(x.shape[1], HIDDEN)
            for step in x:
                state = self.cell(step, state)
            result: Tensor = self.head(state[0])
            return result

    expected = brute.recurrent(STEPS * N, FEATURES, HIDDEN, 4) + brute.linear(N, HIDDEN, 2)
    counted = assert_counted(Reader(), torch.rand(STEPS, N, FEATURES), expected)
    assert [row.path for row in counted.rows] == ["cell.call", *(f"cell.call_{n}" for n in (2, 3, 4)), "head"]
    assert counted.rows[0].work.parameters == sum(each.numel() for each in nn.LSTMCell(6, 5).parameters())
    assert [row.work.parameters for row in counted.rows[1:4]] == [0, 0, 0]


class ByName(nn.Module):
    """torch's function for a layer, given all by name; with how many sequences at each step, packed."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.layer, self.sizes = nn.GRU(FEATURES, HIDDEN), sizes

    def forward(self, x: Tensor) -> Any:
        named: dict[str, Any] = {
            "hx": x.new_zeros(1, N, HIDDEN),
            "params": self.layer._flat_weights,
            "has_biases": True,
            "num_layers": 1,
            "dropout": 0.0,
            "train": False,
            "bidirectional": False,
        }
        if self.sizes:
            return torch.gru(data=x, batch_sizes=torch.tensor(self.sizes), **named)
        return torch.gru(input=x, batch_first=False, **named)


@pytest.mark.parametrize(("sizes", "shape"), [((), (STEPS, N, FEATURES)), ((2, 2, 1), (5, FEATURES))])
def test_a_function_given_all_by_name(sizes: tuple[int, ...], shape: tuple[int, ...]) -> None:
    model, x = ByName(*sizes).eval(), torch.rand(shape)
    model(x)
    sequences = sum(sizes) or STEPS * N
    assert count(model, x).multiply_adds == sequences * GATES[nn.GRU] * HIDDEN * (FEATURES + HIDDEN)
