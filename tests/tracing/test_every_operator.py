"""Every operator of aten: counted by a rule, known to have no products, or told as not counted."""

import re
from collections.abc import Iterator

import torch
from torch._ops import OpOverload

from costlab.tracing.operator_facts import facts_of
from costlab.tracing.quantized import is_quantized
from costlab.tracing.rules.known import has_no_products, only_asks
from costlab.tracing.rules.twins import rule_of

TOLD = (
    r"(_?linalg_|_?fft_|_?cholesky|_cdist|_pdist|_euclidean_dist|_spsolve)\w*",
    r"geqrf|ormqr|svd|triangular_solve|_compute_linear_combination|affine_grid_generator\w*",
    r"cudnn_affine_grid_generator\w*",
    r"(_native_multi_head|_triton_multi_head|_triton_scaled_dot)_attention|_transformer_encoder_layer_fwd",
    r"(_flash|_efficient|_cudnn)_attention_\w+|_scaled_dot_product_attention_math_for_mps",
    r"(_cudnn|miopen)_rnn\w*|_lstm_mps|lstm_mps_\w+|mkldnn_rnn_layer\w*|quantized_(lstm|gru)",
    r"_?mps_convolution\w*|\w*conv\w*_backward(_overrideable)?|mkldnn_linear_backward\w*|linear_backward",
    r"_convolution_double_backward|matmul_backward|matrix_exp_backward",
    r"_cslt_\w+|_(to_)?sparse_semi_structured\w*|_sparse_mm_reduce_impl_backward",
    r"\w*ctc_loss|cudnn_batch_norm|miopen_batch_norm|_?batch_norm\w*|_foobar|_test_\w+|matrix_exp",
    r"fused_\w+|_fused_\w+|_mkl\w*|_thnn_\w+",
)
"""Operators of solves, transforms, distances and kernels of one kind of machine: told as not counted."""


def operators() -> Iterator[OpOverload]:
    """The operators of aten that reach a count: autograd takes the others apart before."""
    here = set(torch._C._dispatch_get_all_op_names())  # TorchScript has some of its own
    for schema in torch._C._jit_get_all_schemas():
        space, _, name = schema.name.partition("::")
        packet = getattr(torch.ops.aten, name, None) if space == "aten" else None
        overload = getattr(packet, schema.overload_name or "default", None)
        full = f"{schema.name}.{schema.overload_name}".removesuffix(".")
        if full in here and isinstance(overload, OpOverload) and not facts_of(overload).composite:
            yield overload


def uncounted() -> set[str]:
    """Those that a count would list as not counted."""
    found: set[str] = set()
    for each in operators():
        name = each._schema.name.partition("::")[2]
        known = only_asks(each) or has_no_products(each) or is_quantized(each)
        if not known and rule_of(each, name) is None:
            found.add(name)
    return found


def test_every_operator_is_counted_or_told() -> None:
    forms = [re.compile(each) for each in TOLD]
    assert {name for name in uncounted() if not any(form.fullmatch(name) for form in forms)} == set()


def test_no_operator_of_products_or_solves_is_passed_over() -> None:
    """By the words in their names: those without a rule are told."""
    products = re.compile(
        r"(\w*_)?(mm|bmm|addmm|baddbmm|mv|addmv|dot|vdot|conv\w*|linear|matmul|rnn|lstm|gru|attention|cdist|solve\w*|svd"
        r"|eig\w*|qr|cholesky\w*|lstsq|trilinear|c2c|r2c|c2r|matrix_exp)(_\w+)?"
    )
    harmless = re.compile(r"_?convert_\w+|\w*(softmax|cell|cell_backward|reorder|flatten_weight)\w*")
    passed: set[str] = set()
    for each in operators():
        name = each._schema.name.partition("::")[2]
        named = products.fullmatch(name) and not harmless.fullmatch(name) and not only_asks(each)
        if named and rule_of(each, name) is None and has_no_products(each):
            passed.add(name)
    assert passed == set()
