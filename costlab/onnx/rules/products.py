"""Linear layers and products of matrices, of integers and packed ones too."""

from math import prod

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.registry import MICROSOFT, operators
from costlab.onnx.tensor import GraphTensor


def multiplied(call: NodeCall, kind: str, weight: GraphTensor | None, inner: int, bias: bool = False) -> Work:
    """A product whose outputs each sum up ``inner`` products; a layer where the file holds a ``weight``."""
    outputs = call.output.elements
    is_layer = weight is not None and weight.held
    return Work(
        "linear" if is_layer else kind,
        multiply_adds=outputs * inner,
        bias_adds=outputs if bias else 0,
        weights=weight.elements if is_layer and weight is not None else 0,
        inputs=call.elements_in,
        outputs=outputs,
        activations=outputs,
    )


@operators("Gemm", learned=(0, 1, 2))
@operators("FusedGemm", "GemmFloat8", "GemmFastGelu", domain=MICROSOFT, learned=(0, 1, 2))
def gemm(call: NodeCall) -> Work:
    """``(N, features) -> (N, features')``: a linear layer where the file holds the matrix."""
    a, b, added = call.input(0), call.input(1), call.has(2) and call.attributes.get("beta", 1) != 0
    inner = a.shape[0] if call.number("transA") else a.shape[-1]
    return multiplied(call, "addmm" if added else "mm", b, inner, added)


def _product(call: NodeCall, b: GraphTensor, inner: int) -> Work:
    """A product as numpy has it: a layer by one matrix that the file holds."""
    if len(b.shape) == 1:
        return multiplied(call, "matvec", None, inner)
    return multiplied(call, "matmul", b if len(b.shape) == 2 else None, inner)


@operators("MatMul", "MatMulInteger", learned=(0, 1))
@operators("MatMulInteger16", "SparseToDenseMatMul", domain=MICROSOFT, learned=(0, 1))
def matmul(call: NodeCall) -> Work:
    """``(*, n, k), (*, k, m) -> (*, n, m)``: ``n * k * m`` for each of ``*``."""
    return _product(call, call.input(1), call.input(0).shape[-1])


@operators("QLinearMatMul", learned=(0, 3))
def quantized(call: NodeCall) -> Work:
    """The same, of integers that stand for floats."""
    return _product(call, call.input(3), call.input(0).shape[-1])


@operators("FusedMatMul", "TransposeMatMul", "FusedMatMulActivation", domain=MICROSOFT, learned=(0, 1))
def fused(call: NodeCall) -> Work:
    """The same, of matrices that may be transposed."""
    a, b = call.input(0), call.input(1)
    axis = -1 if not call.number("transA") or len(a.shape) == 1 else -2
    if call.number("transBatchA") and axis == -2:
        axis = 0
    return _product(call, b, a.shape[axis])


@operators("DynamicQuantizeMatMul", domain=MICROSOFT, learned=(1, 4))
def quantized_as_it_runs(call: NodeCall) -> Work:
    """The same, its data quantized within, with a bias if there is one."""
    work = _product(call, call.input(1), call.input(0).shape[-1])
    return work._replace(bias_adds=work.outputs if call.has(4) else 0)


@operators("MatMulIntegerToFloat", domain=MICROSOFT, learned=(1, 6))
def integers_to_floats(call: NodeCall) -> Work:
    """The same, of integers, with a bias if there is one."""
    work = _product(call, call.input(1), call.input(0).shape[-1])
    return work._replace(bias_adds=work.outputs if call.has(6) else 0)


@operators("QGemm", domain=MICROSOFT, learned=(3, 6))
def quantized_gemm(call: NodeCall) -> Work:
    """``(N, features) -> (N, features')``, of integers that stand for floats."""
    a = call.input(0)
    inner = a.shape[0] if call.number("transA") else a.shape[-1]
    return multiplied(call, "addmm" if call.has(6) else "mm", call.input(3), inner, call.has(6))


@operators("MatMulNBits", "MatMulBnb4", "MatMulFpQ4", domain=MICROSOFT, learned=(1, 5))
def packed(call: NodeCall) -> Work:
    """``(*, K) -> (*, N)`` by a matrix that is held in few bits an element: as many as it stands for."""
    inner = call.number("K") or call.input(0).shape[-1]
    features, bias = call.output.shape[-1], call.operator == "MatMulNBits" and call.has(5)
    work = multiplied(call, "matmul", call.input(1), inner, bias)
    return work._replace(weights=inner * features, parameters=inner * features)


@operators("AffineGrid")
def affine_grid(call: NodeCall) -> Work:
    """``(N, r, r + 1) -> (N, *size, r)``: each position of the grid times a matrix."""
    outputs = call.output.elements
    rows = prod(call.output.shape[:-1])
    return Work(
        "affine_grid_generator",
        multiply_adds=outputs * (outputs // max(rows, 1) + 1),
        inputs=call.elements_in,
        outputs=outputs,
    )
