"""What a network learns: variants trained beside each other at a reduced scale, on the same seeds.

An `Experiment` of one's own is made of an `arm` for each variant, and perhaps of an `Expectation` of two.
`load` reads the record of a `Run`; `seeds_to_tell` and `members_to_tell` plan one; `compare_errors` compares
two samples of errors.
"""

from costlab.train.experiment import Arm, Expectation, Experiment, arm
from costlab.train.power import least_effect, seeds_to_tell
from costlab.train.record import Run, load
from costlab.train.statistics import Interval
from costlab.train.two_samples import (
    ComparedErrors,
    LargestGap,
    compare_errors,
    largest_gap,
    mean_difference,
    members_to_tell,
)

__all__ = [
    "Arm",
    "ComparedErrors",
    "Expectation",
    "Experiment",
    "Interval",
    "LargestGap",
    "Run",
    "arm",
    "compare_errors",
    "largest_gap",
    "least_effect",
    "load",
    "mean_difference",
    "members_to_tell",
    "seeds_to_tell",
]
