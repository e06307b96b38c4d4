"""The paths of nodes, by the names that exporters give them."""

import re
from ast import literal_eval
from collections.abc import Sequence
from typing import NamedTuple

from onnx import NodeProto

from costlab.onnx.call import NodeCall

WRAPPERS = {"StatefulPartitionedCall", "PartitionedCall"}
"""What TensorFlow puts around a whole model."""
SCOPES, CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
"""What torch's exporter of programs notes of each node: the modules that it is in, and their classes."""
PLAIN = re.compile(r"(node|p2o|onnx|aten|op|anonymous|anon|inline|n|f)?s?\d*", re.IGNORECASE)
"""What is left of a name that says no more than the operator, without that."""
WEIGHT = re.compile(r"(?P<module>.+)\.weight")


class NodeName(NamedTuple):
    """Where a node is: the modules around it, with their classes where they are known, and its own name."""

    parts: tuple[str, ...]
    classes: tuple[str, ...] = ()

    def within(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """The path of the node in a graph that is at a path itself."""
        return (*path, *self.parts)


def name_of(node: NodeProto, kind: str, call: NodeCall | None = None) -> NodeName:
    """The path of a node of some kind.

    The older exporter of torch names it ``/layer1/layer1.0/conv1/Conv``, the newer notes the modules; others
    write ``model/conv1/Conv2D``, ``conv1`` or nothing.
    """
    if noted := _noted(node, kind, call):
        return noted
    *scopes, last = node.name.split("/")
    modules = _relative([each for each in scopes if each and each not in WRAPPERS])
    own = _split(last) if _says_more(last, node.op_type, kind) else [kind]
    return NodeName((*modules, *own))


def _noted(node: NodeProto, kind: str, call: NodeCall | None) -> NodeName | None:
    """The path that the exporter notes; of a node that another was put into, that of its weight."""
    noted = {each.key: each.value for each in node.metadata_props}
    if SCOPES not in noted:
        return None
    try:
        scopes, classes = literal_eval(noted[SCOPES]), literal_eval(noted.get(CLASSES, "[]"))
        modules = [str(each) for each in scopes[:-1] if each]
        names = [str(each).rpartition(".")[2] for each in classes[:-1]]
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    held = [each for each in call.inputs if each is not None] if call else []
    for origin in (origin for each in held for origin in each.origins):
        if (found := WEIGHT.fullmatch(origin.name)) and (modules and found["module"] != modules[-1]):
            sibling = found["module"].rpartition(".")[0] == modules[-1].rpartition(".")[0]
            if sibling:
                modules[-1], names = found["module"], names[:-1]
    return NodeName((*_relative(modules), kind), tuple(names[1:]))


def _relative(modules: Sequence[str]) -> list[str]:
    """The names of modules in each other, of which each may begin with that of the one around it."""
    parts: list[str] = []
    before = ""
    for module in modules:
        parts += _split(module.removeprefix(f"{before}.") if before else module)
        before = module
    return parts


def _split(name: str) -> list[str]:
    return [part for part in name.split(".") if part]


def _says_more(name: str, operator: str, kind: str) -> bool:
    """Whether a name says more than which operator it is, and its number."""
    if not name:
        return False
    plain = name.casefold()
    for word in (operator.casefold(), kind.casefold(), "2d"):
        plain = plain.replace(word, "")
    return PLAIN.fullmatch(re.sub(r"[\W_]", "", plain)) is None
