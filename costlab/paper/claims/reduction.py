"""The claims of section 5: grid reductions, computed as in the paper, with 1x1 kernels on d x d x k."""

from fractions import Fraction
from typing import Any

from costlab.paper.claim import Claim
from costlab.paper.derivation import Derivation
from costlab.paper.stated import PERCENT, TIMES, Bound, Exactly, Formula, Trained, Value

EXPENSIVE, BOTTLENECK, PARALLEL = "convolution, pooling", "pooling, convolution", "side by side"


def _in_d_and_k(derivation: Derivation, label: str) -> Any:
    """The multiply-adds of a reduction from d x d x k to d/2 x d/2 x 2k."""
    import sympy

    (form,) = derivation.forms("grid_reduction", label)
    k, d = sympy.symbols("k d", positive=True)
    channels, height, width = (form.symbols[name] for name in "CHW")
    form_in_k = form.multiply_adds.subs({channels: k, height: d, width: d})
    return derivation.step(f"multiply-adds of {label}", "closed form, with C=k and H=W=d", form_in_k)


def _ratio(derivation: Derivation, label: str, by: str, ablation: str = "grid_reduction") -> Fraction:
    size, whole = derivation.variant(ablation, label), derivation.variant(ablation, by)
    return derivation.ratio(f"{label} by {by}", size, whole)


def _expensive(derivation: Derivation) -> list[Value]:
    return [_in_d_and_k(derivation, EXPENSIVE)]


def _bottleneck(derivation: Derivation) -> list[Value]:
    formula = _in_d_and_k(derivation, BOTTLENECK)
    ratio = _ratio(derivation, BOTTLENECK, EXPENSIVE)
    return [formula, derivation.step("saved", f"1 - {ratio}", 1 - ratio), None]


def _three_times(derivation: Derivation) -> list[Value]:
    ratio = _ratio(derivation, EXPENSIVE, BOTTLENECK)
    more = derivation.step("more than the bottleneck", f"{ratio} - 1", ratio - 1)
    _ratio(derivation, EXPENSIVE, BOTTLENECK, "grid_reduction_35")
    return [ratio, more]


def _parallel(derivation: Derivation) -> list[Value]:
    formula = _in_d_and_k(derivation, PARALLEL)
    return [_ratio(derivation, PARALLEL, BOTTLENECK), formula]


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
        "With the pooling first it is 2 (d/2)^2 k^2, the cost reduced by a quarter, and a network less "
        "expressive.",
        (
            Formula("multiply-adds", "2 * (d/2)**2 * k**2"),
            Exactly("saved", "25", PERCENT),
            Trained(
                "how expressive",
                "less",
                "inception_v3:reductions=pool+conv beside the released one",
                ("bottleneck",),
            ),
        ),
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
