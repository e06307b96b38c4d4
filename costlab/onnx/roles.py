"""What the tensors of a file are held for, by the nodes that read them and by their names."""

import re

from onnx import GraphProto

from costlab.algebra.operands import Role

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


def roles_in(graph: GraphProto) -> dict[str, Role]:
    """What tensors are held for by the nodes that read them."""
    roles: dict[str, Role] = {}
    for node in graph.node:
        scales, zeros = QUANTIZED.get(node.op_type, ((), ()))
        for place, name in enumerate(node.input):
            if place in scales:
                roles[name] = "scales"
            elif place in zeros:
                roles[name] = "zero_points"
    return roles


def role_of(name: str) -> Role | None:
    """What a tensor is held for by its name; None where that tells nothing."""
    return next((role for role, form in NAMES if form.fullmatch(name)), None)
