"""Probes: recurrent layers, and classes of one's own that are derived from layers."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from tests.checking.probes import (
    ACTIVATIONS,
    CONVOLUTIONS,
    NORMALIZATION,
    POOLING,
    PRODUCTS,
    Probe,
    Size,
)


class Packed(nn.Module):
    """A recurrent layer of which only the output is wanted."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Any:
        return self.layer(x)[0]


def recurrent(kind: Callable[..., nn.Module], settings: Mapping[str, Any], width: int) -> nn.Module:
    """A recurrent layer of inputs of that width."""
    return Packed(kind(width, 6, **settings))


def _recurrent(kind: Callable[..., nn.Module], settings: Mapping[str, Any], s: Size) -> nn.Module:
    return recurrent(kind, settings, s.c)


class Derived(nn.LSTM):
    """A class of one's own that is derived from an LSTM."""


KINDS = (nn.LSTM, nn.GRU, nn.RNN)
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "": {"batch_first": True},
    "_steps_first": {},
    "_no_bias": {"batch_first": True, "bias": False},
    "_deep": {"batch_first": True, "num_layers": 2},
    "_both_ways": {"batch_first": True, "bidirectional": True, "num_layers": 2},
}
RECURRENT = {
    f"nn.{kind.__name__}{name}": Probe(partial(_recurrent, kind, settings), "rows")
    for kind in KINDS
    for name, settings in SETTINGS.items()
} | {
    "nn.LSTM_projected": Probe(lambda s: Packed(nn.LSTM(s.c, 6, proj_size=3, batch_first=True)), "rows"),
    "nn.LSTM_projected_deep": Probe(
        lambda s: Packed(nn.LSTM(s.c, 6, 2, proj_size=3, batch_first=True, bidirectional=True)), "rows"
    ),
    "nn.LSTMCell": Probe(lambda s: nn.LSTMCell(s.c, 6), "flat"),
    "nn.GRUCell": Probe(lambda s: nn.GRUCell(s.c, 6), "flat"),
    "nn.RNNCell": Probe(lambda s: nn.RNNCell(s.c, 6), "flat"),
}


def _derived(kind: type[nn.Module], *given: Any, inputs: str = "map", **settings: Any) -> dict[str, Probe]:
    """A class of one's own, derived from a layer."""
    mine = type(f"My{kind.__name__}", (kind,), {"__module__": __name__})

    def make(_: Size) -> nn.Module:
        made: nn.Module = mine(*given, **settings)
        return Packed(made) if isinstance(made, nn.RNNBase) else made

    return {f"subclass_{kind.__name__}": Probe(make, inputs)}


SUBCLASSES = {
    **_derived(nn.Linear, 4, 5, inputs="fours"),
    **_derived(nn.LSTM, 4, 5, inputs="fours"),
    "subclass_LSTM_projected": Probe(lambda _: Packed(Derived(4, 5, proj_size=3)), "fours"),
    **_derived(nn.GRU, 4, 5, inputs="fours"),
    **_derived(nn.RNN, 4, 5, inputs="fours"),
    **_derived(nn.LayerNorm, 4, inputs="fours"),
    **_derived(nn.GroupNorm, 2, 4, inputs="four"),
    **_derived(nn.BatchNorm2d, 4, inputs="four"),
    **_derived(nn.AvgPool2d, 2),
    **_derived(nn.Upsample, scale_factor=2),
    **_derived(nn.Softmax, 1),
    **{
        name: probe
        for kind in (nn.ELU, nn.GELU, nn.LeakyReLU, nn.PReLU, nn.ReLU, nn.ReLU6, nn.SiLU)
        for name, probe in _derived(kind).items()
    },
}
LAYERS = CONVOLUTIONS | PRODUCTS | NORMALIZATION | ACTIVATIONS | POOLING | RECURRENT | SUBCLASSES
