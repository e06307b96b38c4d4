"""What torch says of its operators, and what a run without values has to know of some."""

from functools import cache
from typing import NamedTuple

import torch
from torch._ops import OpOverload

MATRIX_PRODUCTS = frozenset(["mm", "bmm", "addmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "vdot"])
HEAVY = MATRIX_PRODUCTS | {"convolution", "linalg_inv_ex", "_linalg_svd", "_linalg_eigh", "linalg_qr"}
"""Operators that take more time than to read and write their elements."""
FROM_SIZES = frozenset(
    [
        "empty_like",
        "full_like",
        "new_empty",
        "new_empty_strided",
        "new_full",
        "new_ones",
        "new_zeros",
        "ones_like",
        "rand_like",
        "randint_like",
        "randn_like",
        "zeros_like",
    ]
)
"""Operators that read the sizes of their tensor, and not its values."""
UNINITIALIZED = frozenset(["empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"])
OVERWRITING = frozenset(["bernoulli_", "copy_", "fill_", "normal_", "random_", "uniform_", "zero_"])
"""Operators in place whose result does not depend on what was there."""
FINITE = frozenset(["isinf", "isnan", "isneginf", "isposinf"])
"""Operators that are False for finite numbers, which data is taken to consist of."""
MAKERS = frozenset(["_sparse_coo_tensor_with_dims_and_tensors", "sparse_compressed_tensor"])
"""Operators that make a sparse tensor of the places and values of its elements, the values last."""
NESTING = frozenset(
    ["_nested_tensor_from_mask", "_nested_tensor_from_tensor_list", "_nested_view_from_buffer"]
)
"""Operators that make a nested tensor of strided layout."""
READS = {"_local_scalar_dense": "a value is read, as by if, int() or .item()"}
"""What operators do that nobody knows by their name."""
DYNAMIC = (torch.Tag.dynamic_output_shape, torch.Tag.data_dependent_output)
UNTAGGED = frozenset(["bincount", "equal", "is_nonzero", "_unique", "unique_dim", "_assert_scalar"])
"""Operators that read values, though torch does not tag all of them so."""


class OperatorFacts(NamedTuple):
    """What torch says of an operator; ``written`` are the arguments it writes into, by position or name."""

    name: str
    written: tuple[int | str, ...]
    is_view: bool
    pointwise: bool
    dynamic: bool
    makes_sparse: bool
    composite: bool


@cache
def facts_of(func: OpOverload) -> OperatorFacts:
    """The facts of an operator, by its schema and tags; ``dynamic`` ones read values, as `nonzero` does."""
    name = func._schema.name.partition("::")[2]
    written = tuple(
        each.name if each.kwarg_only else place
        for place, each in enumerate(func._schema.arguments)
        if each.alias_info is not None and each.alias_info.is_write
    )
    dynamic = name in UNTAGGED or any(tag in func.tags for tag in DYNAMIC)
    full = f"{func._schema.name}.{func._overloadname}".removesuffix(".default")
    composite = torch._C._dispatch_has_kernel_for_dispatch_key(full, "CompositeImplicitAutograd")
    makes_sparse = "to_sparse" in name or name in MAKERS
    return OperatorFacts(
        name, written, func.is_view, torch.Tag.pointwise in func.tags, dynamic, makes_sparse, composite
    )
