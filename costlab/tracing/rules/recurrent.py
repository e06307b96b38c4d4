"""Recurrent layers and their cells."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from costlab.algebra.work import Work
from costlab.tracing.rules.registry import CALLS, SHAPED, Seen
from costlab.tracing.stand_in import stand_in

FUNCTIONS = {"lstm": torch.lstm, "gru": torch.gru, "rnn_tanh": torch.rnn_tanh, "rnn_relu": torch.rnn_relu}
CELLS = {
    "lstm": torch.lstm_cell,
    "gru": torch.gru_cell,
    "rnn_tanh": torch.rnn_tanh_cell,
    "rnn_relu": torch.rnn_relu_cell,
}


def recurrent(kind: str, seen: Seen, steps: int, weights: list[Tensor], inputs: int) -> Work:
    """Each step uses every weight once, and adds every bias."""
    matrices = sum(each.numel() for each in weights if each.dim() == 2)
    biases = sum(each.numel() for each in weights if each.dim() == 1)
    outputs = seen.first.numel()
    return Work(
        kind,
        multiply_adds=steps * matrices,
        bias_adds=steps * biases,
        weights=matrices,
        inputs=inputs,
        outputs=outputs,
        activations=outputs,
    )


def _layer(name: str) -> Callable[..., Work]:
    kind = name.partition("_")[0]

    def layer(seen: Seen, input: Tensor | None = None, *args: Any, **named: Any) -> Work:
        """``(steps, N, features) -> (steps, N, hidden)``, or a packed sequence; with the states, (h, c)."""
        weights = named.get("params") or next(each for each in reversed(args) if type(each) in (tuple, list))
        data = named["data"] if input is None else input  # so it is called of a packed sequence
        steps = data.numel() // max(data.shape[-1], 1)
        projected = kind == "lstm" and bool(getattr(seen.module, "proj_size", 0))
        return recurrent("lstm_projected" if projected else kind, seen, steps, list(weights), data.numel())

    return layer


def _cell(name: str) -> Callable[..., Work]:
    kind = name.partition("_")[0]

    def cell(seen: Seen, input: Tensor, hx: Any, *weights: Any, **named: Any) -> Work:
        held = [each for each in (*weights, *named.values()) if isinstance(each, Tensor)]
        rows = input.numel() // max(input.shape[-1], 1)
        return recurrent(f"{kind}_cell", seen, rows, held, input.numel())

    return cell


def _layer_shape(name: str) -> Callable[..., Any]:
    """The output of a layer, so that its steps need not run one by one."""

    def shape(input: Tensor, hx: Any, *args: Any) -> Any:
        if isinstance(args[0], tuple | list) and not isinstance(args[1], bool):
            return NotImplemented  # packed sequences
        if input.dim() != 3:
            return NotImplemented
        _, _, layers, _, _, both, batch_first = args
        states = hx if isinstance(hx, tuple | list) else (hx,)
        directions = 2 if both else 1
        if states[0].shape[0] != layers * directions or any(each.dim() != 3 for each in states):
            return NotImplemented
        first, second = input.shape[:2]
        if states[0].shape[1] != (first if batch_first else second):
            return NotImplemented
        width = states[0].shape[-1] * directions
        steps, inputs = (second, first) if batch_first else (first, second)
        output = stand_in((steps, inputs, width), input.dtype, input.device)
        if batch_first:  # as torch lays it out
            strides = (width, inputs * width, 1)
            output = stand_in((inputs, steps, width), input.dtype, input.device, strides)
        return (output, *(stand_in(each.shape, input.dtype, input.device) for each in states))

    return shape


for known, function in FUNCTIONS.items():
    CALLS[function] = _layer(known)
    SHAPED[function] = _layer_shape(known)
for known, function in CELLS.items():
    CALLS[function] = _cell(known)
