"""The way back of a step of training."""

from collections.abc import Iterable
from typing import Any

import torch

from costlab.errors import DefinitionError
from costlab.tracing.holdings import tensors_within
from costlab.tracing.nested import gradient_of
from costlab.tracing.traced_operation import TracedOperation


def run_back(output: Any, operations: Iterable[TracedOperation], title: str) -> None:
    """Run backward from every tensor in what a model puts out that requires a gradient.

    Raises:
        DefinitionError: there is none, though parameters that require one were read.
    """
    outputs = [each for each in tensors_within(output) if each.requires_grad]
    if outputs:
        torch.autograd.backward(outputs, list(map(gradient_of, outputs)))
    elif any(each.requires_grad for done in operations for each in done.read):
        raise DefinitionError(
            f"{title}: a step of training goes back from what forward returns, and nothing in it has a "
            "gradient: return what the loss is of, or count it without backward"
        )
