"""What tools ask of recurrent layers and their cells."""

from math import prod
from typing import Any

from costlab.algebra.traced import Call, TensorSpec
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities.registry import quantity

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


@quantity
def states(operation: ChargedOperation) -> int:
    """Elements of hidden states, one for each step, layer and direction."""
    if operation.call is None:
        return 0
    settings = operation.module.settings
    if operation.kind == "lstm_projected":
        width: int = settings["hidden_size"]
        return _steps(operation) * width * _layers(settings)
    gates = GATES[operation.kind.partition("_")[0]]
    on_input = _matrices(operation.call)[::2]
    return _steps(operation) * sum(matrix.sizes[0] // gates for matrix in on_input)


@quantity
def cell_parameters(operation: ChargedOperation) -> int:
    """Parameters of a recurrent cell, once for each element that it puts out."""
    if operation.call is None:
        return 0
    return int(operation.work.outputs) * sum(tensor.elements for tensor in _weights(operation.call))


@quantity
def gates(operation: ChargedOperation) -> int:
    """Multiply-adds of an LSTM but for its projections."""
    matrices = [] if operation.call is None else _matrices(operation.call)
    inner = sum(matrix.elements for place, matrix in enumerate(matrices) if place % 3 < 2)
    return _steps(operation) * inner


@quantity
def unprojected(operation: ChargedOperation) -> int:
    """Multiply-adds of an LSTM with projections, as if it had none."""
    settings = operation.module.settings
    width: int = settings["hidden_size"]
    directions: int = _layers(settings) // settings["num_layers"]
    # The directions of the first layer read the input, those above what the layer below puts out.
    read = [n if place < directions else width * directions for place, n in enumerate(_read(operation))]
    return _steps(operation) * sum(4 * width * (n + width) for n in read)


@quantity
def narrow(operation: ChargedOperation) -> int:
    """Multiply-adds of an LSTM with projections, as if its states were as narrow as they."""
    width: int = operation.module.settings["proj_size"]
    return _steps(operation) * sum(4 * width * (n + width) for n in _read(operation))


def fused_bias(operation: ChargedOperation) -> int:
    """Additions of a bias that are part of one matrix product.

    Where a layer turns its input to have the steps first, the first product is on a view, and its bias is
    added afterwards.
    """
    added = int(operation.work.bias_adds)
    call = operation.call
    if call is None or operation.kind.endswith("_cell") or _is_packed(call):
        return added
    *_, both, batch_first = call.args
    if not batch_first or _turned(operation.tensors[0]).is_contiguous:
        return added
    biases = [tensor.elements for tensor in _weights(call) if len(tensor.sizes) == 1]
    alone = biases[::2][: 2 if both else 1]
    return added - _steps(operation) * sum(alone)


def _turned(tensor: TensorSpec) -> TensorSpec:
    (first, second, *sizes), (step, other, *strides) = tensor.sizes, tensor.strides
    return TensorSpec((second, first, *sizes), (other, step, *strides))


def _steps(operation: ChargedOperation) -> int:
    return prod(operation.input[:-1])


def _layers(settings: Any) -> int:
    """Layers, of both directions."""
    layers: int = settings["num_layers"]
    return layers * (2 if settings["bidirectional"] else 1)


def _read(operation: ChargedOperation) -> list[int]:
    """The width of what each layer and direction of an LSTM with projections reads."""
    assert operation.call is not None
    return [matrix.sizes[1] for matrix in _matrices(operation.call)[::3]]


def _weights(call: Call) -> list[TensorSpec]:
    """Weights and biases: a layer is given a list of them, a cell one by one after its states."""
    if call.function.endswith("_cell"):
        return [given for given in (*call.args[2:], *call.kwargs.values()) if isinstance(given, TensorSpec)]
    *_, weights = (given for given in call.args if isinstance(given, tuple))
    return list(weights)


def _matrices(call: Call) -> list[TensorSpec]:
    return [tensor for tensor in _weights(call) if len(tensor.sizes) == 2]


def _is_packed(call: Call) -> bool:
    """Whether the steps of a packed sequence were given: how many inputs each has."""
    second = call.args[1]
    return isinstance(second, TensorSpec) and len(second.sizes) == 1
