"""The claims of sections 7 and 8 and tables 4 and 5: training and evaluation, as far as computable."""

from fractions import Fraction
from math import log

from costlab.paper.claim import Claim
from costlab.paper.derivation import Derivation, format_number
from costlab.paper.published import (
    BATCH,
    BEST_BEFORE,
    ENSEMBLE,
    EPOCHS,
    IMAGES,
    REPLICAS,
    add_published_steps,
    epochs_of_figure_2,
    figure,
    variants_in,
)
from costlab.paper.stated import PERCENT, TIMES, Bound, Exactly, Trained, Value

EPSILON = "0.1"


def _smoothing(derivation: Derivation) -> list[Value]:
    classes = int(derivation.count("inception_v3").root.output[0])
    derivation.step("classes of inception_v3", "features put out", classes)
    rest = derivation.step("of each other class", f"{EPSILON} / {classes}", Fraction(EPSILON) / classes)
    target = derivation.step(
        "of the right class", f"(1 - {EPSILON}) + {format_number(rest)}", 1 - Fraction(EPSILON) + rest
    )
    p, q = format_number(target), format_number(rest)
    formula = f"-{p} ln {p} - {classes - 1} x {q} ln {q}"
    entropy = -float(target) * log(target) - (classes - 1) * float(rest) * log(rest)
    derivation.step("least loss, in nats", formula, entropy)
    for which in ("top_1_error", "top_5_error"):
        before, after = (figure(f"v2, {name}", which) for name in ("RMSProp", "label smoothing"))
        name = which.replace("_", "-").replace("-error", " error")
        derivation.step(
            f"fall of the {name}",
            f"{format_number(before)} - {format_number(after)}",
            before - after,
            reported=True,
        )
    return [classes, None]


def _regime(derivation: Derivation) -> list[Value]:
    images = derivation.step("images", f"{IMAGES:,} x {EPOCHS}", IMAGES * EPOCHS, reported=True)
    steps = -(-images // BATCH)
    derivation.step("steps of all replicas", f"{images:,} / {BATCH}, rounded up", steps, reported=True)
    at_once = BATCH * REPLICAS
    steps = -(-images // at_once)
    formula = f"{images:,} / {at_once:,}, rounded up"
    derivation.step("steps, were they taken at once", formula, steps, reported=True)
    return [epochs_of_figure_2(derivation), None]


def _crops(derivation: Derivation) -> list[Value]:
    one = derivation.variant("inference_budget", "Inception-v3")
    ours = ("Inception-v3, 12 crops", "Inception-v3, 144 crops", "4 Inception-v3, 144 crops")
    sizes = {label: derivation.variant("inference_budget", label) for label in ours}
    ratios = [derivation.ratio(f"{label} by one", size, one) for label, size in sizes.items()]
    others = [label for label in (*variants_in("Table 4"), *variants_in("Table 5")) if label not in ours]
    for label in others:
        if "PReLU" not in label:  # its layers are unverified, and no claim is about its crops
            derivation.variant("inference_budget", label)
    add_published_steps(derivation, *ours, *others)
    return ratios


def _ensemble(derivation: Derivation) -> list[Value]:
    googlenet = figure("7 GoogLeNet, 144 crops", "top_5_error")
    ours, best = Fraction(ENSEMBLE), Fraction(BEST_BEFORE)
    return [
        derivation.ratio("top-5 error by GoogLeNet's", ours, googlenet, reported=True),
        derivation.saving("better than the best before", ours, best, reported=True),
    ]


CLAIMS = (
    Claim(
        "label-smoothing",
        "7",
        "With 0.1 spread evenly over the 1000 classes both errors fall by about 0.2 points.",
        (
            Exactly("classes", "1000"),
            Trained(
                "gain",
                "0.2 points",
                "inception_v3, by a recipe with and without label smoothing",
                ("label_smoothing",),
            ),
        ),
        _smoothing,
        "That the gain is due to smoothing, only training shows. Table 3 reports one run of each, rounded to "
        "a tenth of a point.",
    ),
    Claim(
        "regime",
        "8",
        "50 replicas with batches of 32 train for 100 epochs: RMSProp with decay 0.9 and epsilon 1.0, a rate "
        "of 0.045 times 0.94 every two epochs, gradients clipped at 2.0, a running average of parameters.",
        (
            Bound("epochs of figure 2", "100", relation="<=", reported=True),
            Trained("where it leads", "21.2% top-1 error", "inception_v3, by the recipe in full"),
        ),
        _regime,
        "Figure 2's steps, of batches of 32, must lie within the epochs.",
    ),
    Claim(
        "multi-crop",
        "tables 4, 5",
        "The best results take 12 crops, 144 crops, and 144 crops by four models.",
        (
            Exactly("12 crops by one", "12", TIMES),
            Exactly("144 crops by one", "144", TIMES),
            Exactly("4 models, 144 crops by one", "576", TIMES),
        ),
        _crops,
    ),
    Claim(
        "ensemble",
        "11",
        "Four models have almost half the top-5 error of GoogLeNet's ensemble, and are over 25% better than "
        "the best published.",
        (
            Bound("by GoogLeNet's", "0.55", relation="<", words="almost half", reported=True),
            Bound("better than the best", "25", PERCENT, relation=">", reported=True),
        ),
        _ensemble,
        '"Almost half" is taken to be what rounds to a half.',
    ),
)
