"""The table of what a calibration predicts, with no device beside it."""

from collections.abc import Callable
from math import fsum

from costlab.algebra.block import Node
from costlab.counting.breakdown import module_at
from costlab.counting.count import Count
from costlab.hardware.timing.calibration import Calibration
from costlab.report.cell import Column
from costlab.report.table import Table
from costlab.report.tables.count import UNVERIFIED_COLUMN, marks_of
from costlab.report.tables.measure import machine_facts, prediction_notes, target_facts

FORMAT, VERSION = "costlab roofline", 1
COLUMNS = (
    Column("module", "module", empty="(root)"),
    Column("kind", "operation", sacrifice=3),
    Column("operations", "operations", "size", machine_only=True),
    Column("multiply_adds", "multiply-adds", "size", sacrifice=2, fold=13),
    Column("predicted", "predicted", "seconds"),
    Column("share", "share", "share", sacrifice=1),
    UNVERIFIED_COLUMN,
)


def predicted_table(count: Count, calibration: Calibration, depth: int = 1, by: str = "module") -> Table:
    """A row per module at ``depth``, per kind or per operation; the total is the network's.

    Raises:
        DefinitionError: the count is for symbols or arrays, or one of a step of training.
    """
    counted = count.inference if count.auxiliary else count
    predicted = calibration.predict(counted)
    seconds = dict(zip(map(id, counted.operations), predicted.seconds, strict=True))
    counted.modules(depth)  # which says what is wrong with a depth
    groups: dict[str, list[Node]] = {}
    key = _key(by, depth)
    for node in counted.operations:
        groups.setdefault(key(node), []).append(node)
    whole = predicted.total
    columns = COLUMNS[by == "kind" :]

    def row(name: str, nodes: list[Node]) -> tuple[object, ...]:
        kinds = {node.work.kind for node in nodes if node.work}
        time = fsum(seconds[id(node)] for node in nodes)
        kind = kinds.pop() if len(kinds) == 1 else ""
        names = (name,) if by == "kind" else (name, kind)
        sizes = (len(nodes), counted.add_up("", nodes).work.multiply_adds)
        return (*names, *sizes, time, time / whole if whole else 0.0, counted.unverified)

    total = row(counted.total_name, list(counted.operations))
    return Table(
        title=f"{counted.title}, as predicted",
        columns=columns,
        rows=tuple(row(name, nodes) for name, nodes in groups.items()),
        total=total,
        notes=(*prediction_notes(calibration, predicted.remarks), *marks_of(counted)),
        facts=lambda: {
            "format": FORMAT,
            "version": VERSION,
            **target_facts(counted),
            **calibration_facts(calibration),
            "remarks": predicted.remarks,
        },
    )


def calibration_facts(calibration: Calibration) -> dict[str, object]:
    """By what a prediction is made, and how far it is to be trusted, as plain values."""
    return {
        "calibrated_on": machine_facts(calibration.machine),
        "left_out_error": calibration.error,
        "largest_left_out_error": calibration.worst.error,
        "between_runs": calibration.spread,
    }


def _key(by: str, depth: int) -> Callable[[Node], str]:
    """What operations have in common that are one row."""
    if by == "module":
        return module_at(depth)
    return (
        (lambda node: node.path) if by == "operation" else (lambda node: node.work.kind if node.work else "")
    )
