"""The code that calls into a trace, and whose code it is."""

import os
import sys
from pathlib import Path
from types import FrameType

import torch

COSTLAB = f"{Path(__file__).parents[1]}{os.sep}"
TORCH = f"{Path(torch.__file__).parent}{os.sep}"
TRACING = f"{Path(__file__).parent}{os.sep}"


def caller() -> FrameType:
    """The innermost frame that is none of the trace's own."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(TRACING) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def is_the_models(file: str) -> bool:
    """Whether a file of code is the model's, or of a library that it uses, and not torch's or costlab's."""
    return not file.startswith((TORCH, COSTLAB))
