"""Graphs of torch.export as steps: what is called, in which calls of modules, with the results of which."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, fx
from torch._ops import OpOverload

WITHIN_EXPORT = re.compile(r"^_export_root(\.|$)")
"""What a strict export puts before the paths of what runs inside of `torch.cond` and the like."""
SLICED = re.compile(r"\.slice\([^)]*\)")
"""What stands in a path where a loop went through a part of a list of modules."""
CHECKS_TYPE = torch.ops.aten._assert_tensor_metadata.default
"""What strict exports put before a cast, with the type that the tensor has outside of autocast."""
ANY_CLASS = "torch.nn.modules.module.Module"
"""The class of a module of which no more is known."""
_Linear: TypeAlias = tuple[fx.Node, ...]
"""What a linear layer reads: its input, its weight, and its bias if it has one."""


class Called(NamedTuple):
    """One call of a module: its path, the name of its class, and what tells this call from others."""

    path: str
    of_class: str
    key: str


class Value(NamedTuple):
    """The result of a step, or what came in, by its name."""

    name: str


class Step(NamedTuple):
    """A node of a graph: what it calls, the calls of modules that it is in, and what is not read after it."""

    name: str
    target: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    calls: tuple[Called, ...]
    last_uses: tuple[str, ...] = ()

    @property
    def reads(self) -> Iterator[str]:
        """The names of the values among its arguments."""
        return values_in((self.args, self.kwargs))


class Graph(NamedTuple):
    """The steps of a graph, what comes in by name, what goes out, and the place where each is last read."""

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    output: Any
    last_read: Mapping[str, int]


def values_in(value: Any) -> Iterator[str]:
    """The names of the values in arguments."""
    if isinstance(value, Value):
        yield value.name
    elif isinstance(value, slice):
        yield from values_in((value.start, value.stop, value.step))
    elif type(value) in (tuple, list):  # and not into a graph
        for each in value:
            yield from values_in(each)
    elif isinstance(value, Mapping):
        yield from values_in(list(value.values()))


def filled(value: Any, values: Mapping[str, Any]) -> Any:
    """Arguments with what stands for the values in them."""
    if isinstance(value, Value):
        return values[value.name]
    if isinstance(value, slice):
        return slice(*(filled(each, values) for each in (value.start, value.stop, value.step)))
    if type(value) in (tuple, list):
        return type(value)(filled(each, values) for each in value)
    return {key: filled(each, values) for key, each in value.items()} if type(value) is dict else value


def graph_of(module: fx.GraphModule, weights: Mapping[str, str], outer: Sequence[Called] = ()) -> Graph:
    """The steps of a graph, which is called where ``outer`` are.

    ``weights`` are the paths of the modules that hold the parameters, by the names of these in the graph.
    """
    nodes = list(module.graph.nodes)
    inputs = tuple(node.name for node in nodes if node.op == "placeholder")
    ran = [
        node for node in nodes if node.op in ("call_function", "get_attr") and node.target is not CHECKS_TYPE
    ]
    calls = _calls(ran, weights)
    linear = _linear_layers(ran, weights)
    places = {node: place for place, node in enumerate(ran)}
    steps: list[Step] = []
    for node, around in zip(ran, calls, strict=True):
        inside = _without(outer, around)
        if node.op == "get_attr":
            user = next((places[each] for each in node.users if each in places), None)
            held = _attribute(module, str(node.target))
            if isinstance(held, fx.GraphModule):
                held = graph_of(held, weights, around if user is None else calls[user])
            steps.append(Step(node.name, None, (held,), {}, inside))
        elif node not in linear:
            steps.append(Step(node.name, node.target, _plain(node.args), _plain(node.kwargs), inside))
        elif layer := linear[node]:
            steps.append(Step(node.name, torch.ops.aten.linear.default, _plain(layer), {}, inside))
    (output,) = (_plain(node.args[0]) for node in nodes if node.op == "output")
    last = {name: place for place, step in enumerate(steps) for name in step.reads}
    last |= dict.fromkeys(values_in(output), len(steps))
    over: dict[int, list[str]] = {}
    for name, place in last.items():
        over.setdefault(place, []).append(name)
    done = (step._replace(last_uses=tuple(over.get(place, ()))) for place, step in enumerate(steps))
    return Graph(inputs, tuple(done), output, last)


def _attribute(module: Any, path: str) -> Any:
    for name in path.split("."):
        module = getattr(module, name)
    return module


def _plain(value: Any) -> Any:
    """Arguments in plain containers, with `Value` in the place of nodes."""
    if isinstance(value, fx.Node):
        return Value(value.name)
    if isinstance(value, slice):
        return slice(*(_plain(each) for each in (value.start, value.stop, value.step)))
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, tuple) and not isinstance(value, torch.Size):
        return tuple(_plain(each) for each in value)
    return {key: _plain(each) for key, each in value.items()} if isinstance(value, dict) else value


def _calls(nodes: Sequence[fx.Node], weights: Mapping[str, str]) -> list[tuple[Called, ...]]:
    """The calls of modules that each node is in; where it does not say it, those that both sides are in."""
    known = [_told(node, weights) for node in nodes]
    after: list[tuple[Called, ...]] = []
    following: tuple[Called, ...] = ()
    for each in reversed(known):
        following = following if each is None else each
        after.append(following)
    after.reverse()
    before: tuple[Called, ...] = ()
    found: list[tuple[Called, ...]] = []
    for each, following in zip(known, after, strict=True):
        if each is not None:
            before = each
        else:
            both = enumerate(zip(before, following, strict=False))
            before = before[: next((n for n, (a, b) in both if a != b), min(len(before), len(following)))]
        found.append(before)
    return found


def _told(node: fx.Node, weights: Mapping[str, str]) -> tuple[Called, ...] | None:
    """The calls of modules that the metadata of a node names; None of what only passes something on.

    Inside of `torch.cond` and the like there may be none: the parameters that it reads then tell.
    """
    stack = node.meta.get("nn_module_stack")
    if stack is None or not isinstance(node.target, OpOverload | torch._ops.HigherOrderOperator):
        return None
    if not stack:
        owners = {weights.get(each.name, "") for each in node.all_input_nodes} - {""}
        return tuple(Called(path, ANY_CLASS, "") for path in owners) if len(owners) == 1 else ()
    calls: list[Called] = []
    for key, (path, of_class) in stack.items():
        plain = path_of(path)
        name = of_class if isinstance(of_class, str) else f"{of_class.__module__}.{of_class.__qualname__}"
        if plain and not (calls and calls[-1].path == plain):
            calls.append(Called(plain, name, str(key)))
    return tuple(calls)


def path_of(path: str) -> str:
    """The path of a module as the model's own."""
    return SLICED.sub("", WITHIN_EXPORT.sub("", path))


def root_class(nodes: Sequence[fx.Node]) -> str:
    """The name of the class of the whole model; empty where no node tells it."""
    for node in nodes:
        for path, of_class in (node.meta.get("nn_module_stack") or {}).values():
            if not path_of(path):
                return of_class if isinstance(of_class, str) else of_class.__qualname__
    return ""


def _without(outer: Sequence[Called], calls: tuple[Called, ...]) -> tuple[Called, ...]:
    """The calls that are made inside of others."""
    shared = 0
    while shared < min(len(outer), len(calls)) and outer[shared].path == calls[shared].path:
        shared += 1
    return calls[shared:]


def _linear_layers(nodes: Sequence[fx.Node], weights: Mapping[str, str]) -> dict[fx.Node, _Linear | None]:
    """The nodes that linear layers were written as, by ``run_decompositions``: the last is the layer.

    What a product of matrices was made from is told by the function that its nodes come from.
    """
    found: dict[fx.Node, _Linear | None] = {}
    for (_, function), group in groupby(nodes, _written_as):
        if not function.endswith(".linear"):
            continue
        some = list(group)
        last = [node for node in some if any(user not in some for user in node.users)]
        if len(some) > 1 and len(last) == 1 and (layer := _linear(some, last[0], weights)):
            found |= dict.fromkeys(some) | {last[0]: layer}
    return found


def _written_as(node: fx.Node) -> tuple[str, str]:
    """Which call of a function of torch a node comes from: what tells it from others, and the function."""
    call, function = node.meta.get("torch_fn") or ("", "")
    return str(call), str(function)


def _linear(nodes: Sequence[fx.Node], last: fx.Node, weights: Mapping[str, str]) -> _Linear | None:
    """The layer that nodes are, if what they read and put out has its sizes."""
    read = dict.fromkeys(each for node in nodes for each in node.all_input_nodes if each not in nodes)
    ranks = {each: value.dim() for each in read if isinstance(value := each.meta.get("val"), Tensor)}
    weight = [each for each in read if each.name in weights and ranks.get(each) == 2]
    bias = [each for each in read if each.name in weights and ranks.get(each) == 1]
    rows = [each for each in ranks if each not in (*weight, *bias)]
    if len(weight) != 1 or len(bias) > 1 or len(rows) != 1 or len(ranks) != len(read):
        return None
    (out, features), given, made = weight[0].meta["val"].shape, rows[0].meta["val"], last.meta.get("val")
    if not isinstance(made, Tensor) or made.dim() != given.dim():
        return None
    return (rows[0], weight[0], *bias) if (given.shape[-1], made.shape[-1]) == (features, out) else None
