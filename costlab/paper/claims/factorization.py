"""The claims of sections 2 and 3: the cost of a weight, and the savings by factorized convolutions."""

import re
from fractions import Fraction
from itertools import pairwise
from typing import Any

from costlab.algebra.ops import Conv2d
from costlab.algebra.shape import Shape
from costlab.algebra.window import as_pair
from costlab.errors import DefinitionError
from costlab.paper.claim import Claim
from costlab.paper.derivation import Derivation
from costlab.paper.published import epochs_of_figure_2
from costlab.paper.stated import ABOUT, PERCENT, TIMES, Bound, Exactly, Formula, Printed, Trained, Value
from costlab.symbolic.expressions import ratio_in_symbols, saving_in_symbols


def _weight_per_activation(derivation: Derivation) -> list[Value]:
    costs = []
    for node in derivation.count("inception_v3").root.nodes():
        conv = node.block
        if isinstance(conv, Conv2d) and node.work and isinstance(node.output, Shape):
            height, width = as_pair("kernel", conv.kernel)
            weights = int(node.input[0]) // int(conv.groups) * int(height) * int(width) * int(conv.filters)
            positions = int(node.output.height) * int(node.output.width)
            costs.append(Fraction(int(node.work.multiply_adds), weights * positions))
    if not costs:
        raise DefinitionError("inception_v3 has no convolution")
    alike = sum(cost == 1 for cost in costs)
    derivation.step(
        "convolutions with C x kernel x filters x H' x W' multiply-adds", f"of {len(costs)}", alike
    )
    return [max(costs, key=lambda cost: abs(cost - 1))]


def _large(derivation: Derivation) -> list[Value]:
    five, three = (derivation.variant("large_5x5", label) for label in ("5x5", "3x3"))
    return [derivation.ratio("5x5 by 3x3", five, three)]


def _savings(derivation: Derivation, ablation: str, whole: str, parts: str, *quantities: str) -> list[Value]:
    """The saving in each quantity if the parts replace the whole."""
    savings: list[Value] = []
    for quantity in quantities:
        before, after = (derivation.variant(ablation, label, quantity) for label in (whole, parts))
        savings.append(derivation.saving(f"{quantity.replace('_', '-')} saved", after, before))
    return savings


def _two_3x3(derivation: Derivation) -> list[Value]:
    return _savings(derivation, "large_5x5", "5x5", "3x3+3x3", "multiply_adds", "parameters")


def _alpha(derivation: Derivation) -> list[Value]:
    ratio = _in_a(_ratio(derivation, "large_5x5", "5x5", "3x3+3x3", "alpha"))
    derivation.step("two 3x3 by 5x5", "closed form", ratio)
    for number in (1, 1.5, 2):
        value = ratio.subs(dict.fromkeys(ratio.free_symbols, number))
        derivation.step(f"at a={number}", re.sub(r"\ba\b", str(number), str(ratio)), float(value))
    pairs = [
        (int(node.block.filters), int(node.input[0]))
        for node in derivation.count("googlenet").root.nodes()
        if isinstance(node.block, Conv2d) and as_pair("kernel", node.block.kernel) == (5, 5)
    ]
    if not pairs:
        raise DefinitionError("googlenet has no 5x5 convolution")
    alphas = [Fraction(out, into) for out, into in pairs]
    mean = sum(alphas, Fraction(0)) / len(alphas)
    terms = " + ".join(f"{out}/{into}" for out, into in pairs)
    derivation.step("a of GoogLeNet's 5x5 branches, mean", f"({terms}) / {len(alphas)}", mean)
    derivation.step("the least", f"of {len(alphas)}", min(alphas))
    derivation.step("the most", f"of {len(alphas)}", max(alphas))
    return [ratio, mean]


def _relu(derivation: Derivation) -> list[Value]:
    epochs_of_figure_2(derivation)
    plain, linear = (derivation.variant("large_5x5", f"3x3+3x3{form}") for form in ("", ", linear between"))
    derivation.ratio("multiply-adds, linear by ReLU", linear, plain)
    return [None]


def _asymmetric(derivation: Derivation) -> list[Value]:
    return _savings(derivation, "small_3x3", "3x3", "1x3+3x1", "multiply_adds")


def _two_2x2(derivation: Derivation) -> list[Value]:
    return _savings(derivation, "small_3x3", "3x3", "2x2+2x2", "multiply_adds")


def _nxn(derivation: Derivation) -> list[Value]:
    saving = saving_in_symbols(_ratio(derivation, "nxn", "nxn", "1xn+nx1", "n"))
    savings = []
    for n in (3, 5, 7, 9):
        whole, parts = (
            derivation.size(f"conv_nxn:n={n},bn=false"),
            derivation.size(f"conv_1xn_nx1:n={n},bn=false"),
        )
        savings.append(derivation.saving(f"saved at n={n}", parts, whole))
    plain, released = derivation.size("inception_v3:kernel_7x7=7x7"), derivation.size("inception_v3")
    derivation.ratio("the whole network with plain 7x7", plain, released)
    derivation.size("inception_v3:kernel_7x7=7x7", "weights")
    grown = [after - before for before, after in pairwise(savings)]
    derivation.step("saved", "closed form", saving)
    terms = ", ".join(map(str, grown))
    return [
        saving,
        derivation.step("gained from one n to the next, at least", f"the least of {terms}", min(grown)),
    ]


def _grids(derivation: Derivation) -> list[Value]:
    for n in (35, 17, 8):
        whole, parts = (
            derivation.size(f"{target}:n=7,bn=false", input=f"64x{n}x{n}")
            for target in ("conv_nxn", "conv_1xn_nx1")
        )
        derivation.saving(f"saved on {n}x{n}", parts, whole)
    return [None]


def _in_a(ratio: Any) -> Any:
    """An expression in alpha with the shorter name a."""
    import sympy

    return ratio.subs({symbol: sympy.Symbol("a", positive=True) for symbol in ratio.free_symbols})


def _ratio(derivation: Derivation, ablation: str, whole: str, parts: str, symbol: str) -> Any:
    """The ratio of multiply-adds in a symbol, from the closed forms of two variants of a set."""
    before, after = derivation.forms(ablation, whole, parts, symbols=symbol)
    return ratio_in_symbols(after.multiply_adds, before.multiply_adds)


CLAIMS = (
    Claim(
        "weight-per-activation",
        "3",
        "Every weight of a convolution is one multiplication per position of its output.",
        (Exactly("multiply-adds per weight and position", "1"),),
        _weight_per_activation,
    ),
    Claim(
        "5x5-vs-3x3",
        "3.1",
        "A 5x5 convolution costs 2.78 times as much as a 3x3 with as many filters.",
        (Printed("5x5 by 3x3", "2.78", TIMES),),
        _large,
    ),
    Claim(
        "two-3x3",
        "3.1",
        "Two 3x3 convolutions in place of a 5x5 save 28% of the multiply-adds and of the parameters.",
        (Printed("multiply-adds saved", "28", PERCENT), Printed("parameters saved", "28", PERCENT)),
        _two_3x3,
    ),
    Claim(
        "two-3x3-alpha",
        "3.1",
        "Where a 5x5 has a times as many channels out as in (the paper's alpha), each of the two 3x3 takes a "
        "step of sqrt(a); a is about 1.5 in GoogLeNet.",
        (
            Formula("two 3x3 by 5x5", "9 * (1 + a) / (25 * sqrt(a))"),
            Printed("a in GoogLeNet", "1.5", within=ABOUT),
        ),
        _alpha,
        "The 5x5 branches of GoogLeNet expand more than the paper says. The ratio rises only slowly with a.",
    ),
    Claim(
        "relu-vs-linear",
        "figure 2",
        "With a ReLU between the two 3x3, a network reaches 77.2% after 3.86 million steps, with a linear "
        "layer there 76.2%.",
        (
            Trained(
                "top-1 accuracy",
                "77.2% against 76.2%",
                "large_5x5: the variants 3x3+3x3 and 3x3+3x3, linear between",
                ("linear",),
            ),
        ),
        _relu,
    ),
    Claim(
        "asymmetric",
        "3.2",
        "A 3x1 and a 1x3 convolution in place of a 3x3 are 33% cheaper.",
        (Printed("multiply-adds saved", "33", PERCENT),),
        _asymmetric,
    ),
    Claim(
        "two-2x2",
        "3.2",
        "Two 2x2 convolutions in place of a 3x3 save only 11%.",
        (Printed("multiply-adds saved", "11", PERCENT),),
        _two_2x2,
    ),
    Claim(
        "nxn",
        "3.2",
        "A 1 x n and an n x 1 convolution in place of an n x n save the more, the larger n is.",
        (Formula("saved", "1 - 2 / n"), Bound("more saved by a larger n", "0", relation=">")),
        _nxn,
    ),
    Claim(
        "medium-grids",
        "3.2",
        "The asymmetric factorization works well on grids of 12x12 to 20x20.",
        (
            Trained(
                "accuracy by grid",
                "12 to 20",
                "inception_v3, with the asymmetric kernels on one grid after the other",
                ("nxn", "small_3x3"),
            ),
        ),
        _grids,
        "What is saved is the same on every grid: counting says nothing for or against it.",
    ),
)
