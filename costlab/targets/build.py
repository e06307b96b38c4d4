"""Building: the torch module of the very value that is counted."""

from typing import TYPE_CHECKING, Any

from costlab.targets.resolve import TargetLike, resolve

if TYPE_CHECKING:
    from torch import nn


def build(target: TargetLike, input: object = None, **settings: Any) -> "nn.Module":
    """The ``nn.Module`` of a target, for inputs of one shape: ``(N, C, H, W) -> (N, ...)``.

    Its submodules bear the paths of the count's rows. In training, a network with auxiliary heads
    gives a ``TrainingOutput(output, auxiliary)``, the heads' outputs by path.

    Raises:
        TargetError, DefinitionError, ShapeError: as `costlab.count`; also for a dimension that is a
            symbol or an array, and a name that ``nn.Module`` keeps for itself.
    """
    from costlab.algebra.modules import to_module

    found = resolve(target, input, **settings)
    return to_module(found.walk())
