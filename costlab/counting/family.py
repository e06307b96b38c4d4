"""Families of kinds: the names under which the terms of a convention are shown."""

import re
from functools import cache
from types import MappingProxyType

FAMILIES = MappingProxyType(
    {
        "normalization": r"\w*norm(\d?d)?",
        "pooling": r"\w*pool\dd(_with_indices)?",
        "softmax": r"(log_)?soft(max|min)(2d)?",
        "recurrent": r"(lstm|gru|rnn)\w*",
        "interpolation": r"(interpolate|grid_sample|upsample)\w*",
        "embedding": r"embedding\w*",
        "attention": r"attention",
        "matrix products": r"linear|bilinear|einsum|matmul|matvec|mm|bmm|addmm|baddbmm|addbmm|mv|addmv|dot"
        r"|inner|tensordot|chain_matmul|multi_dot|grouped_mm|linear_cross_entropy",
        "convolution": r"conv\w*",
        "activation functions": r"\w*(relu|elu|glu)6?|silu|mish|hardswish|hardsigmoid|hardtanh|sigmoid|tanh"
        r"|softplus|softsign|logsigmoid|tanhshrink",
        "element by element": r"add|sub|mul|div|pow|exp|mean|sum|sqrt|rsqrt|neg|abs",
    }
)
"""What the kinds of a family look like, whole; gradients go with what they are of."""
OTHER = "other"


@cache
def family_of(kind: str) -> str:
    """The family of a kind of operation."""
    plain = kind.removesuffix("_backward")
    return next((name for name, form in FAMILIES.items() if re.fullmatch(form, plain)), OTHER)
