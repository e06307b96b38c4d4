"""The page of advice: what the paper's principles and its factorizations say of the catalog's networks."""

from collections import Counter
from collections.abc import Callable

from costlab.advise.factorize.factorize import DEFAULT
from costlab.advise.lint.finding import CONVOLUTION_BEFORE_POOL, LARGE_KERNEL, PINCH, POOL_BEFORE_EXPANSION
from costlab.advise.lint.lint import lint
from costlab.algebra.combine import marked
from costlab.report.cell import in_percent
from costlab.report.page import Page, page
from costlab.report.pages.advice_factorize import factorization_parts, planned
from costlab.report.pages.advice_lint import NETWORK, lint_parts
from costlab.report.tables.count import NOT_VERIFIED
from costlab.targets.catalog import catalog

NAME = "advice"
NETWORKS = (
    "alexnet",
    "alexnet_one_tower",
    "vgg16",
    "vgg19",
    "prelu_net_a",
    "prelu_net_b",
    "prelu_net_c",
    "googlenet",
    "bn_inception",
    "inception_v2",
    "inception_v3",
    "inception_v3_table_1",
    "resnet50",
    "resnet101",
    "resnet152",
    "regnet_x",
    "mini",
)
"""The convolutional networks of the catalog, each once."""


def advice_page(report: Callable[[str], None]) -> Page:
    """What lint and factorize say of the networks of the catalog."""
    known = catalog()
    targets = {marked(name, known[name].unverified): name for name in NETWORKS}
    report("advice: lint")
    found = {label: lint(name) for label, name in targets.items()}
    warned = Counter(each.rule for one in found.values() for each in one.warnings)
    blunt = warned[POOL_BEFORE_EXPANSION] + warned[CONVOLUTION_BEFORE_POOL]
    report("advice: factorization")
    plans = {label: planned(name) for label, name in targets.items()}
    saved = [each.half[DEFAULT].saving.share("multiply_adds") for each in plans.values()]
    added = [-each.half[DEFAULT].saving.share("activations") for each in plans.values()]
    return page(
        NAME,
        "What could be saved",
        f"In {len(plans)} networks lint warns of {warned[PINCH]} pinches, {blunt} blunt grid reductions and "
        f"{warned[LARGE_KERNEL]} large kernels. {DEFAULT} in the place of what it can replace, at half the "
        f"cost of each, saves {in_percent(min(saved))} to {in_percent(max(saved))} of the multiply-adds and "
        f"adds {in_percent(min(added))} to {in_percent(max(added))} to the activations; at the rank from "
        "which on it is exact, it saves nothing.",
        (
            f"The convolutional networks of the catalog, each as it is by default. {NOT_VERIFIED}.",
            *lint_parts(found, NETWORK),
            *factorization_parts(plans, targets),
        ),
    )
