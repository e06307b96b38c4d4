"""The picture of a comparison. Drawn without a display and the same on every machine."""

from fractions import Fraction
from hashlib import sha256
from io import BytesIO
from json import dumps
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple
from warnings import catch_warnings, simplefilter

from costlab.algebra.combine import UNVERIFIED
from costlab.counting.compare import Comparison
from costlab.counting.count import MEASURES
from costlab.report.cell import human, percent
from costlab.report.compare import TITLES
from costlab.report.count import NOT_VERIFIED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = ("#0072B2", "#E69F00", "#009E73")
"""Blue, orange and green that color-blind people tell apart (M. Okabe and K. Ito, 2008)."""
HATCHES = ("", "///", "...")
DPI = 150
THICKNESS = 0.27
MANY = 9
"""What is more than ten times as much is told so, not in percent."""
FAR = 100
"""Ratios that lie so many times apart are drawn on a logarithmic axis."""


class Bars(NamedTuple):
    """What is drawn: per variant and quantity the size, and what of the baseline is saved."""

    title: str
    baseline: str
    variants: tuple[str, ...]
    sizes: tuple[tuple[int, ...], ...]
    relative: tuple[tuple[float, ...], ...]
    texts: tuple[tuple[str, ...], ...]

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest ratio that is drawn, the baseline's 1 among them."""
        drawn = [1.0, *(ratio for row in self.relative for ratio in row if ratio)]
        return min(drawn), max(drawn)

    @property
    def logarithmic(self) -> bool:
        """Whether the ratios lie too far apart for an even axis."""
        return self.ends[1] > FAR * self.ends[0]

    @property
    def digest(self) -> str:
        """What the data that is drawn hashes to."""
        return sha256(dumps(self).encode()).hexdigest()


def bars_of(comparison: Comparison) -> Bars:
    """The data of the picture, for every variant and the baseline."""
    relative, texts = [], []
    for count in comparison.counts:
        ratios = [comparison.ratio(count, name) for name in MEASURES]
        relative.append(tuple(0.0 if ratio is None else float(ratio) for ratio in ratios))
        texts.append(tuple("none in the baseline" if ratio is None else _told(1 - ratio) for ratio in ratios))
    return Bars(
        comparison.title,
        comparison.baseline.shown,
        tuple(count.shown for count in comparison.counts),
        tuple(tuple(int(getattr(count.total, name)) for name in MEASURES) for count in comparison.counts),
        tuple(relative),
        tuple(texts),
    )


def compare_figure(comparison: Comparison) -> bytes:
    """Bars of multiply-adds, parameters and activations by the baseline's, as PNG.

    Each variant is a group; on the bars stands what is saved. The file holds the digest of its data.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    bars = bars_of(comparison)
    with mpl.rc_context(), catch_warnings():
        mpl.rcdefaults()  # the same picture whatever the user's own style
        mpl.rc("font", family="DejaVu Sans", size=9)
        mpl.rc("hatch", linewidth=0.6)
        figure = Figure(figsize=(8, 1.4 + 0.78 * len(bars.variants)), dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(
            _wrapped(bars.title, 84), x=0.01, ha="left", fontsize=10, fontweight="bold", parse_math=False
        )
        _draw(figure.subplots(), bars)
        figure.legend(ncols=len(MEASURES), loc="outside lower center", frameon=False)
        picture = BytesIO()
        simplefilter("ignore", UserWarning)  # a sign that the font lacks is drawn as a box
        figure.savefig(picture, format="png", metadata={"Software": None, "costlab-digest": bars.digest})
    return picture.getvalue()


def _draw(axes: "Axes", bars: Bars) -> None:
    shortest, longest = bars.ends
    for i, name in enumerate(MEASURES):
        drawn: Any = axes.barh(
            [row + (i - 1) * THICKNESS for row in range(len(bars.variants))],
            [row[i] for row in bars.relative],
            THICKNESS * 0.92,
            color=COLORS[i],
            hatch=HATCHES[i],
            edgecolor="white",
            label=TITLES[name],
        )
        labels = [
            f"{human(sizes[i])}{texts[i] and ', '}{texts[i]}"
            for sizes, texts in zip(bars.sizes, bars.texts, strict=True)
        ]
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        axes.bar_label(drawn, labels, padding=3, fontsize=7.5, bbox=behind)
    axes.axvline(1, color="black", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    labels = [_wrapped(label, 28) for label in bars.variants]
    axes.set_yticks(range(len(bars.variants)), labels, parse_math=False)
    axes.set_ylim(len(bars.variants) - 0.5, -0.5)
    if bars.logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(shortest / 3, longest * 25)
    else:
        axes.set_xlim(0, 1.35 * longest)
    told = _wrapped(f"relative to {bars.baseline}{', logarithmic' * bars.logarithmic}", 84)
    if any(label.endswith(UNVERIFIED) for label in bars.variants):
        told += f"\n{NOT_VERIFIED}"
    axes.set_xlabel(told, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)


def _wrapped(text: str, width: int) -> str:
    """A text on at most three lines."""
    return "\n".join(wrap(text, width, max_lines=3, placeholder=" ..."))


def _told(saving: Fraction) -> str:
    """What is saved, in words that need no sign; nothing for nothing."""
    if saving == 0:
        return ""
    if saving < -MANY:
        return f"{float(1 - saving):.4g} times as much"
    return f"{percent(abs(saving))} {'less' if saving > 0 else 'more'}"
