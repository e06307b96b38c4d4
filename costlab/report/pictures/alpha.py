"""The picture of two 3x3 in place of a 5x5 that also changes the number of channels."""

from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

from costlab.counting.count import count
from costlab.paper.audit import verify
from costlab.paper.stated import Printed
from costlab.report.cell import in_percent, ratio
from costlab.report.figure import COLORS, SMALL, WIDTH, Picture, add_title, format_percents
from costlab.report.labels import Point, label_points
from costlab.symbolic.derive import closed_forms
from costlab.symbolic.expressions import ratio_in_symbols

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHANNELS = 144
COUNTED = tuple(Fraction(a) for a in ("1/4", "4/9", "1", "9/4", "4"))
"""Squares of fractions, chosen so that channel counts are whole and counts equal the closed form."""
CURVE = tuple(Fraction(step, 40) for step in range(9, 181))


class Alpha(NamedTuple):
    """The data: the saving by the closed form and by counts, and the alphas of the paper and of GoogLeNet.

    Every number is text: those of the curve in six digits, the others exact.
    """

    title: str
    formula: str
    curve: tuple[tuple[str, str], ...]
    counted: tuple[tuple[str, str], ...]
    stated: str
    mean: str
    branches: tuple[str, str]
    sources: tuple[str, str]


def alpha() -> Alpha:
    """The closed form from the definitions, counts beside it, and GoogLeNet's own branches."""
    import sympy

    forms = {form.label: form for form in closed_forms(ablation="large_5x5", symbols="alpha")}
    form = 1 - ratio_in_symbols(forms["3x3+3x3"].multiply_adds, forms["5x5"].multiply_adds)
    (symbol,) = form.free_symbols
    curve = [(str(a), str(form.subs(symbol, sympy.Rational(str(a))).evalf(6))) for a in CURVE]
    (claim,) = verify("two-3x3-alpha")
    steps = {step.name: step.value for step in claim.steps}
    stated, mean = claim.claim.stated[1], claim.outcomes[1].value
    assert isinstance(stated, Printed)
    return Alpha(
        f"Two 3x3 in the place of a 5x5 with {symbol} times as many channels out as in",
        f"1 - {1 - form}",
        tuple(curve),
        tuple((str(a), str(_saved(a))) for a in COUNTED),
        stated.digits,
        str(mean),
        (str(steps["the least"]), str(steps["the most"])),
        (
            f"the paper says\n{stated.digits} for GoogLeNet",
            f"GoogLeNet's 5x5: {steps['the least']} to {steps['the most']},\nmean {ratio(mean)}",
        ),
    )


def _saved(a: Fraction) -> Fraction:
    out = CHANNELS * a
    between = CHANNELS * Fraction(isqrt(a.numerator), isqrt(a.denominator))
    shape = f"channels={CHANNELS},filters={out},bn=false"
    two = count(f"conv_stack:n=3,parts=2,between={between},{shape}")
    return 1 - Fraction(int(two.multiply_adds), int(count(f"conv_nxn:n=5,{shape}").multiply_adds))


def alpha_picture() -> Picture[Alpha]:
    """The curve of the closed form, the counts on it, and where the paper and GoogLeNet lie."""
    alt = "A curve: what two 3x3 save of a 5x5 against alpha, with counts, the paper's alpha and GoogLeNet's"
    return Picture("alpha", alt, alpha(), draw_alpha, (WIDTH, 4.4))


def draw_alpha(figure: "Figure", data: Alpha) -> None:
    """Draw the saving against alpha."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    add_title(figure, f"{data.title}:\nsaved {data.formula}")
    axes = figure.subplots()
    curve, counted = (
        [(float(Fraction(a)), float(Fraction(saved))) for a, saved in pairs]
        for pairs in (data.curve, data.counted)
    )
    axes.plot(*zip(*curve, strict=True), color=COLORS[0], linewidth=1.6, zorder=2)
    axes.plot(*zip(*counted, strict=True), color=COLORS[0], marker="o", linestyle="none", zorder=3)
    stated, mean, least, most = (float(Fraction(a)) for a in (data.stated, data.mean, *data.branches))
    axes.axvspan(least, most, color=COLORS[1], alpha=0.18, linewidth=0, zorder=0)
    for at, color, text, side in (
        (stated, COLORS[3], data.sources[0], "right"),
        (mean, COLORS[1], data.sources[1], "left"),
    ):
        axes.axvline(at, color=color, linewidth=1.4, linestyle=(0, (4, 3)), zorder=1)
        away = (-5 if side == "right" else 5, 0)
        axes.annotate(text, (at, 0.335), away, textcoords="offset points", fontsize=SMALL, ha=side, va="top")
    axes.set_xscale("log")
    axes.set_xlim(curve[0][0], 7)
    axes.set_ylim(0, 0.34)
    named = {float(Fraction(a)): a for a, _ in data.counted}
    axes.xaxis.set_major_locator(FixedLocator(list(named)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: named.get(value, f"{value:g}")))
    format_percents(axes.yaxis)
    axes.grid(visible=True, axis="y")
    axes.set_xlabel("alpha, channels out by channels in (logarithmic)")
    axes.set_ylabel("multiply-adds saved")
    points = [
        Point(*at, in_percent(Fraction(saved)), COLORS[0])
        for at, (_, saved) in zip(counted, data.counted, strict=True)
    ]
    label_points(axes, points, [curve])
