"""Models that hold no Python: graphs of ONNX and programs that torch.export wrote, in files or in memory."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from costlab.errors import TargetError
from costlab.targets.target import Variant

if TYPE_CHECKING:
    from costlab.onnx.graph import OnnxGraph

INSTALL = "pip install 'costlab[onnx]'"


def model_in(name: str, settings: str | None = None) -> Variant:
    """The model in a file, ``name.onnx`` or ``name.pt2``, with the input that is known of it.

    Raises:
        TargetError: there is no such file, it cannot be read, or settings were typed behind it.
    """
    file = Path(name)
    if settings is not None:
        raise TargetError(f"{file} is a model, made already, and takes no settings")
    if file.suffix.lower() == ".onnx":
        require_onnx(str(file))
        from costlab.onnx.read import read_graph

        return _of_graph(str(file), read_graph(file))
    from costlab.targets.torch_module import as_block
    from costlab.tracing.exported_file import read_program

    block = as_block(read_program(file))
    return Variant(str(file), block, input=block.default_input)


def is_onnx_model(value: object) -> TypeGuard[Any]:
    """Whether the value is a ``ModelProto``; it cannot be if onnx has not been imported."""
    return isinstance(value, getattr(sys.modules.get("onnx"), "ModelProto", ()))


def model_in_memory(model: Any) -> Variant:
    """A ``ModelProto``, by the name of its graph, with the input that is known of it.

    Raises:
        TargetError: it holds no graph that could be counted.
    """
    require_onnx("this model")
    from costlab.onnx.read import graph_of_model

    graph = graph_of_model(model)
    return _of_graph(graph.name, graph)


def require_onnx(name: str) -> None:
    """See that graphs of ONNX can be read.

    Raises:
        TargetError: the package onnx is not installed, or too old.
    """
    try:
        from onnx import defs, shape_inference
    except ImportError as error:
        absent = (error.name or "").partition(".")[0] == "onnx" and "onnx" not in sys.modules
        what = "needs the package onnx" if absent else "needs a newer onnx, or one that can be imported"
        raise TargetError(f"{name}: a graph of ONNX {what}: {INSTALL}") from error
    knows = hasattr(defs.C, "schema_version_map") and hasattr(shape_inference, "infer_node_outputs")
    if not knows:
        raise TargetError(f"{name}: a graph of ONNX needs a newer onnx: {INSTALL}")


def _of_graph(label: str, graph: "OnnxGraph") -> Variant:
    return Variant(label, graph, input=graph.default_input)
