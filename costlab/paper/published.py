"""Figures that the paper reports and that claims are computed from; of tables 3 to 5, by their variants."""

from fractions import Fraction

from costlab.algebra.combine import marked
from costlab.errors import DefinitionError
from costlab.paper.derivation import Working
from costlab.targets.resolve import find_ablation

IMAGES = 1_281_167
"""Images that ImageNet's classification task trains on (O. Russakovsky et al., IJCV 2015)."""
EPOCHS = 100
BATCH = 32
REPLICAS = 50
FIGURE_2_STEPS = 3_860_000
ENSEMBLE = "3.58"
"""Top-5 error of four Inception-v3 on the test set, in percent (table 5)."""
BEST_BEFORE = "4.94"
"""That of the PReLU-nets' ensemble."""


def figure(label: str, name: str) -> Fraction:
    """A figure that tables 3 to 5 report of a variant of the set ``inference_budget``.

    ``name`` is ``multiply_adds``, in billions, or ``top_1_error`` or ``top_5_error``, in percent.

    Raises:
        DefinitionError: there is no such variant, or nothing of the kind is reported of it.
    """
    told = getattr(find_ablation("inference_budget").published.get(label), name, None)
    if told is None:
        raise DefinitionError(f"inference_budget: no {name} is reported of {label!r}")
    return Fraction(told)


def epochs_of_figure_2(work: Working) -> Fraction:
    """The epochs that figure 2's steps make."""
    seen = Fraction(FIGURE_2_STEPS * BATCH, IMAGES)
    formula = f"{FIGURE_2_STEPS:,} steps x {BATCH} / {IMAGES:,} images"
    return Fraction(work.step("epochs of figure 2", formula, seen, reported=True))


def write_down(work: Working, *labels: str) -> None:
    """Make steps of all that tables 3 to 5 report of these variants of ``inference_budget``."""
    units = {"multiply_adds": "billions", "top_1_error": "percent", "top_5_error": "percent"}
    budgets = find_ablation("inference_budget")
    for label in labels:
        shown = marked(label, budgets.variants[label].unverified)
        for name, unit in units.items():
            if getattr(budgets.published.get(label), name, None) is not None:
                told = name.replace("_", "-").replace("-error", " error")
                work.step(f"{shown}: {told}", f"reported, {unit}", figure(label, name), reported=True)


def labels(source: str) -> list[str]:
    """The variants of ``inference_budget`` that are reported in a table, such as ``Table 3``."""
    reported = find_ablation("inference_budget").published
    return [label for label, told in reported.items() if told.source.startswith(source)]
