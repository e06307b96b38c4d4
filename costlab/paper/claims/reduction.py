"""Section 5: grid reductions, reckoned as the paper does with 1x1 kernels on d x d x k."""

from fractions import Fraction
from typing import Any

from costlab.paper.claim import Claim
from costlab.paper.derivation import Working
from costlab.paper.stated import PERCENT, TIMES, Bound, Exactly, Formula, Value

EXPENSIVE, BOTTLENECK, PARALLEL = "convolution, pooling", "pooling, convolution", "side by side"


def _in_d_and_k(work: Working, label: str) -> Any:
    """The multiply-adds of a reduction from d x d x k to d/2 x d/2 x 2k."""
    import sympy

    (form,) = work.forms("grid_reduction", label)
    k, d = sympy.symbols("k d", positive=True)
    channels, height, width = (form.symbols[name] for name in "CHW")
    found = form.multiply_adds.subs({channels: k, height: d, width: d})
    return work.step(f"multiply-adds of {label}", "closed form, with C=k and H=W=d", found)


def _ratio(work: Working, label: str, by: str, ablation: str = "grid_reduction") -> Fraction:
    size, whole = work.variant(ablation, label), work.variant(ablation, by)
    return work.ratio(f"{label} by {by}", size, whole)


def _expensive(work: Working) -> list[Value]:
    return [_in_d_and_k(work, EXPENSIVE)]


def _bottleneck(work: Working) -> list[Value]:
    formula = _in_d_and_k(work, BOTTLENECK)
    ratio = _ratio(work, BOTTLENECK, EXPENSIVE)
    return [formula, work.step("saved", f"1 - {ratio}", 1 - ratio)]


def _three_times(work: Working) -> list[Value]:
    ratio = _ratio(work, EXPENSIVE, BOTTLENECK)
    more = work.step("more than the bottleneck", f"{ratio} - 1", ratio - 1)
    _ratio(work, EXPENSIVE, BOTTLENECK, "grid_reduction_35")
    return [ratio, more]


def _parallel(work: Working) -> list[Value]:
    formula = _in_d_and_k(work, PARALLEL)
    return [_ratio(work, PARALLEL, BOTTLENECK), formula]


CLAIMS = (
    Claim(
        "reduction-expensive",
        "5",
        "A convolution on d x d x k to 2k channels and a pooling behind it cost 2 d^2 k^2.",
        (Formula("multiply-adds", "2 * d**2 * k**2"),),
        _expensive,
    ),
    Claim(
        "reduction-bottleneck",
        "5",
        "With the pooling first it is 2 (d/2)^2 k^2, the cost reduced by a quarter.",
        (Formula("multiply-adds", "2 * (d/2)**2 * k**2"), Exactly("saved", "25", PERCENT)),
        _bottleneck,
        "The cost falls to a quarter, not by a quarter.",
    ),
    Claim(
        "reduction-3x",
        "figure 9",
        "The expensive form is 3 times more expensive than the one with the bottleneck.",
        (Exactly("as a factor", "3", TIMES), Exactly("as what is added", "3", TIMES)),
        _three_times,
        '"3 times more" is true of what is added, not of the factor.',
    ),
    Claim(
        "reduction-parallel",
        "figure 10",
        "A pooling and a strided convolution to k channels side by side are cheaper still, an eighth of "
        "2 d^2 k^2.",
        (
            Bound("by the bottleneck", "1", TIMES, relation="<"),
            Formula("multiply-adds", "2 * d**2 * k**2 / 8"),
        ),
        _parallel,
    ),
)
