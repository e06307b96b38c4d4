"""Nodes that run: small values and weights that are moved, by onnx's reference implementation."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from onnx import NodeProto, OperatorSetIdProto, ValueInfoProto, helper
from onnx.reference import ReferenceEvaluator

from costlab.onnx.call import domain_of

Array = np.ndarray[Any, Any]


def run_node(
    node: NodeProto, opsets: Iterable[OperatorSetIdProto], given: Mapping[str, Array]
) -> list[Array]:
    """What comes out of a node of these versions of operators; whatever the implementation raises is let out.

    It stands in a graph, for a node alone is run as one of the newest version: until 13 the axes of an
    ``Unsqueeze`` are no input.
    """
    inputs, outputs = (
        [ValueInfoProto(name=name) for name in names if name] for names in (given, node.output)
    )
    alone = helper.make_graph([node], "alone", inputs, outputs)
    versions = {domain_of(each.domain): each.version for each in opsets}
    return list(map(np.asarray, ReferenceEvaluator(alone, opsets=versions).run(None, dict(given))))
