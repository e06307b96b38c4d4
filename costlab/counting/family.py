"""Families of kinds: the names under which the terms of a convention are shown."""

from functools import cache
from types import MappingProxyType

FAMILIES = MappingProxyType(
    {
        "normalization": ("norm", "local_response"),
        "pooling": ("pool",),
        "softmax": ("softmax",),
        "recurrent": ("lstm", "gru", "rnn"),
        "interpolation": ("interpolate", "upsample", "grid_sample"),
        "embedding": ("embedding",),
        "attention": ("attention",),
        "matrix products": ("linear", "matmul", "einsum", "bilinear"),
        "convolution": ("conv",),
        "activation functions": (
            "relu",
            "elu",
            "gelu",
            "silu",
            "mish",
            "sigmoid",
            "tanh",
            "hardswish",
            "softplus",
            "swiglu",
            "glu",
        ),
        "element by element": ("add", "sub", "mul", "div", "pow", "exp", "mean", "sum"),
    }
)
"""Parts of the names of kinds, by family; the first family that has one is meant."""
OTHER = "other"


@cache
def family_of(kind: str) -> str:
    """The family of a kind of operation."""
    return next((name for name, parts in FAMILIES.items() if any(part in kind for part in parts)), OTHER)
