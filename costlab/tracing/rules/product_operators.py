"""Products that are called as operators of aten, where no function of torch explains them."""

from typing import Any

from torch import Tensor

from costlab.algebra.work import Work
from costlab.tracing.operator_facts import MATRIX_PRODUCTS
from costlab.tracing.rules.products import linear
from costlab.tracing.rules.registry import OPERATORS, Rule, Seen, operators
from costlab.tracing.sparse import is_sparse, sparse_products, stored

PRODUCT_OPERATORS = MATRIX_PRODUCTS | {
    "_sparse_addmm",
    "_sparse_mm_reduce_impl",
    "_sparse_sparse_matmul",
    "hspmm",
    "sparse_sampled_addmm",
    "sspaddmm",
}
"""Products of two vectors, matrices or batches of matrices, which may be sparse."""
SUMMED: dict[str, tuple[int, int]] = {
    "_addmm_activation": (1, 0),
    "_dyn_quant_matmul_4bit": (0, -1),
    "_int_mm": (0, -1),
    "_mixed_dtypes_linear": (0, 3),
    "_scaled_mm": (0, 4),
    "_scaled_mm_v2": (0, 8),
    "_weight_int4pack_mm": (0, -1),
    "_weight_int4pack_mm_for_cpu": (0, -1),
    "_weight_int4pack_mm_with_scales_and_zeros": (0, -1),
    "_weight_int8pack_mm": (0, -1),
}
"""Products of rows by a matrix that may be packed: the places of the rows and of what is added, if any."""

OF_WEIGHTS = frozenset(
    each for each in SUMMED if "weight" in each or each in ("_dyn_quant_matmul_4bit", "_mixed_dtypes_linear")
)
"""Those whose matrix is the weight of a layer, which is held in few bits."""


def products_of(a: Tensor, b: Tensor) -> int:
    """Multiply-adds of a product of two vectors, matrices or batches of matrices."""
    if is_sparse(a) or is_sparse(b):
        return sparse_products(a, b)
    return a.numel() * (b.shape[-1] if b.dim() > 1 else 1)


def multiplied(name: str, args: Any) -> int:
    """Multiply-adds of one of `PRODUCT_OPERATORS`."""
    tensors = [each for each in args if isinstance(each, Tensor)]
    if name == "sparse_sampled_addmm":  # only where the first has elements
        return stored(tensors[0]) * tensors[1].shape[-1]
    return products_of(*tensors[-2:])


@operators(*PRODUCT_OPERATORS)
def product_operator(seen: Seen, *args: Any, **kwargs: Any) -> Work:
    """A product of matrices; a linear layer where one of them is a parameter."""
    tensors = [each for each in args if isinstance(each, Tensor)]
    outputs = seen.first.numel()
    return Work(
        "linear" if seen.weights else "matmul",
        multiply_adds=multiplied(seen.operator, args),
        bias_adds=outputs if len(tensors) > 2 and kwargs.get("beta", 1) else 0,
        weights=seen.weights,
        inputs=sum(map(stored, tensors)),
        outputs=outputs,
        activations=outputs,
    )


def _of_rows(name: str, rows: int, bias: int) -> Rule:
    def rule(seen: Seen, *args: Any, **kwargs: Any) -> Work:
        """``(n, k), (k, m) -> (n, m)``: ``n * k * m``, whatever the form of the matrix."""
        added = kwargs.get("bias") if bias < 0 or bias >= len(args) else args[bias]
        outputs, features = seen.output.numel(), args[rows].shape[-1]
        return Work(
            "scaled_mm" if name.startswith("_scaled") else "mixed_mm",
            multiply_adds=outputs * features,
            bias_adds=outputs if isinstance(added, Tensor) else 0,
            weights=features * seen.output.shape[-1] if name in OF_WEIGHTS else 0,
            inputs=sum(each.numel() for each in args if isinstance(each, Tensor)),
            outputs=outputs,
            activations=outputs,
        )

    return rule


for name, places in SUMMED.items():
    OPERATORS[name] = _of_rows(name, *places)
OPERATORS["linear"] = OPERATORS["mkldnn_linear"] = linear


@operators("_foreach_mm")
def products_one_by_one(seen: Seen, left: list[Tensor], right: list[Tensor]) -> Work:
    """Products of matrices in lists."""
    outputs = sum(each.numel() for each in seen.output)
    return Work(
        "matmul",
        multiply_adds=sum(products_of(a, b) for a, b in zip(left, right, strict=True)),
        inputs=sum(each.numel() for each in (*left, *right)),
        outputs=outputs,
        activations=outputs,
    )
