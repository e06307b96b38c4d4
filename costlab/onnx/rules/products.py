"""Linear layers and products of matrices."""

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.registry import operators


@operators("Gemm")
def gemm(call: NodeCall) -> Work:
    """``(N, features) -> (N, features')``: a linear layer where the file holds the matrix."""
    a, b, outputs = call.input(0), call.input(1), call.output.elements
    inner = a.shape[0] if call.attributes.get("transA") else a.shape[1]
    return Work(
        "linear" if b.held else "addmm" if call.optional(2) is not None else "mm",
        multiply_adds=outputs * inner,
        bias_adds=0 if call.optional(2) is None else outputs,
        weights=b.elements if b.held else 0,
        inputs=call.elements_in,
        outputs=outputs,
        activations=outputs,
    )


@operators("MatMul")
def matmul(call: NodeCall) -> Work:
    """A product of matrices, as numpy has it: a linear layer where the file holds the second."""
    a, b, outputs = call.input(0), call.input(1), call.output.elements
    is_layer = b.held and len(b.shape) == 2
    return Work(
        "linear" if is_layer else "matmul",
        multiply_adds=outputs * a.shape[-1],
        weights=b.elements if is_layer else 0,
        inputs=call.elements_in,
        outputs=outputs,
        activations=outputs,
    )
