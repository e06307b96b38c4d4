"""What only some tools count of recurrent layers and their cells."""

from math import prod

from costlab.algebra.recurrent import GATES
from costlab.algebra.traced import Call, TensorSpec
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities.registry import QUANTITIES, Quantity, quantity, quantity_of


@quantity
def states(operation: ChargedOperation) -> int:
    """Elements of hidden states, one for each step, layer and direction."""
    if operation.call is None:
        return 0
    gates = GATES[operation.kind.partition("_")[0]]
    on_input = _matrices(operation.call)[:: 3 if operation.kind == "lstm_projected" else 2]
    return _steps(operation) * sum(matrix.sizes[0] // gates for matrix in on_input)


@quantity
def gate_outputs(operation: ChargedOperation) -> int:
    """Elements that come out of the two linear layers of a cell."""
    if operation.call is None:
        return 0
    return _steps(operation) * sum(matrix.sizes[0] for matrix in _matrices(operation.call))


@quantity
def gates(operation: ChargedOperation) -> int:
    """Multiply-adds of an LSTM but for its projections."""
    matrices = [] if operation.call is None else _matrices(operation.call)
    inner = sum(matrix.elements for place, matrix in enumerate(matrices) if place % 3 < 2)
    return _steps(operation) * inner


@quantity
def unprojected(operation: ChargedOperation) -> int:
    """Multiply-adds of an LSTM with projections, as if it had none."""
    if operation.call is None:
        return 0
    on_input = _matrices(operation.call)[::3]
    width = on_input[0].sizes[0] // 4
    directions = 2 if _is_bidirectional(operation.call) else 1
    # The directions of the first layer read the input, those above read the output of the layer below.
    above = width * directions
    read = [each.sizes[1] if place < directions else above for place, each in enumerate(on_input)]
    return _steps(operation) * sum(4 * width * (n + width) for n in read)


@quantity
def narrow(operation: ChargedOperation) -> int:
    """Multiply-adds of an LSTM with projections, as if its states were as narrow as they."""
    if operation.call is None:
        return 0
    matrices = _matrices(operation.call)
    width = matrices[1].sizes[1]
    return _steps(operation) * sum(4 * width * (each.sizes[1] + width) for each in matrices[::3])


def _more(name: str) -> Quantity:
    def more(operation: ChargedOperation) -> int:
        """What is too much of a quantity where the first two axes are taken for steps and batch.

        They are not where there is no batch; packed sequences are taken to be as long as the longest.
        """
        steps = _steps(operation)
        if operation.call is None or not steps:
            return 0
        return int(quantity_of(operation, name)) // steps * (_axes(operation.call, steps) - steps)

    return more


for each in ("multiply_adds", "bias_adds", "states", "gates", "unprojected"):
    QUANTITIES[f"misread_{each}"] = _more(each)


def _axes(call: Call, steps: int) -> int:
    """The sizes of the first two axes of what the module was given, multiplied; of the only one of a cell."""
    given = call.within.input
    if call.function.endswith("_cell"):
        return given[0] if given else steps
    if _is_packed(call):
        states = call.args[2][0] if isinstance(call.args[2], tuple) else call.args[2]
        return int(call.args[1].sizes[0] * states.sizes[1])
    return given[0] * given[1] if len(given) > 1 else steps


def fused_bias(operation: ChargedOperation) -> int:
    """Additions of a bias that are part of one matrix product.

    Where a layer turns its input to have the steps first, the first product is on a view, and its bias is
    added afterwards.
    """
    added = int(operation.work.bias_adds)
    call = operation.call
    if call is None or operation.kind.endswith("_cell") or _is_packed(call):
        return added
    batch_first = call.args[-1]
    if not batch_first or _turned(operation.tensors[0]).is_contiguous:
        return added
    biases = [tensor.elements for tensor in _weights(call) if len(tensor.sizes) == 1]
    alone = biases[::2][: 2 if _is_bidirectional(call) else 1]
    return added - _steps(operation) * sum(alone)


def _turned(tensor: TensorSpec) -> TensorSpec:
    (first, second, *sizes), (step, other, *strides) = tensor.sizes, tensor.strides
    return TensorSpec((second, first, *sizes), (other, step, *strides))


def _steps(operation: ChargedOperation) -> int:
    return prod(operation.input[:-1])


def _weights(call: Call) -> list[TensorSpec]:
    """Weights and biases: a layer is given a list of them, a cell one by one after its states."""
    if call.function.endswith("_cell"):
        return [given for given in (*call.args[2:], *call.kwargs.values()) if isinstance(given, TensorSpec)]
    *_, weights = (given for given in call.args if isinstance(given, tuple))
    return list(weights)


def _matrices(call: Call) -> list[TensorSpec]:
    return [tensor for tensor in _weights(call) if len(tensor.sizes) == 2]


def _is_bidirectional(call: Call) -> bool:
    """Whether a layer has two directions: its last argument but whether the batch comes first."""
    return bool(call.args[-1 if _is_packed(call) else -2])


def _is_packed(call: Call) -> bool:
    """Whether the steps of a packed sequence were given: how many inputs each has."""
    second = call.args[1]
    return isinstance(second, TensorSpec) and len(second.sizes) == 1
