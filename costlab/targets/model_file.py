"""Models in files that hold no Python: graphs of ONNX and programs that torch.export wrote."""

from pathlib import Path

from costlab.errors import TargetError
from costlab.messages import named
from costlab.targets.target import Variant


def model_in(name: str, settings: str | None = None) -> Variant:
    """The model in a file, ``name.onnx`` or ``name.pt2``, with the input that is known of it.

    Raises:
        TargetError: there is no such file, it cannot be read, or settings were typed behind it.
    """
    file = Path(name)
    if settings is not None:
        raise TargetError(f"{file} is a model, made already, and takes no settings")
    if file.suffix == ".onnx":
        from costlab.onnx.graph import read_graph

        graph = read_graph(file)
        return Variant(str(file), graph, input=graph.default_input)
    raise TargetError(f"{named(str(file))}: exported programs are not read yet")
