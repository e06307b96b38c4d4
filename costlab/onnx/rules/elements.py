"""What has no multiply-adds: element by element, reductions, embeddings."""

from onnx import TensorProto

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.names import PLAIN
from costlab.onnx.rules.registry import LEARNED, MICROSOFT, ML, ONNX, RULES, Operator, operators

LEARNED_OF_PLAIN: dict[Operator, tuple[int, ...]] = {
    (ONNX, "DequantizeLinear"): (),
    (ONNX, "QuantizeLinear"): (),
    (ONNX, "PRelu"): (1,),
    (MICROSOFT, "DequantizeLinear"): (),
    (MICROSOFT, "QLinearAdd"): (0, 3),
    (MICROSOFT, "QLinearMul"): (0, 3),
    (MICROSOFT, "QuantizeLinear"): (),
}
"""Where they take parameters; elsewhere tensors tell, and scales of quantization are none."""
SMALL_INTEGERS = (TensorProto.INT8, TensorProto.UINT8, TensorProto.INT4, TensorProto.UINT4)
"""What quantized tables are kept in; indices have wider types."""


def _plain(call: NodeCall) -> Work:
    kind = PLAIN[call.domain, call.operator]
    return Work(kind, inputs=call.elements_in, outputs=call.elements_out)


for operator in PLAIN:
    RULES[operator] = _plain
LEARNED |= LEARNED_OF_PLAIN


@operators("Dropout", learned=())
@operators("BiasDropout", "BitmaskDropout", domain=MICROSOFT, learned=())
def dropout(call: NodeCall) -> Work:
    """Any shape to the same; a mask may come out, too."""
    elements = call.input(0).elements
    return Work("dropout", inputs=elements, outputs=elements)


@operators("Clip", learned=())
def clip(call: NodeCall) -> Work:
    """Any shape to the same; from 0 to 6 it is ReLU6."""
    bounds = [call.attributes.get(name) for name in ("min", "max")]
    for place in (1, 2):
        values = call.input(place).values
        if values is not None and values.size == 1:
            bounds[place - 1] = float(values.reshape(-1)[0])
    kind = "relu6" if bounds == [0, 6] else "clamp"
    return Work(kind, inputs=call.input(0).elements, outputs=call.output.elements)


@operators("Gather", learned=(0,))
@operators("GatherBlockQuantized", domain=MICROSOFT, learned=(0,))
def gathered(call: NodeCall) -> Work | tuple[()]:
    """``(*) -> (*, features)``: rows of a table that the file holds; what else is gathered only moves."""
    table = call.input(0)
    is_table = table.is_floating_point or table.element_type in SMALL_INTEGERS
    if not table.held or not is_table or len(table.shape) < 2:
        return ()
    return Work("embedding", inputs=call.input(1).elements, outputs=call.output.elements)


@operators("EmbedLayerNormalization", domain=MICROSOFT, learned=(2, 3, 4, 5, 6))
def embedded_and_normalized(call: NodeCall) -> tuple[Work, Work]:
    """``(N, L) -> (N, L, features)``: the sum of rows of tables, normalized."""
    outputs = call.output.elements
    given = call.input(0).elements + (call.input(1).elements if call.has(1) else 0)
    return (
        Work("embedding", inputs=given, outputs=outputs),
        Work("layer_norm", inputs=outputs, outputs=outputs, scalings=outputs),
    )


@operators("BiasGelu", "FastGelu", "BiasSplitGelu", domain=MICROSOFT, learned=(1,))
def gelu_of_sum(call: NodeCall) -> Work:
    """Any shape to the same: the bias of the linear layer before is added first, if there is one."""
    given = call.input(0).elements
    bias = given if call.has(1) else 0
    return Work("gelu", bias_adds=bias, inputs=given, outputs=call.output.elements)


@operators("BiasAdd", domain=MICROSOFT, learned=(1,))
def bias_added(call: NodeCall) -> Work:
    """Any shape to the same: a bias for each channel, and what skips a block."""
    outputs = call.output.elements
    return Work("add", bias_adds=outputs, inputs=call.elements_in, outputs=outputs)


@operators("LinearClassifier", "LinearRegressor", domain=ML, learned=())
def linear_model(call: NodeCall) -> Work:
    """``(N, features) -> (N, classes)``: one multiply-add per coefficient per row."""
    weights, biases = (len(call.attributes.get(name, ())) for name in ("coefficients", "intercepts"))
    data = call.input(0)
    rows = data.shape[0] if len(data.shape) > 1 else 1
    outputs = rows * (weights * rows // max(data.elements, 1))
    return Work(
        "linear",
        multiply_adds=rows * weights,
        bias_adds=rows * biases,
        weights=weights,
        parameters=weights + biases,
        inputs=data.elements,
        outputs=outputs,
        activations=outputs,
    )
