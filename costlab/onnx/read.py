"""Reading files of ONNX; what is none is told by what it is."""

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, defs

from costlab.errors import TargetError, first_line
from costlab.messages import named
from costlab.onnx.call import domain_of
from costlab.onnx.faults import in_order, refuse_invalid
from costlab.onnx.graph import OnnxGraph
from costlab.onnx.memory import free_memory

LARGEST = 2**31 - 1
"""The most bytes of a message of protobuf, and so of a file of ONNX."""
TIMES = 2
"""How often a file is in memory while it is read: its bytes, and what is made of them."""
BESIDE = (
    "save it with its weights beside it, by onnx.save(..., save_as_external_data=True); they are not read"
)
NEWER = "pip install -U onnx may bring what knows them"
FORMS = {
    b"PK\x03\x04": "a zip archive, as torch.save and torch.export write them",
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"\x89HDF": "HDF5, as Keras writes it",
    b"\x80\x02": "a pickle, as torch.save writes it",
    b"\x80\x04": "a pickle",
    b"version https://git-lfs": "a pointer of git-lfs to the file itself: git lfs pull brings it",
    b"<!DOCTYPE": "a page of HTML, as a download gives that failed",
    b"<html": "a page of HTML, as a download gives that failed",
    b"<?xml": "XML",
    b"{": "JSON",
    b"ir_version": "ONNX as text, which protobuf.text_format reads: onnx.save writes the file",
    b"<\n": "ONNX as text: onnx.parser reads it, and onnx.save writes the file",
}
"""What files begin with that are none of ONNX."""
BEHIND = {
    b"ORTM": "a model in onnxruntime's own format: count the .onnx that it was made from",
    b"TFL3": "TFLite",
}
"""What stands at byte 4 of such files."""


def read_graph(file: Path) -> OnnxGraph:
    """The graph in a file; what it keeps in other files is not read.

    Raises:
        TargetError: there is no such file, or it holds no graph of ONNX that could be counted.
    """
    try:
        return checked(OnnxGraph(file.name, _model(file), str(file.absolute().parent)))
    except TargetError as error:
        raise TargetError(f"{file}: {error}") from error


def graph_of_model(model: ModelProto) -> OnnxGraph:
    """A model that is in memory, as a block: called as its graph is.

    Raises:
        TargetError: it holds no graph that could be counted.
    """
    name = model.graph.name or "graph"
    try:
        return checked(OnnxGraph(name, model))
    except TargetError as error:
        raise TargetError(f"{name}: {error}") from error


def checked(graph: OnnxGraph) -> OnnxGraph:
    """A graph that can be followed.

    Raises:
        TargetError: it holds no nodes, its operators are of a version that is not known, or it is malformed.
    """
    model = graph.model
    if not (model.graph.node or model.graph.output):
        raise TargetError("this holds no graph of ONNX")
    if model.ir_version > onnx.IR_VERSION:
        known = f"onnx {onnx.__version__} knows {onnx.IR_VERSION}"
        raise TargetError(f"its form is version {model.ir_version}, and {known}: {NEWER}")
    if not model.opset_import and model.ir_version >= 3:
        raise TargetError("it does not say which operators it holds (opset_import): it may be cut off")
    try:
        _refuse_unknown_operators(model)
        in_order(model.graph)
        graph.inputs, graph.default_input  # noqa: B018  # it is looked at here, where what is damaged is told
    except TargetError:
        raise
    except Exception as error:  # what is damaged may fail anywhere; of a sound graph it is let out
        refuse_invalid(model, error)
        raise
    return graph


def _refuse_unknown_operators(model: ModelProto) -> None:
    versions = defs.C.schema_version_map()
    opsets = [*model.opset_import, *(each for function in model.functions for each in function.opset_import)]
    for each in opsets:
        domain = domain_of(each.domain)
        if domain not in versions:
            continue  # somebody's own: what is in it is not counted, and told
        first, last = versions[domain]
        what = f"operators {named(domain) if domain else 'of onnx'}"
        if each.version > last:
            known = f"onnx {onnx.__version__} knows them up to {last}"
            raise TargetError(f"it holds {what} of version {each.version}, and {known}: {NEWER}")
        if each.version < first:
            raise TargetError(f"it holds {what} of version {each.version}, and they begin with {first}")


def _model(file: Path) -> ModelProto:
    """What a file holds, once it is known that it can be read."""
    _refuse_unreadable(file)
    try:
        return onnx.load(file, format="protobuf", load_external_data=False)
    except DecodeError:
        raise TargetError("this is no ONNX, or it is damaged: it cannot be decoded") from None
    except MemoryError:
        raise TargetError("there is not enough memory to read it") from None
    except OSError as error:
        raise TargetError(str(error.strerror)) from error
    except Exception as error:  # onnx.load says of its own what is wrong in other ways
        raise TargetError(first_line(error)) from error


def _refuse_unreadable(file: Path) -> None:
    try:
        if file.is_dir():
            raise TargetError("this is a folder, and no file")
        size = file.stat().st_size
        if not file.is_file():
            raise TargetError("this is no regular file")
        with file.open("rb") as opened:
            begins = opened.read(64)
    except FileNotFoundError:
        raise TargetError("there is no such file") from None
    except OSError as error:
        raise TargetError(str(error.strerror)) from error
    if not size:
        raise TargetError("this file is empty")
    if form := form_of(begins):
        raise TargetError(f"this is {form}, and no ONNX")
    if size > LARGEST:
        raise TargetError(f"{size:,} bytes are more than a file of ONNX can have (2 GiB): {BESIDE}")
    free = free_memory()
    if free is not None and TIMES * size > free:
        need = f"{size:,} bytes take {TIMES * size:,} of memory to read"
        raise TargetError(f"{need}, and {free:,} are free: {BESIDE}")


def form_of(begins: bytes) -> str:
    """What a file is that begins so; empty where it may be ONNX."""
    text = begins.removeprefix(b"\xef\xbb\xbf").lstrip()
    for mark, form in FORMS.items():
        if begins.startswith(mark) or (mark.isascii() and mark.isalpha() and text.startswith(mark)):
            return form
    for mark in (b"{", b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML"):
        if text.startswith(mark):
            return FORMS.get(mark, FORMS[b"<html"])
    return BEHIND.get(begins[4:8], "")
