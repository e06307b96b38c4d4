"""Costs inside training loops: the share of a device's peak that a step reaches, and callbacks that log it.

``costlab.torch.lightning`` and ``costlab.torch.transformers`` hold the callbacks, which need the extras of
these names.
"""

from costlab.torch.meter import StepMeter
from costlab.torch.utilization import Utilization, mfu

__all__ = ["StepMeter", "Utilization", "mfu"]
