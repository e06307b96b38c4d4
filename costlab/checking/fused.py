"""Whether torch runs layers of attention as one operation, of which a counter sees nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def fused_attention(on: bool) -> Iterator[None]:
    """Let torch run them as one operation where it can, or never; afterwards as before."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(on)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
