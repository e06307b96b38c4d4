"""What has no multiply-adds: activations, normalization, pooling, and what moves elements."""

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.registry import ONNX, RULES, operators

KINDS = {
    "Add": "add",
    "Concat": "concat",
    "Flatten": "flatten",
    "Relu": "relu",
    "Reshape": "reshape",
    "Softmax": "softmax",
}
"""The kinds of operators without multiply-adds, as torch calls them."""


def _plain(call: NodeCall) -> Work:
    return Work(KINDS[call.operator], inputs=call.elements_in, outputs=call.elements_out)


for name in KINDS:
    RULES[ONNX, name] = _plain


@operators("MaxPool")
def max_pool(call: NodeCall) -> Work:
    """The largest of each window."""
    rank = len(call.output.shape) - 2
    return Work(f"max_pool{rank}d", inputs=call.elements_in, outputs=call.output.elements)
