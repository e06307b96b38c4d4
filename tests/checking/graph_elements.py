"""Graphs of one operator without multiply-adds, and of one that is quantized."""

from collections.abc import Mapping

import numpy as np
from onnx import TensorProto

from tests.checking.graph_probes import FAILS, FLAT, GraphProbe, X

ELEMENTS: Mapping[str, GraphProbe] = {
    "max_pool": GraphProbe(
        "MaxPool", (X,), (), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}, 1440, 160
    ),
    "max_pool1d": GraphProbe("MaxPool", ((1, 3, 8),), (), {"kernel_shape": [2], "strides": [2]}, 24, 12),
    "max_pool3d": GraphProbe(
        "MaxPool",
        ((1, 3, 4, 4, 4),),
        (),
        {"kernel_shape": [2, 2, 2], "strides": [2, 2, 2], "pads": [0, 0, 0, 0, 0, 0]},
        48,
        24,
    ),
    "max_pool3d_without_strides": GraphProbe(
        "MaxPool", ((1, 3, 4, 4, 4),), (), {"kernel_shape": [2, 2, 2]}, FAILS, 81
    ),
    "average_pool": GraphProbe("AveragePool", (X,), (), {"kernel_shape": [3, 3], "strides": [2, 2]}, 864, 96),
    "average_pool3d": GraphProbe(
        "AveragePool",
        ((1, 3, 4, 4, 4),),
        (),
        {"kernel_shape": [2, 2, 2], "strides": [2, 2, 2], "pads": [0, 0, 0, 0, 0, 0]},
        48,
        24,
    ),
    "global_average_pool": GraphProbe("GlobalAveragePool", (X,), (), {}, 608, 8),
    "global_max_pool": GraphProbe("GlobalMaxPool", (X,), (), {}, FAILS, 8),
    "resize_nearest": GraphProbe(
        "Resize", (X,), (None, np.array([1.0, 1.0, 2.0, 2.0], np.float32)), {"mode": "nearest"}, 0, 0
    ),
    "resize_linear": GraphProbe(
        "Resize", (X,), (None, np.array([1.0, 1.0, 2.0, 2.0], np.float32)), {"mode": "linear"}, 9216, 25344
    ),
    "resize_cubic": GraphProbe(
        "Resize", (X,), (None, np.array([1.0, 1.0, 2.0, 2.0], np.float32)), {"mode": "cubic"}, 18432, FAILS
    ),
    "resize_without_mode": GraphProbe(
        "Resize", (X,), (None, np.array([1.0, 1.0, 2.0, 2.0], np.float32)), {}, FAILS, 0
    ),
    "upsample_linear": GraphProbe(
        "Upsample",
        (X,),
        (np.array([1.0, 1.0, 2.0, 2.0], np.float32),),
        {"mode": "linear"},
        9216,
        25344,
        opset=9,
    ),
    "upsample_without_mode": GraphProbe(
        "Upsample", (X,), (np.array([1.0, 1.0, 2.0, 2.0], np.float32),), {}, FAILS, 0, opset=9
    ),
    "upsample_nearest": GraphProbe(
        "Upsample", (X,), (np.array([1.0, 1.0, 2.0, 2.0], np.float32),), {"mode": "nearest"}, 0, 0, opset=9
    ),
    "relu": GraphProbe("Relu", (FLAT,), (), {}, 24, 24),
    "leakyrelu": GraphProbe("LeakyRelu", (FLAT,), (), {}, 48, 24),
    "elu": GraphProbe("Elu", (FLAT,), (), {}, 840, 24),
    "hardsigmoid": GraphProbe("HardSigmoid", (FLAT,), (), {}, 96, 24),
    "hardswish": GraphProbe("HardSwish", (FLAT,), (), {}, 120, 24),
    "sigmoid": GraphProbe("Sigmoid", (FLAT,), (), {}, 768, 24),
    "tanh": GraphProbe("Tanh", (FLAT,), (), {}, 1824, 24),
    "softplus": GraphProbe("Softplus", (FLAT,), (), {}, 1824, 24),
    "softmax": GraphProbe("Softmax", (FLAT,), (), {}, 864, 24),
    "logsoftmax": GraphProbe("LogSoftmax", (FLAT,), (), {}, 1920, 24),
    "hardmax": GraphProbe("Hardmax", (FLAT,), (), {}, 24, 24),
    "gelu": GraphProbe("Gelu", (FLAT,), (), {}, 816, 24),
    "selu": GraphProbe("Selu", (FLAT,), (), {}, FAILS, 24),
    "erf": GraphProbe("Erf", (FLAT,), (), {}, 0, 24),
    "exp": GraphProbe("Exp", (FLAT,), (), {}, 768, 24),
    "log": GraphProbe("Log", (FLAT,), (), {}, 1032, 24),
    "sqrt": GraphProbe("Sqrt", (FLAT,), (), {}, 576, 24),
    "sin": GraphProbe("Sin", (FLAT,), (), {}, 936, 24),
    "cos": GraphProbe("Cos", (FLAT,), (), {}, 936, 24),
    "atan": GraphProbe("Atan", (FLAT,), (), {}, 1536, 24),
    "abs": GraphProbe("Abs", (FLAT,), (), {}, 24, 24),
    "ceil": GraphProbe("Ceil", (FLAT,), (), {}, 24, 24),
    "floor": GraphProbe("Floor", (FLAT,), (), {}, 24, 24),
    "round": GraphProbe("Round", (FLAT,), (), {}, 24, 24),
    "sign": GraphProbe("Sign", (FLAT,), (), {}, 24, 0),
    "neg": GraphProbe("Neg", (FLAT,), (), {}, 24, 24),
    "reciprocal": GraphProbe("Reciprocal", (FLAT,), (), {}, 96, 24),
    "identity": GraphProbe("Identity", (FLAT,), (), {}, 0, 24),
    "flatten": GraphProbe("Flatten", (FLAT,), (), {}, 0, 24),
    "shape": GraphProbe("Shape", (FLAT,), (), {}, 0, 0),
    "acos": GraphProbe("Acos", (FLAT,), (), {}, FAILS, 24),
    "prelu": GraphProbe("PRelu", (FLAT,), ((4,),), {}, 48, 24),
    "clip": GraphProbe("Clip", (FLAT,), (np.float32(0.0), np.float32(6.0)), {}, 48, 24),
    "not": GraphProbe("Not", (FLAT,), (), {}, 24, FAILS, kind=TensorProto.BOOL),
    "and": GraphProbe("And", (FLAT, FLAT), (), {}, 24, FAILS, kind=TensorProto.BOOL),
    "or": GraphProbe("Or", (FLAT, FLAT), (), {}, 24, FAILS, kind=TensorProto.BOOL),
    "xor": GraphProbe("Xor", (FLAT, FLAT), (), {}, 24, FAILS, kind=TensorProto.BOOL),
    "add": GraphProbe("Add", (FLAT, FLAT), (), {}, 24, 24),
    "sub": GraphProbe("Sub", (FLAT, FLAT), (), {}, 24, 24),
    "mul": GraphProbe("Mul", (FLAT, FLAT), (), {}, 24, 24),
    "div": GraphProbe("Div", (FLAT, FLAT), (), {}, 96, 24),
    "pow": GraphProbe("Pow", (FLAT, FLAT), (), {}, 768, 24),
    "max": GraphProbe("Max", (FLAT, FLAT), (), {}, 24, 24),
    "min": GraphProbe("Min", (FLAT, FLAT), (), {}, 24, 24),
    "sum": GraphProbe("Sum", (FLAT, FLAT), (), {}, 24, 24),
    "equal": GraphProbe("Equal", (FLAT, FLAT), (), {}, 24, 24),
    "less": GraphProbe("Less", (FLAT, FLAT), (), {}, 24, 24),
    "lessorequal": GraphProbe("LessOrEqual", (FLAT, FLAT), (), {}, 24, 24),
    "greater": GraphProbe("Greater", (FLAT, FLAT), (), {}, 24, 24),
    "greaterorequal": GraphProbe("GreaterOrEqual", (FLAT, FLAT), (), {}, 24, 24),
    "mod": GraphProbe("Mod", (FLAT, FLAT), (), {"fmod": 1}, 24, 24),
    "sum_of_three": GraphProbe("Sum", (FLAT, FLAT, FLAT), (), {}, 48, 24),
    "add_broadcast": GraphProbe("Add", ((3, 1), FLAT), (), {}, 24, 3),
    "pow_broadcast": GraphProbe("Pow", ((3, 1), (1, 4)), (), {}, 128, 12),
    "add_of_scalars": GraphProbe("Add", ((), ()), (), {}, 0, 1),
    "cumsum": GraphProbe("CumSum", (FLAT,), (np.int64(1),), {}, 24, 24),
    "nonzero": GraphProbe("NonZero", (FLAT,), (), {}, 72, 0),
    "reducemean": GraphProbe("ReduceMean", (FLAT,), (), {"axes": [1]}, 24, 8, opset=11),
    "reducesum": GraphProbe("ReduceSum", (FLAT,), (), {"axes": [1]}, 24, 8, opset=11),
    "reducemax": GraphProbe("ReduceMax", (FLAT,), (), {"axes": [1]}, 24, 8, opset=11),
    "reducemin": GraphProbe("ReduceMin", (FLAT,), (), {"axes": [1]}, 24, 8, opset=11),
    "reduceprod": GraphProbe("ReduceProd", (FLAT,), (), {"axes": [1]}, 24, 8, opset=11),
    "reduce_l2": GraphProbe("ReduceL2", (FLAT,), (), {"axes": [1]}, 600, 8, opset=11),
    "dequantize": GraphProbe(
        "DequantizeLinear", (FLAT,), (np.float32(0.1), np.int8(0)), {}, 48, FAILS, kind=TensorProto.INT8
    ),
    "quantize": GraphProbe("QuantizeLinear", (FLAT,), (np.float32(0.1), np.int8(0)), {}, 48, 24),
    "quantize_without_zero_point": GraphProbe("QuantizeLinear", (FLAT,), (np.float32(0.1),), {}, FAILS, 24),
    "matmul_integer": GraphProbe(
        "MatMulInteger", ((3, 4),), (np.zeros((4, 5), np.uint8),), {}, 60, FAILS, kind=TensorProto.UINT8
    ),
    "matmul_integer_with_zero_point": GraphProbe(
        "MatMulInteger",
        ((3, 4),),
        (np.zeros((4, 5), np.uint8), np.uint8(1)),
        {},
        75,
        FAILS,
        kind=TensorProto.UINT8,
    ),
    "qlinear_matmul": GraphProbe(
        "QLinearMatMul",
        ((3, 4),),
        (
            np.float32(0.1),
            np.uint8(0),
            np.zeros((4, 5), np.uint8),
            np.float32(0.1),
            np.uint8(0),
            np.float32(0.1),
            np.uint8(0),
        ),
        {},
        60,
        FAILS,
        kind=TensorProto.UINT8,
    ),
    "qlinear_conv": GraphProbe(
        "QLinearConv",
        (X,),
        (
            np.float32(0.1),
            np.uint8(0),
            np.zeros((6, 4, 3, 3), np.uint8),
            np.float32(0.1),
            np.uint8(0),
            np.float32(0.1),
            np.uint8(0),
            np.zeros((6,), np.int32),
        ),
        {"kernel_shape": [3, 3]},
        18648,
        FAILS,
        kind=TensorProto.UINT8,
    ),
    "conv_integer": GraphProbe(
        "ConvInteger",
        (X,),
        (np.zeros((6, 4, 3, 3), np.uint8),),
        {"kernel_shape": [3, 3]},
        18144,
        FAILS,
        kind=TensorProto.UINT8,
    ),
    "reshape": GraphProbe("Reshape", (FLAT,), (np.array([6, 4]),), {}, 0, 0),
    "transpose": GraphProbe("Transpose", (FLAT,), (), {}, 0, 0),
    "concat": GraphProbe("Concat", (FLAT, FLAT), (), {"axis": 1}, 0, 48),
    "gather": GraphProbe("Gather", (FLAT,), (np.array([0, 1]),), {"axis": 1}, 0, 0),
    "slice": GraphProbe("Slice", (FLAT,), (np.array([0]), np.array([1]), np.array([1])), {}, 0, 0),
    "slice_without_axes": GraphProbe("Slice", (FLAT,), (np.array([0]), np.array([1])), {}, FAILS, 0),
    "tile": GraphProbe("Tile", (FLAT,), (np.array([1, 2, 1]),), {}, 0, 0),
    "squeeze": GraphProbe("Squeeze", ((1, 3),), (np.array([0]),), {}, 0, 0),
    "unsqueeze": GraphProbe("Unsqueeze", (FLAT,), (np.array([0]),), {}, 0, 0),
    "cast": GraphProbe("Cast", (FLAT,), (), {"to": 7}, 0, 0),
    "scatter_nd": GraphProbe("ScatterND", (FLAT,), (np.array([[0]]), (1, 3, 4)), {}, 0, 0),
    "split": GraphProbe("Split", (FLAT,), (), {"axis": 0, "num_outputs": 2}, 0, 0, outputs=("y", "z")),
    "split_without_axis": GraphProbe("Split", (FLAT,), (), {"num_outputs": 2}, FAILS, 0, outputs=("y", "z")),
    "pad": GraphProbe("Pad", (FLAT,), (np.array([0, 0, 1, 0, 0, 1]),), {}, 0, 36),
    "pad_of_axes": GraphProbe("Pad", (FLAT,), (np.array([1, 1]), None, np.array([2])), {}, FAILS, 36),
    "expand": GraphProbe("Expand", ((3, 1),), (np.array([2, 3, 4]),), {}, 0, 24),
    "where": GraphProbe("Where", ((3,),), ((3,), (3,)), {}, 0, FAILS, kind=TensorProto.BOOL),
    "dropout": GraphProbe("Dropout", (FLAT,), (), {}, 0, 24),
    "constant": GraphProbe("Constant", (), (), {"value_floats": [1.0, 2.0]}, FAILS, 0),
}
"""The probes, by name."""
