"""Recurrent layers."""

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.registry import MICROSOFT, operators


@operators("LSTM", learned=(1, 2, 3, 7))
@operators("DynamicQuantizeLSTM", domain=MICROSOFT, learned=(1, 2, 3, 7))
@operators("GRU", "RNN", learned=(1, 2, 3))
def recurrent(call: NodeCall) -> Work:
    """``(steps, N, features) -> (steps, directions, N, hidden)``: a step uses every weight, adds every bias.

    Where the lengths of sequences are known, only their steps count. What an LSTM's gates see of its state,
    by a weight for each element, is no product.
    """
    data, matrices, again = call.input(0), call.input(1), call.input(2)
    rows, lengths = data.elements // max(data.shape[-1], 1), call.optional(4)
    if lengths is not None and lengths.values is not None:
        rows = int(lengths.values.sum())
    quantized = call.operator == "DynamicQuantizeLSTM"  # its matrices are transposed
    directions, hidden = again.shape[0], again.shape[1 if quantized else 2]
    weights = matrices.elements + again.elements
    return Work(
        "lstm" if quantized else call.operator.lower(),
        multiply_adds=rows * weights,
        bias_adds=rows * call.input(3).elements if call.has(3) else 0,
        weights=weights,
        inputs=data.elements,
        outputs=rows * directions * hidden,
        activations=rows * directions * hidden,
    )
