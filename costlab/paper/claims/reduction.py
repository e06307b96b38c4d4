"""Section 5: grid reductions, reckoned as the paper does with 1x1 kernels on d x d x k."""

from typing import Any

from costlab.counting.symbolic import closed_forms
from costlab.paper.claim import Claim
from costlab.paper.stated import PERCENT, TIMES, Bound, Exactly, Formula, Value
from costlab.paper.working import Working

EXPENSIVE, BOTTLENECK, PARALLEL = "convolution, pooling", "pooling, convolution", "side by side"


def _in_d_and_k(label: str) -> Any:
    """The multiply-adds of a reduction from d x d x k to d/2 x d/2 x 2k."""
    import sympy

    form = next(form for form in closed_forms(ablation="grid_reduction") if form.label == label)
    d, k = sympy.symbols("d k", positive=True)
    symbols = form.symbols
    return form.multiply_adds.subs({symbols["C"]: k, symbols["H"]: d, symbols["W"]: d})


def _ratio(work: Working, label: str, by: str, ablation: str = "grid_reduction") -> Any:
    size, whole = work.variant(ablation, label), work.variant(ablation, by)
    return work.ratio(f"{label} by {by}", size, whole)


def _expensive(work: Working) -> list[Value]:
    return [work.step("multiply-adds of convolution, then pooling", "closed form", _in_d_and_k(EXPENSIVE))]


def _bottleneck(work: Working) -> list[Value]:
    formula = work.step("multiply-adds of pooling, then convolution", "closed form", _in_d_and_k(BOTTLENECK))
    ratio = _ratio(work, BOTTLENECK, EXPENSIVE)
    return [formula, work.step("saved", f"1 - {ratio}", 1 - ratio)]


def _three_times(work: Working) -> list[Value]:
    ratio = _ratio(work, EXPENSIVE, BOTTLENECK)
    more = work.step("more than the bottleneck", f"{ratio} - 1", ratio - 1)
    work.step("from 35x35 to 17x17", "(35 / 17)^2", _ratio(work, EXPENSIVE, BOTTLENECK, "grid_reduction_35"))
    return [ratio, more]


def _parallel(work: Working) -> list[Value]:
    work.step("multiply-adds side by side", "closed form", _in_d_and_k(PARALLEL))
    _ratio(work, PARALLEL, EXPENSIVE)
    return [_ratio(work, PARALLEL, BOTTLENECK)]


CLAIMS = (
    Claim(
        "reduction-expensive",
        "5",
        "A convolution on d x d x k to 2k channels and a pooling behind it cost 2 d^2 k^2.",
        (Formula("multiply-adds", "2*d**2*k**2"),),
        _expensive,
    ),
    Claim(
        "reduction-bottleneck",
        "5",
        "With the pooling first it is 2 (d/2)^2 k^2, the cost reduced by a quarter.",
        (Formula("multiply-adds", "2*(d/2)**2*k**2"), Exactly("saved", "25", PERCENT)),
        _bottleneck,
        "The cost falls to a quarter, not by a quarter.",
    ),
    Claim(
        "reduction-3x",
        "figure 9",
        "The expensive form is 3 times more expensive than the one with the bottleneck.",
        (Exactly("as a factor", "3", TIMES), Exactly("as what is added", "3", TIMES)),
        _three_times,
        'It costs 4 times as much. "3 times more" is true only of what is added, 300% more.',
    ),
    Claim(
        "reduction-parallel",
        "figure 10",
        "A pooling and a strided convolution side by side are cheaper still.",
        (Bound("by the bottleneck", "1", TIMES, relation="<"),),
        _parallel,
    ),
)
