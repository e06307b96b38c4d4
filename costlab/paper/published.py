"""Figures that the paper reports and that claims are computed from, such as those of tables 3 to 5."""

from fractions import Fraction

from costlab.algebra.combine import marked
from costlab.errors import DefinitionError
from costlab.paper.derivation import Derivation
from costlab.targets.find_ablation import find_ablation

IMAGES = 1_281_167
"""Images that ImageNet's classification task trains on (O. Russakovsky et al., IJCV 2015)."""
EPOCHS = 100
BATCH = 32
REPLICAS = 50
FIGURE_2_STEPS = 3_860_000
ENSEMBLE = "3.58"
"""Top-5 error of four Inception-v3 on the test set, in percent (table 5)."""
BEST_BEFORE = "4.94"
"""Top-5 error of the ensemble of PReLU-nets, in percent."""


def figure(label: str, name: str) -> Fraction:
    """A figure of tables 3 to 5 for a variant of the ablation ``inference_budget``.

    ``name`` is ``multiply_adds``, in billions, or ``top_1_error`` or ``top_5_error``, in percent.

    Raises:
        DefinitionError: there is no such variant, or the tables do not have this figure of it.
    """
    digits = getattr(find_ablation("inference_budget").published.get(label), name, None)
    if digits is None:
        raise DefinitionError(f"inference_budget: no {name} is reported of {label!r}")
    return Fraction(digits)


def epochs_of_figure_2(derivation: Derivation) -> Fraction:
    """The epochs of the training of figure 2."""
    epochs = Fraction(FIGURE_2_STEPS * BATCH, IMAGES)
    formula = f"{FIGURE_2_STEPS:,} steps x {BATCH} / {IMAGES:,} images"
    return Fraction(derivation.step("epochs of figure 2", formula, epochs, reported=True))


def add_published_steps(derivation: Derivation, *labels: str) -> None:
    """Add a step for each figure that tables 3 to 5 report of these variants of ``inference_budget``."""
    units = {"multiply_adds": "billions", "top_1_error": "percent", "top_5_error": "percent"}
    budgets = find_ablation("inference_budget")
    for label in labels:
        title = marked(label, budgets.variants[label].unverified)
        for name, unit in units.items():
            if getattr(budgets.published.get(label), name, None) is not None:
                quantity = name.replace("_", "-").replace("-error", " error")
                derivation.step(
                    f"{title}: {quantity}", f"reported, {unit}", figure(label, name), reported=True
                )


def variants_in(source: str) -> list[str]:
    """The variants of ``inference_budget`` whose figures are in a table, such as ``Table 3``."""
    reported = find_ablation("inference_budget").published
    return [label for label, figures in reported.items() if figures.source.startswith(source)]
