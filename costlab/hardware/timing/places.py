"""Which operation of a count each operator of aten belongs to, so that its time has the count's path."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from costlab.algebra.block import Node
from costlab.counting.count import Count
from costlab.hardware.timing.features import NOTHING
from costlab.hardware.timing.operators import Ran
from costlab.tracing.rules.elements import kind_of

PRODUCTS = ("addmm", "mm", "bmm", "baddbmm", "addmv", "mv", "dot", "linear")
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "linear": PRODUCTS,
    "matmul": PRODUCTS,
    "adaptive_avg_pool2d": ("mean", "_adaptive_avg_pool2d"),
    "attention": ("_scaled_dot_product", "scaled_dot_product"),
    "gelu": ("gelu",),
}
"""How the names of the operators begin that run a kind, where they do not begin as the kind does."""


class Place(NamedTuple):
    """Operations of a count that are timed together, as a rule a single one; ``kind`` names theirs."""

    path: str
    kind: str
    nodes: tuple[Node, ...]


class Placed(NamedTuple):
    """The places of a count, and for each operator that ran the number of its place, None for nowhere."""

    places: tuple[Place, ...]
    place_of: tuple[int | None, ...]


def place(count: Count, modules: Collection[str], ran: Sequence[Ran]) -> Placed:
    """The places of a count for the operators that ran in modules of these paths.

    A module with one operation is a place. Of one with several, each is a place if the operators tell them
    apart: if they come in the order of the count. Otherwise all of them are one.
    """
    nodes: dict[str, list[Node]] = {}
    for node in count.inference.operations:
        home = node.path if node.path in modules else node.path.rpartition(".")[0]
        nodes.setdefault(home, []).append(node)
    homes = [_home(each.path, nodes) for each in ran]
    if joined := _join_unseen(nodes, {home for home in homes if home is not None}):
        homes = [_home(each.path, nodes) for each in ran]
    places: list[Place] = []
    number_of: dict[tuple[str, int], int] = {}
    turns: dict[str, list[int]] = {}
    for home, held in nodes.items():
        names = [each.name for each, at in zip(ran, homes, strict=True) if at == home]
        order = None if home in joined else _in_order([_kind(node) for node in held], names)
        turns[home] = [0] * len(names) if order is None else order
        together = order is None
        for number, group in enumerate([held] if together else [[node] for node in held]):
            number_of[home, number] = len(places)
            kinds = " + ".join(dict.fromkeys(map(_kind, group)))
            places.append(Place(home if together else group[0].path, kinds, tuple(group)))
    taken = {home: iter(order) for home, order in turns.items()}
    place_of = (None if home is None else number_of[home, next(taken[home])] for home in homes)
    return Placed(tuple(places), tuple(place_of))


def _join_unseen(nodes: dict[str, list[Node]], seen: Collection[str]) -> set[str]:
    """Join what no operator ran for by itself to the module around it that ran some: a fused operator did it.

    Gives the modules that have been joined so.
    """
    joined = set()
    for home in [home for home in nodes if home not in seen]:
        around = home
        while around and around not in seen:
            around = around.rpartition(".")[0]
        if around in seen and any(_kind(node) not in NOTHING for node in nodes[home]):
            nodes[around] += nodes.pop(home)
            joined.add(around)
    return joined


def _home(path: str, nodes: Mapping[str, Sequence[Node]]) -> str | None:
    """The module with operations that an operator ran in: itself, or one around it that is an operation."""
    if path in nodes:
        return path
    while path:
        path = path.rpartition(".")[0]
        if any(node.path == path and not node.children for node in nodes.get(path, ())):
            return path
    return None


def _in_order(kinds: Sequence[str], names: Sequence[str]) -> list[int] | None:
    """For each operator the number of the operation that it is part of; None if they do not tell.

    What is no operation by itself, such as a copy, goes with the one before it; an operation that takes no
    time need not run.
    """
    running = [i for i, kind in enumerate(kinds) if kind not in NOTHING]
    first = running[0] if running else 0
    if len(running) < 2:
        return [first] * len(names)
    now, order = -1, []
    for name in names:
        now = next((i for i in running if i > now and _runs(name, kinds[i])), now)
        order.append(max(now, first))
    return order if set(running) <= set(order) else None


def _runs(name: str, kind: str) -> bool:
    plain = kind_of(name)
    begins = OPERATORS.get(kind, (kind.rstrip("0123456789d") if kind.startswith("conv") else kind,))
    bare = plain.removeprefix("native_").removeprefix("cudnn_").removeprefix("miopen_").lstrip("_")
    known = (plain, bare, bare.removeprefix("native_"))
    return any(each.startswith(tuple(begins)) or kind.startswith(f"{each}2d") for each in known)


def _kind(node: Node) -> str:
    assert node.work is not None
    return node.work.kind
