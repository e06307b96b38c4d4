"""The picture of the audit: the quotient of each recomputed figure and the stated one."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from costlab.algebra.combine import UNVERIFIED
from costlab.paper.audit import AuditedClaim
from costlab.paper.stated import Verdict
from costlab.report.figure import COLORS, SMALL, WIDTH, Picture, add_title, format_ratios, wrap_text
from costlab.report.tables.count import NOT_VERIFIED
from costlab.report.tables.verify import as_stated, figures_of, marked_id, summary_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOOKS = {
    str(Verdict.HOLDS): (COLORS[2], "^"),
    str(Verdict.CLOSE): (COLORS[1], "s"),
    str(Verdict.DIFFERS): (COLORS[3], "X"),
}


class Dot(NamedTuple):
    """One figure: claim, name, the stated and the recomputed value, and their exact quotient, as text."""

    claim: str
    figure: str
    stated: str
    recomputed: str
    quotient: str
    verdict: str


class Verdicts(NamedTuple):
    """The data: every figure that is a number and not exact, and the verdicts on all claims and figures."""

    title: str
    dots: tuple[Dot, ...]
    tally: tuple[tuple[str, int], ...]
    claims: str
    figures: str


def verdicts(claims: Sequence[AuditedClaim]) -> Verdicts:
    """The figures with a deviation, in the order of the claims, and the number of figures by verdict."""
    dots, outcomes = [], [(audited, outcome) for audited in claims for outcome in audited.outcomes]
    for audited, outcome in outcomes:
        deviation = outcome.deviation
        if outcome.verdict is Verdict.EXACT or deviation is None or deviation <= -1:
            continue
        stated = outcome.stated
        dots.append(
            Dot(
                marked_id(audited),
                stated.name,
                stated.text,
                as_stated(stated, outcome.value),
                str(1 + deviation),
                str(outcome.verdict),
            )
        )
    tally = [(str(v), sum(outcome.verdict is v for _, outcome in outcomes)) for v in Verdict]
    return Verdicts(
        "The claims of the paper, figure by figure: recomputed by stated",
        tuple(dots),
        tuple((verdict, number) for verdict, number in tally if number),
        summary_of(claims),
        figures_of(claims),
    )


def verdicts_picture(claims: Sequence[AuditedClaim]) -> Picture[Verdicts]:
    """A row for each figure, with a dot at the quotient, whose color and shape show the verdict."""
    data = verdicts(claims)
    alt = "Dots: each recomputed figure by the stated one, on a logarithmic axis, told apart by verdict"
    return Picture("claims", alt, data, draw_verdicts, (WIDTH, 2.0 + 0.25 * len(data.dots)))


def draw_verdicts(figure: "Figure", data: Verdicts) -> None:
    """Draw the quotients."""
    counted = f"{data.claims}\n{data.figures}; {len(data.dots)} drawn"
    add_title(figure, f"{data.title}\n{counted}", 82)
    axes, texts = figure.subplots(1, 2, sharey=True, width_ratios=(10, 9))
    rows = range(len(data.dots))
    places = [float(Fraction(dot.quotient)) for dot in data.dots]
    for verdict, (color, marker) in LOOKS.items():
        mine = [i for i in rows if data.dots[i].verdict == verdict]
        if mine:
            at = [places[i] for i in mine]
            axes.hlines(mine, 1, at, color=color, linewidth=1.2)
            axes.plot(at, mine, marker, color=color, markersize=7, label=verdict)
    axes.axvline(1, color="black", linewidth=0.8)
    names = [wrap_text(f"{dot.claim}: {dot.figure}", 44).partition("\n")[0] for dot in data.dots]
    axes.set_yticks(rows, names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(data.dots) - 0.4, -1.6)
    axes.set_xscale("log")
    axes.set_xlim(min([*places, 1]) / 1.3, max([*places, 1]) * 1.3)
    format_ratios(axes.xaxis)
    axes.set_xticks([0.5, 1, 2, 4])
    axes.tick_params(axis="x", which="minor", length=0)
    axes.grid(visible=True)
    mark = f"\n{NOT_VERIFIED}" if any(dot.claim.endswith(UNVERIFIED) for dot in data.dots) else ""
    about = (
        "recomputed by stated, logarithmic; without those met\nto the digit, not countable, or held against 0"
    )
    axes.set_xlabel(about + mark, fontsize=SMALL)
    texts.axis("off")
    for x, heading, column in ((0, "stated", "stated"), (0.56, "recomputed", "recomputed")):
        texts.text(x, -1, heading, fontsize=SMALL, fontweight="bold", va="center")
        for i, dot in enumerate(data.dots):
            texts.text(x, i, getattr(dot, column), fontsize=SMALL, va="center")
    figure.legend(ncols=len(LOOKS), loc="outside lower center")
