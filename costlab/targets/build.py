"""Building the torch module of a target, from the same value that is counted."""

from typing import TYPE_CHECKING, Any

from costlab.algebra.block import Block
from costlab.algebra.inputs import as_input
from costlab.errors import DefinitionError
from costlab.targets.like import TargetLike
from costlab.targets.resolve import call_by_name, find_with_settings
from costlab.targets.target import guard
from costlab.targets.torch_module import Factory, refuse_without_module

if TYPE_CHECKING:
    from torch import nn


def build(target: TargetLike, input: object = None, **settings: Any) -> "nn.Module":
    """The ``nn.Module`` of a target, for inputs of one shape: ``(N, C, H, W) -> (N, ...)``.

    The names of its submodules are the paths of the rows of the count. In training, a network with auxiliary
    heads returns a ``TrainingOutput(output, auxiliary)``, with the outputs of the heads by path. What a class
    of modules, or a function that returns one, makes is given as it is, once it was counted.

    Raises:
        TargetError, DefinitionError, ShapeError: as `costlab.count`; also for a dimension that is a symbol or
            an array, a name that ``nn.Module`` keeps for itself, and a module, which is built already.
    """
    from costlab.algebra.modules import to_module

    found = find_with_settings(target, settings)
    shape = None if input is None else as_input(input, call_by_name)
    resolved = found.resolve(shape)
    refuse_without_module(resolved.block, found.label, "building")
    if isinstance(found.subject, Block) and found.subject.takes_tensors:
        raise DefinitionError(f"{found.label} is a module, built already")
    node = resolved.walk()
    if resolved.block.takes_tensors and isinstance(found.subject, Factory):
        with guard(found.label, found.from_user, found.folder):
            module: nn.Module = found.subject.module(**found.settings)
        return module
    return to_module(node)
