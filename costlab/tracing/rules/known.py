"""Which operators of torch's have no multiply-adds, and which are not operations at all."""

import re
from functools import cache

import torch
from torch._ops import OpOverload

from costlab.tracing.operator_facts import facts_of

_REDUCTIONS = """
_aminmax _ctc_loss _cummax_helper _cummin_helper _embedding_bag_forward_only _histogramdd_bin_edges
_histogramdd_from_bin_cts _histogramdd_from_bin_tensors _is_all_true _is_any_true _log_softmax
_logcumsumexp _masked_softmax _nested_tensor_softmax_with_shape _safe_softmax _softmax _sparse_csr_prod
_sparse_csr_sum _sparse_log_softmax _sparse_softmax _sparse_sum _unique _unique2 _weight_norm_interface
all amax amin aminmax any argmax argmin batch_norm_gather_stats batch_norm_gather_stats_with_counts
batch_norm_stats batch_norm_update_stats binary_cross_entropy binary_cross_entropy_with_logits bincount
bucketize count_nonzero cummax cummin cumprod cumsum dist embedding_renorm floor_divide hash_tensor histc
histogram huber_loss index_add index_reduce kthvalue linalg__powsum linalg_vector_norm logcumsumexp
logsumexp max mean median min mkldnn_adaptive_avg_pool2d mkldnn_max_pool2d mkldnn_max_pool3d mode mse_loss
multi_margin_loss multilabel_margin_loss_forward multinomial nanmean nanmedian nansum native_norm
nll_loss2d_forward nll_loss_forward nonzero nonzero_static norm polar powsum prod quantized_max_pool1d
quantized_max_pool2d quantized_max_pool3d renorm rrelu_with_noise scatter_add scatter_reduce searchsorted
segment_reduce smooth_l1_loss soft_margin_loss sort std std_mean sum topk trace unique_consecutive
unique_dim unique_dim_consecutive var var_mean xor_sum
"""
REDUCTIONS = frozenset(_REDUCTIONS.split())
"""Operators of aten that reduce or rank elements: no multiply-adds, but work."""
_MOVES = """
_assert_async _assert_scalar _assert_tensor_metadata _chunk_cat _coalesce _coalesced
_convert_indices_from_coo_to_csr _convert_indices_from_csr_to_coo _convert_weight_to_int4pack
_convert_weight_to_int4pack_for_cpu _copy_from _copy_from_and_resize _cudnn_init_dropout_state
_cudnn_rnn_flatten_weight _dyn_quant_pack_4bit_weight _efficientzerotensor _empty_affine_quantized
_empty_per_channel_affine_quantized _fill_mem_eff_dropout_mask _functional_assert_async
_functional_assert_scalar _functional_sym_constrain_range _functional_sym_constrain_range_for_size
_fused_dropout _index_put_impl _indices _jagged_to_padded_dense_forward _lazy_clone _linalg_check_errors
_local_scalar_dense _make_dep_token _make_dual_copy _make_per_channel_quantized_tensor
_make_per_tensor_quantized_tensor _make_token _mkldnn_reshape _mkldnn_transpose
_nested_compute_contiguous_strides_offsets _nested_from_padded _nested_from_padded_and_nested_example
_nested_from_padded_tensor _nested_get_jagged_dummy _nested_get_lengths _nested_get_max_seqlen
_nested_get_min_seqlen _nested_get_offsets _nested_tensor_from_mask _nested_tensor_from_tensor_list
_nested_tensor_size _nested_tensor_storage_offsets _nested_tensor_strides _nested_view_from_buffer
_nested_view_from_jagged _new_zeros_with_same_feature_meta _pack_padded_sequence _pad_packed_sequence
_padded_dense_to_jagged_forward _philox_key_fold_in _philox_key_split _philox_normal _philox_uniform
_pin_memory _reshape_copy _resize_output _sample_dirichlet _sparse_compressed_tensor_with_dims
_sparse_coo_tensor_with_dims _sparse_coo_tensor_with_dims_and_tensors _sparse_mask_projection _spdiags
_stack _standard_gamma _to_copy _to_dense _to_sparse _to_sparse_bsc _to_sparse_bsr _to_sparse_csc
_to_sparse_csr _unsafe_index _unsafe_index_put _unsafe_masked_index _unsafe_masked_index_put_accumulate
_unsafe_view arange as_strided_copy as_strided_scatter bartlett_window bernoulli binomial blackman_window
block_diag broadcast_in_dim cat cauchy channel_shuffle clone col2im collapse combinations constant_pad_nd
copy copy_sparse_to_sparse copy_strided copy_to detach device_put diag_embed diagonal_scatter dropout
empty empty_like empty_permuted empty_quantized empty_strided exponential eye fft_fftfreq fft_rfftfreq
fill flip from_file full full_like gather geometric hamming_window hann_window im2col index index_copy
index_fill index_put index_select int_repr iota kaiser_window lift lift_fresh lift_fresh_copy linspace
log_normal logspace lu_unpack masked_fill masked_scatter masked_select max_unpool2d max_unpool3d
mkldnn_reorder_conv2d_weight mkldnn_reorder_conv3d_weight nan_to_num native_dropout
native_dropout_backward new_empty new_empty_strided new_full new_ones new_zeros normal normal_functional
one_hot ones ones_like pixel_shuffle pixel_unshuffle poisson put q_per_channel_scales
q_per_channel_zero_points rand rand_like randint randint_like randn randn_like random randperm range
record_stream reflection_pad1d reflection_pad2d reflection_pad3d repeat repeat_interleave
replication_pad1d replication_pad2d replication_pad3d reshape resize resize_as resize_as_sparse rev roll
rot90 scalar_tensor scatter select_backward select_scatter set slice_backward slice_scatter
sparse_compressed_tensor sparse_coo_tensor sparse_mask sparse_resize sparse_resize_and_clear split
split_with_sizes_copy stack take tensor_split to_mkldnn to_padded_tensor transpose tril tril_indices triu
triu_indices unfold_copy uniform unsafe_chunk unsafe_split unsafe_split_with_sizes view_of where zero
zeros zeros_like
"""
MOVES = frozenset(_MOVES.split())
"""Operators of aten that make, copy or rearrange elements: they cost nothing in any convention here."""
_ELEMENTWISE = """
__ilshift __irshift __lshift __rshift _add_relu _amp_foreach_non_finite_check_and_unscale
_amp_update_scale _dirichlet_grad
_fake_quantize_learnable_per_channel_affine _fake_quantize_learnable_per_tensor_affine
_fake_quantize_per_tensor_affine_cachemask_tensor_qparams _fused_adagrad _fused_adam _fused_adamw
_fused_moving_avg_obs_fq_helper _fused_moving_avg_obs_fq_helper_functional _fused_sgd _masked_scale
_prelu_kernel _standard_gamma_grad _thnn_fused_gru_cell
_thnn_fused_lstm_cell _transform_bias_rescale_qkv batch_norm_elemt bessel_i0 bessel_i0e bessel_i1
bessel_i1e bessel_j0 bessel_j1 cbrt complex cudnn_grid_sampler dequantize erf_inv erfcx
fake_quantize_per_channel_affine_cachemask fake_quantize_per_tensor_affine_cachemask frexp glu glu_jvp
hardswish isin linalg_cross log_sigmoid_forward log_softmax ndtri quantize_per_channel quantize_per_tensor
quantize_per_tensor_dynamic quantized_batch_norm rrelu_with_noise_functional shift_left
shift_right_arithmetic softmax spherical_bessel_j0 zeta
"""
ELEMENTWISE = frozenset(_ELEMENTWISE.split())
"""Operators element by element that torch does not list as such."""
VIEWS = frozenset(
    ["as_strided_", "detach_", "squeeze_", "swapaxes_", "swapdims_", "t_", "transpose_", "unsqueeze_"]
)
"""Operators that turn a tensor itself into a view; torch does not list them as views."""


def moves(operator: str) -> bool:
    """Whether an operator of aten only moves elements, in place too."""
    return operator.rstrip("_") in MOVES or operator in VIEWS


PRODUCTS_IN_GRADIENT = re.compile(
    r"attention|cdist|pdist|linalg|conv|^(mkldnn_)?linear_|matmul|matrix|rnn|lstm_mps|sparse_mm|affine_grid"
)
"""What operators are called that compute gradients of a product of matrices, or of distances."""


def is_plain_gradient(operator: str) -> bool:
    """Whether an operator computes gradients of something other than a product of matrices."""
    return "_backward" in operator and not PRODUCTS_IN_GRADIENT.search(operator)


@cache
def has_no_products(func: OpOverload) -> bool:
    """Whether an operator of torch's moves, reduces or computes elements one by one.

    torch marks those; what it says of one holds for the same one in place, into a given tensor, on a list of
    tensors, and as a copy.
    """
    name = facts_of(func).name
    if func.namespace == "quantized_decomposed":  # a program's that is exported for other devices
        return name.startswith(("quantize_per_", "dequantize_per_", "choose_qparams_", "fake_quant_per_"))
    if func.namespace not in ("aten", "prims"):
        return False
    if func.is_view or moves(name) or torch.Tag.pointwise in func.tags or is_plain_gradient(name):
        return True
    plain = name.removeprefix("_foreach_").rstrip("_").removesuffix("_copy")
    if any(each in names for each in (name.rstrip("_"), plain) for names in (REDUCTIONS, MOVES, ELEMENTWISE)):
        return True
    packet = getattr(torch.ops.aten, plain, None)
    same = [] if packet is None else [getattr(packet, overload) for overload in packet.overloads()]
    return any(each.is_view or torch.Tag.pointwise in each.tags for each in same)


@cache
def only_asks(func: OpOverload) -> bool:
    """Whether an operator of torch's makes no tensor and changes none: it asks for sizes or a number.

    Those of the profiler mark when something begins and ends.
    """
    schema = func._schema
    return func.namespace == "profiler" or (
        func.namespace in ("aten", "prim", "prims")
        and not any("Tensor" in str(each.type) for each in schema.returns)
        and not any(each.alias_info is not None and each.alias_info.is_write for each in schema.arguments)
    )
