"""Building the torch module of a target, from the same value that is counted."""

from typing import TYPE_CHECKING, Any

from costlab.targets.resolve import TargetLike, resolve

if TYPE_CHECKING:
    from torch import nn


def build(target: TargetLike, input: object = None, **settings: Any) -> "nn.Module":
    """The ``nn.Module`` of a target, for inputs of one shape: ``(N, C, H, W) -> (N, ...)``.

    The names of its submodules are the paths of the rows of the count. In training, a network with auxiliary
    heads returns a ``TrainingOutput(output, auxiliary)``, with the outputs of the heads by path.

    Raises:
        TargetError, DefinitionError, ShapeError: as `costlab.count`; also for a dimension that is a
            symbol or an array, and a name that ``nn.Module`` keeps for itself.
    """
    from costlab.algebra.modules import to_module

    resolved = resolve(target, input, **settings)
    return to_module(resolved.walk())
