"""The code that calls into a trace."""

import sys
from pathlib import Path
from types import FrameType

TRACING = str(Path(__file__).parent)


def caller() -> FrameType:
    """The innermost frame that is none of the trace's own."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(TRACING) and frame.f_back is not None:
        frame = frame.f_back
    return frame
