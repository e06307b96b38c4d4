"""Sections 7 and 8 and tables 4 and 5: training and evaluation, as far as they can be reckoned."""

from fractions import Fraction
from math import log

from costlab.paper.claim import Claim
from costlab.paper.reported import BEST_ENSEMBLE, IMAGES, error
from costlab.paper.stated import ABOUT, PERCENT, TIMES, Bound, Exactly, Printed, Trained, Value
from costlab.paper.working import Working, shown

CLASSES, EPSILON = 1000, Fraction("0.1")
BATCH, EPOCHS, REPLICAS = 32, 100, 50
OURS, GOOGLENET = "4 Inception-v3, 144 crops", "7 GoogLeNet, 144 crops"


def _smoothing(work: Working) -> list[Value]:
    rest = work.step("of each other class", "0.1 / 1000", EPSILON / CLASSES)
    target = work.step("of the right class", "(1 - 0.1) + 0.1 / 1000", 1 - EPSILON + rest)
    entropy = -float(target) * log(target) - (CLASSES - 1) * float(rest) * log(rest)
    work.step("least loss, in nats", "-0.9001 ln 0.9001 - 999 x 0.0001 ln 0.0001", entropy)
    for which, name in (("top_1_error", "top-1"), ("top_5_error", "top-5")):
        before, after = error("v2, RMSProp", which), error("v2, label smoothing", which)
        work.step(f"reported: {name} error, in points", f"{shown(before)} - {shown(after)}", before - after)
    return [target + (CLASSES - 1) * rest, None]


def _regime(work: Working) -> list[Value]:
    images = work.step("images", f"{IMAGES:,} x {EPOCHS}", IMAGES * EPOCHS)
    work.step("steps of all replicas", f"{images:,} / {BATCH}, rounded up", -(-images // BATCH))
    at_once = BATCH * REPLICAS
    work.step(
        "steps, were they taken at once", f"{images:,} / {at_once:,}, rounded up", -(-images // at_once)
    )
    seen = Fraction("3.86") * 10**6 * BATCH / IMAGES
    return [work.step("epochs of figure 2", f"3,860,000 x {BATCH} / {IMAGES:,}", seen)]


def _crops(work: Working) -> list[Value]:
    one = work.variant("inference_budget", "Inception-v3")
    labels = ("Inception-v3, 12 crops", "Inception-v3, 144 crops", OURS)
    return [work.ratio(f"{label} by one", work.variant("inference_budget", label), one) for label in labels]


def _ensemble(work: Working) -> list[Value]:
    ours, googlenet, best = error(OURS), error(GOOGLENET), Fraction(BEST_ENSEMBLE)
    return [
        work.ratio("top-5 error by GoogLeNet's", ours, googlenet),
        work.saving("better than the best before", ours, best),
    ]


CLAIMS = (
    Claim(
        "label-smoothing",
        "7",
        "With 0.1 spread evenly over 1000 classes a label stays a distribution, and both errors fall by "
        "about 0.2 points.",
        (
            Exactly("sum of a smoothed label", "1"),
            Trained("gain", "0.2 points", "no variants yet: a recipe with and without label smoothing"),
        ),
        _smoothing,
        "That the gain is due to smoothing, only training shows; table 3 reports one run of each.",
    ),
    Claim(
        "regime",
        "8",
        "50 replicas with batches of 32 train for 100 epochs; figure 2's 3.86 million steps must lie within.",
        (Bound("epochs of figure 2", "100", relation="<="),),
        _regime,
    ),
    Claim(
        "multi-crop",
        "tables 4, 5",
        "The best results take 12 crops, 144 crops, and 144 crops by four models.",
        (
            Exactly("12 crops", "12", TIMES),
            Exactly("144 crops", "144", TIMES),
            Exactly("4 models, 144 crops", "576", TIMES),
        ),
        _crops,
    ),
    Claim(
        "ensemble",
        "11",
        "Four models almost halve the top-5 error of GoogLeNet's ensemble, and are over 25% better than the "
        "best published.",
        (
            Printed("by GoogLeNet's", "50", PERCENT, within=ABOUT, reported=True),
            Bound("better than the best", "25", PERCENT, relation=">", reported=True),
        ),
        _ensemble,
        '"Almost half" is not exactly half; the errors are as the paper reports them.',
    ),
)
