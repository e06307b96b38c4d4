"""Normalization."""

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.registry import LEARNED, MICROSOFT, ONNX, Rule, operators

RANKED = {"BatchNormalization": "batch_norm", "InstanceNormalization": "instance_norm"}
"""Those by channels, which are named by the axes beside them."""


@operators(*RANKED, learned=(1, 2))
def by_channels(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, C, *size)``: its mean and variance are buffers, no parameters."""
    rank = max(len(call.input(0).shape) - 2, 1)
    return normalized(call, f"{RANKED[call.operator]}{rank}d")


def normalized(call: NodeCall, kind: str, data: int = 1, bias: int | None = None) -> Work:
    """The first ``data`` inputs, normalized and scaled; ``bias`` is where one may be added."""
    scale = LEARNED[call.domain, call.operator][0]
    elements = call.input(0).elements
    read = sum(call.input(place).elements for place in range(data) if call.has(place))
    added = bias is not None and call.has(bias)
    scaled = call.has(scale) and not call.input(scale).stands_in
    return Work(
        kind,
        bias_adds=elements if added else 0,
        inputs=read,
        outputs=elements,
        scalings=elements if scaled else 0,
    )


def _plain(kind: str, data: int = 1, bias: int | None = None) -> Rule:
    def rule(call: NodeCall) -> Work:
        """Any shape to the same."""
        return normalized(call, kind, data, bias)

    return rule


TABLE = (
    (ONNX, "LayerNormalization", "layer_norm", 1, (1, 2), None),
    (ONNX, "RMSNormalization", "rms_norm", 1, (1,), None),
    (ONNX, "GroupNormalization", "group_norm", 1, (1, 2), None),
    (ONNX, "SimplifiedLayerNormalization", "rms_norm", 1, (1,), None),
    (MICROSOFT, "LayerNormalization", "layer_norm", 1, (1, 2), None),
    (MICROSOFT, "SimplifiedLayerNormalization", "rms_norm", 1, (1,), None),
    (MICROSOFT, "SkipLayerNormalization", "layer_norm", 2, (2, 3, 4), 4),
    (MICROSOFT, "SkipSimplifiedLayerNormalization", "rms_norm", 2, (2, 3), 3),
    (MICROSOFT, "GroupNorm", "group_norm", 1, (1, 2), None),
    (MICROSOFT, "SkipGroupNorm", "group_norm", 1, (1, 2, 4), 4),
)
"""Domain, operator, kind, how many inputs are normalized, what is learned, and where a bias is added."""
for domain, name, kind, data, learned, bias in TABLE:
    operators(name, domain=domain, learned=learned)(_plain(kind, data, bias))


@operators("LRN")
def local_response_norm(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, C, *size)``, over neighboring channels."""
    return Work("local_response_norm", inputs=call.elements_in, outputs=call.elements_out)
