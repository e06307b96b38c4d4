"""The zoo: every architecture, those that are tried at every change, and where the flop counter is blind."""

from math import prod
from typing import NamedTuple

from tests.zoo.audio import AUDIO
from tests.zoo.decoders import DECODERS
from tests.zoo.detection import DETECTION
from tests.zoo.encoder_decoders import ENCODER_DECODERS
from tests.zoo.multimodal import MULTIMODAL
from tests.zoo.text import TEXT
from tests.zoo.vision import VISION

ZOO = {**TEXT, **DECODERS, **ENCODER_DECODERS, **VISION, **DETECTION, **AUDIO, **MULTIMODAL}

SAMPLE = {
    "encodec": "paddings in integer buffers, an LSTM",
    "led": "an attention mask made on the way decides how it attends, in an encoder with a decoder",
    "llama": "no cache: whether sequences are packed is read off the positions",
    "longformer": "windows that overlap, and a mask that decides whether any token is global",
    "mamba": "a scan without attention",
    "megatron_bert": "a mask of floats made on the way",
    "mistral": "a cache that is handed in, and written into",
    "mixtral": "experts, their tokens grouped",
    "oneformer": "sizes of feature maps as tensors, deformable attention",
    "rt_detr_v2": "anchors and sizes as tensors, boxes",
    "swinv2": "windows that are shifted, a table of relative positions",
    "whisper": "convolutions over time, a decoder that looks at an encoder",
}
"""The architectures that are tried at every change, and what is special about each."""


class Blind(NamedTuple):
    """FLOPs that FlopCounterMode does not see, and why."""

    flops: int
    reason: str


def _experts(layers: int, inner: int) -> Blind:
    """Twenty tokens, each of them through two experts of three matrices."""
    reason = "it has no formula for aten::_grouped_mm, which multiplies each expert's matrix with its tokens"
    return Blind(2 * prod((layers, 20, 2, 3, 32, inner)), reason)


BLIND = {
    "bridgetower": Blind(
        2 * prod((2, 2, 2, 17, 17, 64)),
        "nn.MultiheadAttention runs its two products, queries with keys and weights with values, in one "
        "operator, for which it has no formula on a CPU: two layers, two images, 17 positions, width 64",
    ),
    "d_fine": Blind(
        2 * prod((2, 2, 5, 4, 33)),
        "a product with a vector, aten::mv, has no formula: two layers, two images, five boxes, the "
        "distances of four sides, each a mean over 33 bins",
    ),
    "deepseek_v3": _experts(1, 16),
    "encodec": Blind(
        2 * prod((2, 2, 50, 4, 16, 16 + 16)),
        "an LSTM is one operator on a CPU, for which it has no formula: encoder and decoder, two inputs, 50 "
        "steps, four gates, width 16, from the input and from the state",
    ),
    "mixtral": _experts(2, 40),
    "qwen3_next": _experts(2, 16),
}
"""Where costlab counts what FlopCounterMode does not."""

UNCOUNTED = {
    "fnet": {"_fft_c2c": "a Fourier transform"},
    "mimi": {"_euclidean_dist": "distances from each vector to each of a codebook"},
    "qwen3_next": {"linalg_solve_triangular": "a system of equations"},
}
"""Operators for which neither has a rule; costlab lists them."""
