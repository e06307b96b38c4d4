"""What only some tools count of attention and softmax."""

from math import prod

from costlab.counting.conventions.operation import MULTI_HEAD, ChargedOperation
from costlab.counting.conventions.quantities.registry import quantity


@quantity
def rows(operation: ChargedOperation) -> int:
    """Rows that a softmax goes through."""
    if operation.kind == "attention":
        return _head_rows(operation)
    axis = 1 if operation.is_definition else operation.argument("dim")
    if operation.call is not None and "dim" not in operation.call.names:
        return 0
    size = operation.input[axis] if isinstance(axis, int) and operation.input else 1
    return int(operation.work.inputs) // max(size, 1)


@quantity
def scores(operation: ChargedOperation) -> int:
    """Elements of the attention weights."""
    if operation.call is None:
        return 0
    if operation.call.function == MULTI_HEAD:
        return int(operation.work.multiply_adds) // (2 * _head_width(operation))
    key = operation.tensor("key")
    return 0 if key is None else _head_rows(operation) * key.sizes[-2]


def _head_rows(operation: ChargedOperation) -> int:
    """Rows of queries, for each head."""
    if operation.call is not None and operation.call.function == MULTI_HEAD:
        return int(operation.work.outputs) // _head_width(operation)
    query = operation.tensor("query")
    return 0 if query is None else prod(operation.output[:-2]) * query.sizes[-2]


def _head_width(operation: ChargedOperation) -> int:
    width: int = operation.argument("embed_dim") // operation.argument("heads")
    return width


@quantity
def sequence(operation: ChargedOperation) -> int:
    """Elements of the sequence that attention reads."""
    return operation.elements("query")


@quantity
def scalars(operation: ChargedOperation) -> int:
    """Products of two sizes within nn.MultiheadAttention, for its views and splits."""
    query, key, value = (operation.tensor(name) for name in ("query", "key", "value"))
    packed = operation.tensor("in_proj_weight") is not None
    zeros = int(bool(operation.argument("add_zero_attn")))
    if not packed or key is not value or query is key:
        return 4 + zeros
    return 4 + zeros + 1 + int(operation.tensor("in_proj_bias") is not None)


@quantity
def unasked_bias(operation: ChargedOperation) -> int:
    """Additions of a bias to what comes out of attention, where it has none."""
    lacks_bias = operation.part > 0 and int(operation.work.bias_adds) == 0
    return int(operation.work.outputs) if lacks_bias else 0
