"""Probes: layers with a batch and without, of every rank, alone and one after the other."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from tests.checking.layer_probes import KINDS, SETTINGS, Derived, Packed, recurrent
from tests.checking.probes import Attending, Crossing, Inputs

Make = Callable[[], nn.Module]
Drawn = tuple[Make, Inputs]
SIDES = (5, 6, 7)


def _x(*sizes: int) -> Tensor:
    return torch.rand(sizes) + 0.1


def _maps(rank: int) -> Mapping[str, Make]:
    """Layers that take four channels."""

    def of(name: str) -> Callable[..., nn.Module]:
        layer: Callable[..., nn.Module] = getattr(nn, f"{name}{rank}d")
        return layer

    conv, transposed = of("Conv"), of("ConvTranspose")
    return {
        "conv": lambda: conv(4, 6, 3),
        "conv_groups": lambda: conv(4, 6, 3, stride=2, padding=1, groups=2, bias=False),
        "conv_same": lambda: conv(4, 6, 3, padding="same"),
        "conv_circular": lambda: conv(4, 6, 3, padding=1, padding_mode="circular"),
        # Of other width: what is divided leaves a part over.
        "conv_twice": lambda: nn.Sequential(conv(4, 5, 1), nn.ReLU(), conv(5, 6, 2)),
        "transposed": lambda: transposed(4, 6, 3),
        "transposed_groups": lambda: transposed(4, 6, 3, stride=2, groups=2, bias=False),
        "transposed_depthwise": lambda: transposed(4, 4, 3, groups=4),
        "transposed_twice": lambda: nn.Sequential(conv(4, 5, 1), nn.ReLU(), transposed(5, 6, 2)),
        "max_pool": lambda: of("MaxPool")(2),
        "avg_pool": lambda: of("AvgPool")(2),
        "adaptive_avg_pool": lambda: of("AdaptiveAvgPool")(3),
        "adaptive_max_pool": lambda: of("AdaptiveMaxPool")(3),
        "instance_norm": lambda: of("InstanceNorm")(4, affine=True),
    }


VECTORS: Mapping[str, Make] = {
    "linear": lambda: nn.Linear(5, 3),
    "linears": lambda: nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.LayerNorm(7), nn.Linear(7, 2)),
    "layer_norm": lambda: nn.LayerNorm(5),
    "prelu": nn.PReLU,
    "gelu": nn.GELU,
    "softmax": lambda: nn.Softmax(-1),
    "lstm_cell": lambda: nn.LSTMCell(5, 6),
    "gru_cell": lambda: nn.GRUCell(5, 6),
    "rnn_cell": lambda: nn.RNNCell(5, 6),
}
SEQUENCES: Mapping[str, Make] = {
    **{
        f"{kind.__name__}{name}": partial(recurrent, kind, SETTINGS[name], 8)
        for kind in (*KINDS, Derived)
        for name in ("_steps_first", "_both_ways")
    },
    "LSTM_projected": lambda: Packed(nn.LSTM(8, 6, proj_size=3)),
    "Derived_projected": lambda: Packed(Derived(8, 6, proj_size=3)),
    "attention": lambda: Attending(8, False),
    "attention_weights": lambda: Attending(8, True, add_zero_attn=True),
    "encoder": lambda: nn.TransformerEncoderLayer(8, 2, 16),
}


def _drawn() -> Iterator[tuple[str, Drawn]]:
    for batch, suffix in (((3,), ""), ((), "_unbatched")):
        for rank in (1, 2, 3):
            for name, make in _maps(rank).items():
                yield f"{name}_{rank}d{suffix}", (make, (_x(*batch, 4, *SIDES[:rank]),))
            # As many positions as channels: what is taken for the other passes for it.
            square = partial(getattr(nn, f"Conv{rank}d"), 4, 6, 3, padding=1)
            yield f"square_{rank}d{suffix}", (square, (_x(*batch, 4, *(4, 4, 5)[:rank]),))
        for name, make in VECTORS.items():
            yield f"{name}{suffix}", (make, (_x(*batch, 5),))
        for name, make in SEQUENCES.items():
            yield f"{name}{suffix}", (make, (_x(*batch, 4, 8),))
        crossing = (lambda: Crossing(8, 8, False), (_x(*batch, 4, 8), _x(*batch, 5, 8)))
        yield f"crossing{suffix}", crossing


UNBATCHED: Mapping[str, Drawn] = dict(_drawn())
