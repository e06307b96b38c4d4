"""The tools that read graphs of ONNX: what each reports of a model, run as its users run it.

Conventions of the same names say what each is predicted to report.
"""

import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from onnx import ModelProto

from costlab.checking.finding import Report
from costlab.checking.release import release_of
from costlab.errors import first_line


class GraphPeer(NamedTuple):
    """A tool: the package that it comes in, and how it is run."""

    package: str
    run: Callable[[ModelProto], Any]

    @property
    def release(self) -> str | None:
        """The release that is installed, None where there is none."""
        return release_of(self.package)


def graph_reports(model: ModelProto, names: list[str] | None = None) -> Iterator[tuple[str, Report]]:
    """What each installed tool reports of a model whose inputs have sizes, by the name of its convention."""
    for name, peer in GRAPH_PEERS.items():
        if (release := peer.release) is None or (names is not None and name not in names):
            continue
        given = ModelProto()
        given.CopyFrom(model)
        try:
            with _alone():
                found = int(peer.run(given))
            yield name, Report(release, found)
        except Exception as error:  # a tool may fail in any way
            yield name, Report(release, None, first_line(error))


@contextmanager
def _alone() -> Iterator[None]:
    """Let a tool print and warn to nobody, and leave files where they are removed."""
    out, before = io.StringIO(), Path.cwd()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                yield
        finally:
            os.chdir(before)


def _onnx_tool(model: ModelProto) -> float:
    """What its ``model_profile`` prints as the total."""
    from onnx_tool import Model, NoMacsOps

    graph = Model(model).graph
    graph.graph_reorder_nodes()
    graph.shape_infer()
    graph.profile(exclude_ops=NoMacsOps)
    found: float = graph.macs[0]
    return found


def _onnx_opcounter(model: ModelProto) -> Any:
    from onnx_opcounter import calculate_macs

    return calculate_macs(model)


GRAPH_PEERS: Mapping[str, GraphPeer] = {
    "onnx_tool": GraphPeer("onnx-tool", _onnx_tool),
    "onnx_opcounter": GraphPeer("onnx-opcounter", _onnx_opcounter),
}
"""Every tool that reads graphs by the name of its convention."""
