"""Graphs of one layer, or product of matrices, or normalization."""

from collections.abc import Mapping

from tests.checking.graph_probes import FAILS, FLAT, GraphProbe, X

LAYERS: Mapping[str, GraphProbe] = {
    "conv": GraphProbe(
        "Conv",
        (X,),
        ((6, 4, 3, 3), (6,)),
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
        8880,
        8640,
    ),
    "conv_in_groups": GraphProbe(
        "Conv", (X,), ((8, 2, 3, 3),), {"group": 2, "kernel_shape": [3, 3]}, 12096, 12096
    ),
    "conv_without_kernel_shape": GraphProbe("Conv", (X,), ((6, 4, 3, 3),), {}, 18144, FAILS),
    "conv_of_two_inputs": GraphProbe("Conv", (X, (6, 4, 3, 3)), (), {"kernel_shape": [3, 3]}, 18144, 18144),
    "conv1d": GraphProbe(
        "Conv", ((2, 4, 9),), ((6, 4, 3),), {"kernel_shape": [3], "pads": [1, 1]}, 1296, 1296
    ),
    "conv3d": GraphProbe(
        "Conv",
        ((1, 4, 5, 6, 7),),
        ((6, 4, 3, 3, 3), (6,)),
        {"kernel_shape": [3, 3, 3], "pads": [0, 0, 0, 0, 0, 0], "strides": [1, 1, 1]},
        39240,
        38880,
    ),
    "conv_transpose": GraphProbe(
        "ConvTranspose",
        (X,),
        ((4, 6, 3, 3), (6,)),
        {"kernel_shape": [3, 3], "strides": [2, 2]},
        213180,
        139536,
    ),
    "conv_transpose_in_groups": GraphProbe(
        "ConvTranspose",
        (X,),
        ((4, 3, 3, 3),),
        {
            "group": 2,
            "kernel_shape": [3, 3],
            "strides": [2, 2],
            "pads": [1, 1, 1, 1],
            "output_padding": [1, 1],
        },
        93312,
        62208,
    ),
    "conv_transpose3d_without_strides": GraphProbe(
        "ConvTranspose", ((1, 4, 3, 3, 3),), ((4, 6, 2, 2, 2),), {"kernel_shape": [2, 2, 2]}, FAILS, 12288
    ),
    "gemm": GraphProbe("Gemm", ((3, 5),), ((5, 7), (7,)), {}, 126, 105),
    "gemm_transposed": GraphProbe("Gemm", ((5, 3),), ((7, 5),), {"transA": 1, "transB": 1}, 105, 105),
    "matmul": GraphProbe("MatMul", (FLAT,), ((4, 5),), {}, 120, 120),
    "matmul_broadcast": GraphProbe("MatMul", ((2, 1, 3, 4), (1, 5, 4, 5)), (), {}, 300, 120),
    "matmul_matrix_by_batch": GraphProbe("MatMul", ((3, 4), (2, 4, 5)), (), {}, 120, 60),
    "matmul_vector": GraphProbe("MatMul", ((3, 4), (4,)), (), {}, FAILS, 36),
    "matmul_vectors": GraphProbe("MatMul", ((4,), (4,)), (), {}, FAILS, FAILS),
    "einsum": GraphProbe("Einsum", (FLAT, (2, 4, 5)), (), {"equation": "bij, bjk -> bik"}, 120, 30),
    "einsum_outer": GraphProbe("Einsum", ((3,), (4,)), (), {"equation": "i,j->ij"}, 12, 12),
    "einsum_of_one": GraphProbe("Einsum", ((3, 4),), (), {"equation": "ij->ji"}, FAILS, 12),
    "einsum_with_ellipsis": GraphProbe(
        "Einsum", (FLAT, (2, 4, 5)), (), {"equation": "...ij,...jk->...ik"}, FAILS, 30
    ),
    "lstm": GraphProbe(
        "LSTM",
        ((4, 2, 5),),
        ((1, 28, 5), (1, 28, 7), (1, 56)),
        {"hidden_size": 7},
        13216,
        56,
        outputs=("y", "h"),
    ),
    "lstm_both_ways": GraphProbe(
        "LSTM",
        ((4, 2, 5),),
        ((2, 28, 5), (2, 28, 7), (2, 56)),
        {"hidden_size": 7, "direction": "bidirectional"},
        16352,
        112,
        outputs=("y", "h"),
    ),
    "lstm_without_biases": GraphProbe(
        "LSTM", ((4, 2, 5),), ((1, 28, 5), (1, 28, 7)), {"hidden_size": 7}, FAILS, 56, outputs=("y", "h")
    ),
    "lstm_last_state": GraphProbe(
        "LSTM",
        ((4, 2, 5),),
        ((1, 28, 5), (1, 28, 7), (1, 56)),
        {"hidden_size": 7},
        13216,
        FAILS,
        outputs=("", "h"),
    ),
    "gru": GraphProbe(
        "GRU",
        ((4, 2, 5),),
        ((1, 21, 5), (1, 21, 7), (1, 42)),
        {"hidden_size": 7},
        8512,
        56,
        outputs=("y", "h"),
    ),
    "gru_both_ways": GraphProbe(
        "GRU",
        ((4, 2, 5),),
        ((2, 21, 5), (2, 21, 7), (2, 42)),
        {"hidden_size": 7, "direction": "bidirectional"},
        10864,
        112,
        outputs=("y", "h"),
    ),
    "gru_without_biases": GraphProbe(
        "GRU", ((4, 2, 5),), ((1, 21, 5), (1, 21, 7)), {"hidden_size": 7}, FAILS, 56, outputs=("y", "h")
    ),
    "rnn": GraphProbe(
        "RNN",
        ((4, 2, 5),),
        ((1, 7, 5), (1, 7, 7), (1, 14)),
        {"hidden_size": 7},
        FAILS,
        56,
        outputs=("y", "h"),
    ),
    "batch_norm": GraphProbe("BatchNormalization", (X,), ((4,), (4,), (4,), (4,)), {}, 17856, 1152),
    "instance_norm": GraphProbe("InstanceNormalization", (X,), ((4,), (4,)), {}, 4032, 576),
    "layer_norm": GraphProbe("LayerNormalization", (FLAT,), ((4,), (4,)), {"axis": -1}, 342, 24),
    "layer_norm_of_two_axes": GraphProbe(
        "LayerNormalization", (FLAT,), ((3, 4), (3, 4)), {"axis": 1}, 400, 24
    ),
    "lp_norm": GraphProbe("LpNormalization", (FLAT,), (), {}, 792, 24),
    "group_norm": GraphProbe("GroupNormalization", (X,), ((4,), (4,)), {"num_groups": 2}, FAILS, 1, opset=21),
    "lrn": GraphProbe("LRN", (X,), (), {"size": 3}, 23040, 576),
}
"""The probes, by name."""
