"""What helps where torch refuses to run, in a message."""

from traceback import walk_tb

import torch
from torch import Tensor

from costlab.algebra.inputs import Inputs
from costlab.algebra.shape import Sizes
from costlab.messages import message_of

LARGER = {
    "batch_norm": "",
    "group_norm": "a larger input, or ",
    "instance_norm": "a larger input",
}
"""Functions of torch that refuse one value to normalize, with what gives them more, but for the batch."""
FUNCTIONS = torch.nn.functional.__file__


def too_few_values(error: BaseException, given: Inputs) -> str:
    """Of a normalization that has one value for its statistics, what it needs; else nothing.

    The remedy is a larger batch, unless each input is normalized by itself.
    """
    if not isinstance(error, ValueError) or "Expected more than 1 " not in message_of(error):
        return ""
    for frame, _ in walk_tb(error.__traceback__):
        name, values = frame.f_code.co_name, frame.f_locals.get("input")
        if frame.f_code.co_filename != FUNCTIONS or name not in LARGER or not isinstance(values, Tensor):
            continue
        batch = "-b 2 (batch=2 in Python)" if given.batched else "sizes with a batch of 2"
        more = LARGER[name] + (batch if name != "instance_norm" else "")
        return f"{name} of {Sizes(*values.shape)} has one value to normalize, and needs more: give {more}"
    return ""
