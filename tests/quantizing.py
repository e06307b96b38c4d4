"""What tests of quantized modules share."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

QUIET = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),  # of observers, on ranges and types that torch drops
]


@contextmanager
def any_engine() -> Iterator[None]:
    """An engine for quantized modules that this processor has."""
    before = torch.backends.quantized.engine
    known = torch.backends.quantized.supported_engines
    torch.backends.quantized.engine = next(each for each in ("x86", "fbgemm", "qnnpack") if each in known)
    yield
    torch.backends.quantized.engine = before
