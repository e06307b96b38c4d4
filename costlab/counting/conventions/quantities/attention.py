"""What only some tools count of attention and softmax."""

from math import prod

from costlab.algebra.traced import TensorSpec
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
def masked_products(operation: ChargedOperation) -> int:
    """Multiply-adds of queries by keys, where a mask is added to their product in the same operation."""
    return int(operation.work.multiply_adds) // 2 if _masks(operation) else 0


@quantity
def unmasked_scores(operation: ChargedOperation) -> int:
    """Elements of the attention weights, where no mask is added to them."""
    return 0 if _masks(operation) else scores(operation)


@quantity
def mask(operation: ChargedOperation) -> int:
    """Elements of the mask that is added: for every head where each input has its own."""
    masks = _masks(operation)
    if not masks:
        return 0
    whole = scores(operation)
    query = operation.tensor("query")
    assert query is not None
    steps, batch = query.sizes[0], query.sizes[1] if len(query.sizes) == 3 else 1
    if "key_padding_mask" not in masks:
        rank = len(masks["attn_mask"].sizes)
        return whole if rank == 3 else whole // (batch * operation.argument("heads"))
    return whole if "attn_mask" in masks else whole // steps


def _masks(operation: ChargedOperation) -> dict[str, TensorSpec]:
    given = {name: operation.tensor(name) for name in ("attn_mask", "key_padding_mask")}
    return {name: each for name, each in given.items() if each is not None}


@quantity
def misread_attention(operation: ChargedOperation) -> int:
    """What is too much of attention where keys and values are as wide as queries, and none added."""
    query, key, value = (operation.tensor(name) for name in ("query", "key", "value"))
    if query is None or key is None or value is None or len(query.sizes) != 3:
        return 0
    (long, batch, width), (keys, _, key_width), (values, _, value_width) = query.sizes, key.sizes, value.sizes
    heads: int = operation.argument("heads")
    biased = operation.tensor("in_proj_bias") is not None
    inner = heads * long * keys * (width // heads + value_width // heads + 1)
    projected = (
        long * width**2
        + keys * key_width**2
        + values * value_width**2
        + biased * (long + keys + values) * width
    )
    seen = long * width + projected + inner + long * value_width * (value_width + 1)
    out_biased = operation.tensor("out_proj_bias") is not None
    right = _projections(query, key, value, width, biased) + long * batch * width * (width + out_biased)
    return batch * seen - right - int(operation.work.multiply_adds) - scores(operation) - sequence(operation)


def _projections(query: TensorSpec, key: TensorSpec, value: TensorSpec, width: int, biased: bool) -> int:
    """Multiply-adds of what goes into attention, and additions of a bias."""
    return sum(prod(each.sizes[:-1]) * width * (each.sizes[-1] + biased) for each in (query, key, value))


@quantity
def in_fused(operation: ChargedOperation) -> int:
    """Multiply-adds within a module that torch runs as one operation where no gradients are wanted."""
    fused = operation.call is not None and operation.call.within.is_fused
    return int(operation.work.multiply_adds) if fused else 0


@quantity
def unfused(operation: ChargedOperation) -> int:
    """Multiply-adds of attention that no fused kernel of a processor takes: products of matrices run."""
    call = operation.call
    if call is None or call.function == MULTI_HEAD:
        return 0
    given = [operation.tensor(name) for name in ("query", "key", "value")]
    tensors = [each for each in given if each is not None]
    query, *others = tensors
    mask = operation.tensor("attn_mask")
    same = 1 if operation.argument("enable_gqa", False) else 2  # heads of queries may share keys and values
    fused = (
        all(len(each.sizes) == 4 and each.elements for each in tensors)
        and all(
            each.sizes[:same] == query.sizes[:same] and each.sizes[-1] == query.sizes[-1] for each in others
        )
        and all(each.strides[-1] == 1 or each.sizes[-1] == 1 for each in tensors)
        and not operation.argument("dropout_p", 0.0)
        and (mask is None or len(mask.sizes) in (2, 4))
    )
    return 0 if fused else int(operation.work.multiply_adds)


@quantity
def sequence(operation: ChargedOperation) -> int:
    """Elements of the sequence that attention reads."""
    return operation.elements("query")


@quantity
def scalars(operation: ChargedOperation) -> int:
    """Products of two sizes within nn.MultiheadAttention, for its views and splits."""
    query, key, value = (operation.tensor(name) for name in ("query", "key", "value"))
    packed = operation.tensor("in_proj_weight") is not None
    zeros = int(bool(operation.argument("add_zero_attn"))) + int("key_padding_mask" in _masks(operation))
    # Without a batch an axis is added to each of the three apart.
    if not packed or key is not value or query is key or query is None or len(query.sizes) == 2:
        return 4 + zeros
    return 4 + zeros + 1 + int(operation.tensor("in_proj_bias") is not None)
