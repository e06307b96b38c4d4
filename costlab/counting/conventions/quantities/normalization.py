"""What only some tools count of normalization."""

from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities.registry import quantity


@quantity
def affine(operation: ChargedOperation) -> int:
    """Outputs of a normalization whose module says that it is affine; that of a definition always does."""
    scaled = operation.is_definition or operation.tensor("weight") is not None
    if operation.form == "module":
        scaled = operation.module.settings.get("affine", scaled)
    return int(operation.work.outputs) if scaled else 0


@quantity
def statistics(operation: ChargedOperation) -> int:
    """Elements that statistics are taken of."""
    return int(operation.work.inputs) if operation.argument("training", False) else 0


@quantity
def neighbours(operation: ChargedOperation) -> int:
    """Additions of neighbouring channels to the first one of a window."""
    channels = max(operation.input[1], 1)
    others = int(operation.argument("size")) - 1
    return others * int(operation.work.inputs) // channels
