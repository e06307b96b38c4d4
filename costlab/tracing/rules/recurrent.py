"""Recurrent layers and their cells."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from costlab.algebra.work import Work
from costlab.tracing.rules.registry import CALLS, SHAPED, Seen

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
FUNCTIONS = {"lstm": torch.lstm, "gru": torch.gru, "rnn_tanh": torch.rnn_tanh, "rnn_relu": torch.rnn_relu}
CELLS = {
    "lstm": torch.lstm_cell,
    "gru": torch.gru_cell,
    "rnn_tanh": torch.rnn_tanh_cell,
    "rnn_relu": torch.rnn_relu_cell,
}


def _work(kind: str, seen: Seen, steps: int, weights: list[Tensor], inputs: int) -> Work:
    """Each step uses every weight once, and adds every bias."""
    matrices = sum(each.numel() for each in weights if each.dim() == 2)
    biases = sum(each.numel() for each in weights if each.dim() == 1)
    # The hidden state of each layer and direction, by the matrices on its input.
    gates = GATES[kind]
    pairs = [each for each in weights if each.dim() == 2][::2]
    states = steps * sum(each.shape[0] // gates for each in pairs)
    output = seen.output[0] if isinstance(seen.output, tuple) else seen.output
    return Work(
        kind,
        multiply_adds=steps * matrices,
        bias_adds=steps * biases,
        weights=matrices,
        inputs=inputs,
        outputs=output.numel(),
        activations=output.numel(),
        form=seen.form,
        also={"samples": seen.samples, "states": states},
    )


def _layer(name: str) -> Callable[..., Work]:
    kind = name.partition("_")[0]

    def layer(seen: Seen, input: Tensor, *args: Any, **_: Any) -> Work:
        packed = isinstance(args[1], Tensor | tuple) and isinstance(args[0], Tensor) and args[0].dim() == 1
        weights = args[2] if packed else args[1]
        steps = input.numel() // max(input.shape[-1], 1)
        work = _work(kind, seen, steps, list(weights), input.numel())
        turned = not packed and args[-1] and not input.transpose(0, 1).is_contiguous()
        alone = [each.numel() for each in weights if each.dim() == 1][::2][: 2 if args[-2] else 1]
        fused = work.bias_adds - (steps * sum(alone) if turned else 0)
        return _projected(work._replace(also={**work.also, "fused_bias": fused}), seen, steps, list(weights))

    return layer


def _projected(work: Work, seen: Seen, steps: int, weights: list[Tensor]) -> Work:
    """An LSTM with projections has a third matrix in each layer, and wider states than are put out.

    Tools leave that matrix out, or take the states to be as wide as they are without, or the reverse.
    """
    size = getattr(seen.module, "proj_size", 0)
    if not size:
        return work
    module: Any = seen.module
    wide, layers = module.hidden_size, module.num_layers * (2 if module.bidirectional else 1)
    matrices = [each for each in weights if each.dim() == 2]
    gates = sum(each.numel() for number, each in enumerate(matrices) if number % 3 < 2)
    read = [each.shape[1] for each in matrices[::3]]
    first = (
        layers // module.num_layers
    )  # its directions read the input, those above what the layer below puts out
    as_wide = [n if number < first else wide * first for number, n in enumerate(read)]
    also = {
        "states": steps * wide * layers,
        "gates": steps * gates,
        "unprojected": steps * sum(4 * wide * (n + wide) for n in as_wide),
        "narrow": steps * sum(4 * size * (n + size) for n in read),
    }
    return work._replace(kind="lstm_projected", also={**work.also, **also})


def _cell(name: str) -> Callable[..., Work]:
    kind = name.partition("_")[0]

    def cell(seen: Seen, input: Tensor, hx: Any, *weights: Any, **named: Any) -> Work:
        held = [each for each in (*weights, *named.values()) if isinstance(each, Tensor)]
        rows = input.numel() // max(input.shape[-1], 1)
        work = _work(kind, seen, rows, held, input.numel())
        also = {
            "fused_bias": work.bias_adds,
            "cell_parameters": work.outputs * sum(each.numel() for each in held),
        }
        return work._replace(kind=f"{kind}_cell", also={**work.also, **also})

    return cell


def _layer_shape(name: str) -> Callable[..., Any]:
    """What comes out of a layer: without it, each step would run."""

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
        output = torch.empty((steps, inputs, width), dtype=input.dtype, device="meta")
        output = output.transpose(0, 1) if batch_first else output  # as torch lays it out
        return (output, *(torch.empty(each.shape, dtype=input.dtype, device="meta") for each in states))

    return shape


for known, function in FUNCTIONS.items():
    CALLS[function] = _layer(known)
    SHAPED[function] = _layer_shape(known)
for known, function in CELLS.items():
    CALLS[function] = _cell(known)
