"""Models in files that hold no Python: graphs of ONNX and programs that torch.export wrote."""

import re
from pathlib import Path

from costlab.errors import TargetError
from costlab.messages import named
from costlab.targets.target import Variant

FORMS = {".onnx": "a graph of ONNX", ".pt2": "an exported program"}
"""What is counted, by the ending of the file."""
IN_MODEL_FILE = rf"(?P<source>.+({'|'.join(map(re.escape, FORMS))}))(?::(?P<settings>.*))?"


def names_model_file(target: str) -> bool:
    """Whether a target is typed as such a file."""
    return re.fullmatch(IN_MODEL_FILE, target) is not None


def model_in(target: str) -> Variant:
    """The model in a file, with the input that is known of it.

    Raises:
        TargetError: there is no such file, it cannot be read, or settings are typed behind it.
    """
    match = re.fullmatch(IN_MODEL_FILE, target)
    assert match is not None
    file = Path(match["source"])
    if match["settings"] is not None:
        raise TargetError(f"{file} is a model, made already, and takes no settings")
    if file.suffix == ".onnx":
        from costlab.onnx.graph import read_graph

        graph = read_graph(file)
        return Variant(str(file), graph, input=graph.default_input)
    raise TargetError(f"{named(str(file))}: exported programs are not read yet")
