"""The data of a page: each module of a network, and what each operation costs under every convention.

The form is documented in ``docs/html.md``. Quantities are strings of digits: the numbers of JavaScript are
exact up to 2**53 only.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from costlab.algebra.block import Node
from costlab.algebra.work import QUANTITIES
from costlab.counting.convention import Convention, conventions
from costlab.counting.count import Count
from costlab.counting.difference import Difference
from costlab.counting.family import family_of
from costlab.counting.holds import is_of, unknown_among
from costlab.counting.row import DEFAULT
from costlab.errors import CostlabError
from costlab.report.tables.count import marks_of, partial_facts, partial_notes, unknown_notes

FORMAT, VERSION = "costlab report", 1
"""What the data calls itself, and the version of what stands in it."""
ACTIVATIONS = "activations"
"""The quantity that some tools count in a way of their own."""


def page_data(counts: Sequence[Count], differences: Sequence[Any], *, depth: int = 1) -> dict[str, Any]:
    """The data of a page of networks; ``differences`` are those from the first, for each of the others."""
    kinds = dict.fromkeys(node.work.kind for count in counts for node in count.operations if node.work)
    first = counts[0]
    return {
        "format": FORMAT,
        "version": VERSION,
        "convention": first.priced,
        "depth": depth,
        "quantities": list(quantities()),
        "conventions": [
            {"name": by.name, "column": by.column, "unit": by.unit, "measured_on": by.measured_on or None}
            for by in conventions().values()
        ],
        "families": {kind: family_of(kind) for kind in kinds},
        "networks": [network_data(count) for count in counts],
        "differences": list(differences),
    }


def quantities() -> tuple[str, ...]:
    """The names of the quantities: those of every count, and activations of tools that count others."""
    return (*QUANTITIES, *map(_name_of, _with_own_activations()))


def network_data(count: Count) -> dict[str, Any]:
    """One network: what was counted, its totals, and its modules, parents first."""
    plain = count.under(DEFAULT)
    costs, charged, failures = _costs(plain)
    works: dict[tuple[Any, ...], int] = {}
    place_of: dict[int, int] = {}
    for node, charges in zip(plain.operations, zip(*costs, strict=True), strict=True):
        place_of[id(node)] = works.setdefault(_work(plain, node, charges), len(works))
    return {
        "target": count.label,
        "shown": count.shown,
        "title": plain.title,
        "input": str(count.input),
        "batch": count.batch,
        "auxiliary_heads": count.heads,
        "training_step": count.is_step,
        "unverified": count.unverified,
        "partial": partial_facts(count),
        "held": count.held._asdict() if count.held else None,
        "not_counted": {kind: list(paths) for kind, paths in count.without_rule.items()},
        "unsized": {kind: list(paths) for kind, paths in count.unsized.items()},
        "undecided": {kind: list(paths) for kind, paths in count.undecided.items()},
        "notes": [*partial_notes([count]), *unknown_notes(count), *marks_of(count)],
        "totals": _totals(plain),
        **charged,
        "failures": failures,
        "works": [[kind, list(sizes), list(charges)] for kind, sizes, charges in works],
        "modules": _modules(plain, place_of),
    }


def _totals(count: Count) -> dict[str, str]:
    whole = {name: str(count.size(name)) for name in QUANTITIES}
    counted = (by for by in _with_own_activations() if is_of(by, count))
    return whole | {_name_of(by): str(count.under(by.name).activations) for by in counted}


def _modules(count: Count, work_of: Mapping[int, int]) -> dict[str, list[Any]]:
    """The columns of the modules; a parent is named by its place, a work by its number."""
    nodes = list(count.root.nodes())
    parents = {id(child): place for place, node in enumerate(nodes) for child in node.children}
    above = [parents.get(id(node), -1) for node in nodes]
    paths = [nodes[place].path if place >= 0 else "" for place in above]
    return {
        "parent": above,
        "name": [
            node.path.removeprefix(f"{path}." if path else "")
            for node, path in zip(nodes, paths, strict=True)
        ],
        "operation": [node.block.title for node in nodes],
        "output": [str(node.output) if count.came_out(node) else "" for node in nodes],
        "work": [work_of.get(id(node), -1) for node in nodes],
        "training_only": [place for place, node in enumerate(nodes) if node.training_only],
    }


def _work(count: Count, node: Node, charges: tuple[str | None, ...]) -> tuple[Any, ...]:
    """What an operation does, for the whole batch, and what each convention charges for it."""
    work = count.add_up("", [node]).work
    own = (
        str(by.activations_of(node, count.batch)) if is_of(by, count) else None
        for by in _with_own_activations()
    )
    return node.work.kind if node.work else "", (*map(str, work.sizes), *own), charges


def _costs(count: Count) -> tuple[list[list[str | None]], dict[str, Any], dict[str, str]]:
    """For each convention what each operation costs; the totals; and why a convention is left out.

    A tool may see the network by a run of its own: its operations are those of the first run, or nobody
    knows what it charges for each.
    """
    costs: list[list[str | None]] = []
    failures: dict[str, str] = {}
    totals: dict[str, str] = {}
    unknown: dict[str, dict[str, int]] = {}
    for name, by in conventions().items():
        costs.append([None] * len(count.operations))
        if not is_of(by, count):
            continue
        try:
            priced = count.under(name)
        except CostlabError as error:
            failures[name] = str(error).removeprefix(f"{count.label}: ")
            continue
        if len(priced.operations) != len(count.operations):
            failures[name] = "the run that it sees has other operations"
            continue
        costs[-1] = list(map(str, priced.costs.values()))
        totals[name] = str(priced.cost)
        unknown[name] = unknown_among(by, priced.operations)
    return costs, {"costs": totals, "unknown": unknown}, failures


def _with_own_activations() -> tuple[Convention, ...]:
    return tuple(by for by in conventions().values() if by.activations)


def _name_of(by: Convention) -> str:
    """The name of the quantity of activations as a tool counts them."""
    return f"{by.name}_{ACTIVATIONS}"


def difference_data(differences: Iterable[Difference]) -> list[list[str]]:
    """The modules that differ: path, change, and what stands there before and after."""
    return [[each.path, each.change, each.before, each.after] for each in differences]
