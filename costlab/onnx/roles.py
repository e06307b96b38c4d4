"""What the tensors of a file are held for, by the nodes that read them, their names and their types."""

import re

from onnx import GraphProto, TensorProto

from costlab.algebra.operands import Role
from costlab.onnx.tensor import WHOLE

NAMES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("zero_points", re.compile(r".*zero_?point.*")),
    ("scales", re.compile(r".*scales?(_\d+)?")),
    ("masks", re.compile(r".*mask(_\d+)?")),
    ("biases", re.compile(r".*bias(_\w+)?")),
    ("buffers", re.compile(r".*running_(mean|var)")),
)
"""What tensors of a file are held for, by the ends of their names."""
QUANTIZED: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), ((1,), (2,))),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul"), ((1, 4, 6), (2, 5, 7))),
    **dict.fromkeys(("ConvInteger", "MatMulInteger"), ((), (2, 3))),
    "DynamicQuantizeMatMul": ((2,), (3,)),
    "MatMulIntegerToFloat": ((2, 3), (4, 5)),
    "QGemm": ((1, 4, 7), (2, 5, 8)),
    "MatMulNBits": ((2,), (3,)),
}
"""At which inputs operators take scales and zero points."""
RECURRENT: dict[int, Role] = {3: "biases", 5: "buffers", 6: "buffers", 7: "others"}
"""What recurrent layers take at their inputs: biases, the first states, peepholes, which are learned."""


def roles_in(graph: GraphProto) -> dict[str, Role]:
    """What tensors are held for by the nodes that read them."""
    roles: dict[str, Role] = {}
    for node in graph.node:
        if node.op_type in ("LSTM", "GRU", "RNN"):
            roles.update({name: RECURRENT[i] for i, name in enumerate(node.input) if i in RECURRENT})
        scales, zeros = QUANTIZED.get(node.op_type, ((), ()))
        for place, name in enumerate(node.input):
            if place in scales:
                roles[name] = "scales"
            elif place in zeros:
                roles[name] = "zero_points"
    return roles


def role_of(name: str, tensor: TensorProto) -> Role:
    """What a tensor is held for by its name, or else by its type and its axes."""
    known = next((role for role, form in NAMES if form.fullmatch(name)), None)
    if known is not None:
        return known
    if tensor.data_type in WHOLE:
        return "buffers"
    return "weights" if len(tensor.dims) > 1 else "others"
