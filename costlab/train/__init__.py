"""What a network learns: variants trained beside each other at a reduced scale, on the same seeds.

An `Experiment` of one's own is made of an `arm` for each variant, and perhaps of an `Expectation` of two.
"""

from costlab.train.experiment import Arm, Expectation, Experiment, arm
from costlab.train.record import Run

__all__ = ["Arm", "Expectation", "Experiment", "Run", "arm"]
