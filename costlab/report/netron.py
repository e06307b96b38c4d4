"""The costs of a network as an attachment that Netron shows beside its ONNX export.

Nodes are named as ``torch.onnx.export(..., dynamo=False)`` names them: the scopes of the modules, then the
operator of ONNX, with a number where the same name comes again. The other exporter numbers its nodes by
passes of its own, which nobody can foresee. Where the graph itself was counted, its nodes have their names,
and those without one are left out.
"""

import json
from collections import Counter
from typing import Any

from costlab.algebra.block import Node
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.count import Count
from costlab.counting.marks import UNREAD
from costlab.counting.row import Row

SIGNATURE = "netron:attachment"
OPERATORS = {
    "adaptive_avg_pool": "GlobalAveragePool",
    "adaptive_max_pool": "GlobalMaxPool",
    "add": "Add",
    "avg_pool": "AveragePool",
    "batch_norm": "BatchNormalization",
    "concat": "Concat",
    "conv": "Conv",
    "conv_transpose": "ConvTranspose",
    "div": "Div",
    "einsum": "Einsum",
    "embedding": "Gather",
    "flatten": "Flatten",
    "gru": "GRU",
    "hardsigmoid": "HardSigmoid",
    "hardswish": "HardSwish",
    "layer_norm": "LayerNormalization",
    "leaky_relu": "LeakyRelu",
    "local_response_norm": "LRN",
    "lstm": "LSTM",
    "matmul": "MatMul",
    "max_pool": "MaxPool",
    "mean": "ReduceMean",
    "mul": "Mul",
    "prelu": "PRelu",
    "relu": "Relu",
    "relu6": "Clip",
    "rnn": "RNN",
    "sigmoid": "Sigmoid",
    "softmax": "Softmax",
    "sub": "Sub",
    "tanh": "Tanh",
}
"""The operators of ONNX by the kinds of operations, without their rank."""
OWN = ("module", "subclass")
"""Forms of an operation that is a module of its own."""


def attachment(count: Count) -> str:
    """The attachment as JSON: for each node its multiply-adds, parameters and activations; the totals."""
    names: Counter[str] = Counter()
    scopes: dict[str, int] = {}
    metrics: list[dict[str, Any]] = []
    of_graph: dict[str, list[Node]] = {}
    for node, work in count.root.working():
        if work.kind in UNREAD:
            continue
        if (step := getattr(node.block, "step_of_graph", None)) is not None:
            of_graph.setdefault(step.name, []).append(node)
            continue
        first = f"{_scope(node, scopes)}/{_operator(work.kind, node)}"
        target = f"{first}_{names[first]}" if names[first] else first
        names[first] += 1
        metrics += _metrics("node", target, count.add_up("", [node]), count)
    for name, nodes in of_graph.items():
        metrics += _metrics("node", name, count.add_up("", nodes), count) if name else []
    partial = [_entry("model", "", "partial", str(count.partial))] if count.partial else []
    content = {
        "signature": SIGNATURE,
        "metadata": [_entry("model", "", "counted by costlab", count.title), *partial],
        "metrics": [*_metrics("model", "", count.whole, count), *metrics],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _scope(node: Node, called: dict[str, int]) -> str:
    """The names of the modules around an operation, with a number for a module that is called again."""
    path = node.path.split(".") if node.path else []
    again = ""
    by_layer = ChargedOperation(node).form in OWN
    if by_layer and path and (path[-1] == "call" or path[-1].startswith("call_")):
        path.pop()
        key = ".".join(path)
        number = called.get(key, 0)
        called[key] = number + 1
        again = f"_{number}" if number else ""
    elif not by_layer and not node.children and path:
        path.pop()
    scopes: list[str] = []
    for name in path:
        scopes.append(f"{scopes[-1]}.{name}" if name.isdigit() and scopes else name)
    return "".join(f"/{scope}" for scope in scopes) + again


def _operator(kind: str, node: Node) -> str:
    if kind == "linear":
        sizes = tuple(node.output)
        return "Gemm" if len(sizes) <= 2 else "MatMul"
    plain = kind[:-2] if kind[-2:] in ("1d", "2d", "3d") else kind
    return OPERATORS.get(plain, plain)


def _metrics(kind: str, target: str, row: Row, count: Count) -> list[dict[str, Any]]:
    sizes = {name: int(row.size(name)) for name in count.measures}
    return [_entry(kind, target, name, size) for name, size in sizes.items() if size or kind == "model"]


def _entry(kind: str, target: str, name: str, value: Any) -> dict[str, Any]:
    return {"kind": kind, "target": target, "name": name.replace("_", " "), "value": value}
