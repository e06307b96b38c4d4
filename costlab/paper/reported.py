"""Figures that the paper reports and that claims are computed from; of tables 3 to 5, by their variants."""

from collections.abc import Mapping
from fractions import Fraction

from costlab.algebra.find import find_ablation
from costlab.algebra.reported import Reported

IMAGES = 1_281_167
"""Images that ImageNet's classification task trains on (O. Russakovsky et al., IJCV 2015)."""
BEST_ENSEMBLE = "4.94"
"""Top-5 error in percent of the PReLU-nets' ensemble, the best before (table 5)."""


def tables() -> Mapping[str, Reported]:
    """What tables 3 to 5 report, by variant of the set ``inference_budget``."""
    return find_ablation("inference_budget").reported


def billions(label: str) -> Fraction:
    """The cost that table 3 reports of a variant, in billions."""
    return Fraction(str(tables()[label].multiply_adds))


def error(label: str, which: str = "top_5_error") -> Fraction:
    """An error that tables 3 to 5 report of a variant, in percent."""
    return Fraction(str(getattr(tables()[label], which)))
