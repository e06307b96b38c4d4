"""Cells: formatting one value for people, as text and as LaTeX."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from costlab.counting.row import human as human  # noqa: PLC0414  # mypy sees no other re-export
from costlab.messages import harmless

if TYPE_CHECKING:
    from fractions import Fraction

Kind = Literal[
    "text",
    "name",
    "size",
    "amount",
    "rounded",
    "printed",
    "share",
    "ratio",
    "times",
    "saving",
    "deviation",
    "change",
    "formula",
    "seconds",
    "decimal",
]
Fractions = Literal["both", "fraction", "decimal"]
"""How the fractions of a column are shown: exactly with the digits behind, or one of these."""
BAR_WIDTH = 10
SHORT = 9
"""The most characters of the fractions of a column that are shown where there is little room."""


class Note(NamedTuple):
    """A line below a table that ends in a formula."""

    text: str
    formula: Any

    def __str__(self) -> str:
        return f"{self.text} {self.formula}"


class Remark(NamedTuple):
    """A line below a table about some of its columns: it is said where one of them is shown, or all are."""

    text: str
    about: tuple[str, ...]
    all_of_them: bool = False

    def holds(self, shown: Collection[str]) -> bool:
        """Whether it is said below these columns."""
        return (all if self.all_of_them else any)(key in shown for key in self.about)


class Column(NamedTuple):
    """One column.

    ``kind`` says how values are shown: names with hyphens, sizes with thousands separators or rounded to a
    few digits, amounts so too, to the hundredth if they are not whole, and in words if they are words,
    numbers as some source prints them, changes with their sign, shares and savings in percent, deviations so
    too with their sign, ratios as fractions, or in decimals as times; seconds in their unit.
    ``sacrifice`` says how soon a narrow terminal does without it, 0 never; ``empty`` what people are shown
    for no value; with ``once`` a value is not shown again in the row below. ``marked_by`` is a column that
    says in which rows people are shown the value with the mark of what is unverified, ``partial_by`` one for
    that of what was counted in part. Where a table is too wide, cells are folded to ``fold`` characters a
    line, or more if they can be; 0 for never.
    """

    key: str
    title: str
    kind: Kind = "text"
    sacrifice: int = 0
    machine_only: bool = False
    empty: str = ""
    once: bool = False
    marked_by: str = ""
    partial_by: str = ""
    fold: int = 0

    @property
    def numeric(self) -> bool:
        """Whether cells are aligned to the right."""
        return self.kind not in ("text", "name", "formula")

    def show(self, value: Any, fractions: Fractions = "both") -> str:
        """A value for people."""
        if value is None or value == "":
            return self.empty
        if isinstance(value, bool):
            return "yes" if value else "no"
        if self.kind == "ratio":
            return ratio(value, fractions)
        shown = SHOWN.get(self.kind, str)(value)
        return shown if shown.isprintable() else " ".join(harmless(shown).split())

    def latex(self, value: Any, fractions: Fractions = "fraction") -> str:
        """A value as LaTeX, for text mode."""
        if value is None or value == "":
            return escaped(self.empty)
        if self.kind == "formula":
            return f"${latex_of(value)}$"
        if self.kind == "ratio" and fractions == "fraction":
            whole = value.denominator == 1
            return f"${value}$" if whole else rf"$\frac{{{value.numerator}}}{{{value.denominator}}}$"
        return escaped(self.show(value, fractions))


def ratio(value: "Fraction", fractions: Fractions = "both") -> str:
    """A ratio as a fraction and in four digits, ``18/25 (0.72)``, or as one of them."""
    exact, digits = str(value), f"{float(value):.4g}"
    both = exact if value.denominator == 1 else f"{exact} ({digits})"
    return {"both": both, "fraction": exact, "decimal": digits}[fractions]


def times(value: "Fraction") -> str:
    """A ratio in decimals, ``0.720x``: three digits behind the point, fewer if it is large, more if small."""
    if 0 < 10 * value < 1:
        from math import floor, log10

        digits = 2 - floor(log10(value))
    else:
        digits = max(0, 4 - len(str(int(value))))
    return f"{float(value):.{digits}f}x"


def saving(value: "Fraction") -> str:
    """A part of 1 in percent, in two decimals; from a thousand percent on, without."""
    return f"{float(100 * value):.2f}%" if abs(value) < 10 else f"{float(100 * value):.0f}%"


def in_percent(value: "Fraction") -> str:
    """A part of 1 in percent where it stands alone: ``28%`` or ``87.5%`` exactly, else in two decimals."""
    exact = (10_000 * value).denominator == 1
    return f"{float(100 * value):.2f}".rstrip("0").rstrip(".") + "%" if exact else saving(value)


def stated_percent(value: "Fraction") -> str:
    """A part of 1 in percent; one that is rounded with a short fraction behind: ``33.33% (1/3)``."""
    exact = (10_000 * value).denominator == 1
    return in_percent(value) if exact or len(str(value)) > SHORT else f"{in_percent(value)} ({value})"


def amount(value: Any) -> str:
    """A number with thousands separators, to the hundredth, or four digits if it is small; a text itself."""
    if isinstance(value, int | str):
        return value if isinstance(value, str) else f"{value:,}"
    return f"{value:,.2f}" if value >= 1 else f"{value:.4g}"


def duration(seconds: float) -> str:
    """A time in three digits: ``645 us``, ``9.65 us``, ``1,230 s``."""
    if not seconds:
        return "0"
    units = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
    one, unit = next((each for each in units if seconds >= 0.9995 * each[0]), units[-1])
    number = seconds / one
    digits = 0 if number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:,.{digits}f} {unit}"


SHOWN: Mapping[Kind, Callable[[Any], str]] = {
    "name": lambda value: str(value).replace("_", "-"),
    "size": lambda value: f"{value:,}",
    "amount": amount,
    "rounded": lambda value: human(round(value)),
    "change": lambda value: f"{value:+,}" if value else "0",
    "share": lambda value: f"{value:.1%}",
    "saving": saving,
    "deviation": lambda value: f"{float(100 * value):+.2f}%",
    "times": times,
    "seconds": duration,
    "decimal": lambda value: f"{value:,.1f}",
}
"""How a value of each kind is shown where it is not as it is."""


SPECIAL = r"""(?P<opening>(?<![^\s(\[])"(?=\S))|[<>]=|-(?=-)|[\\~^&%$#_{}<>|"`±]"""
"""What LaTeX reads as more than a sign; of two hyphens the first, which would become a dash."""
IN_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "`": r"\`{}",
    "<=": r"$\leq$",
    ">=": r"$\geq$",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "±": r"$\pm$",
    '"': "''",
    "-": "-{}",
}
"""How it is written; what is not here, with a backslash before it."""


def plural(number: int, noun: str) -> str:
    """A number with a noun: ``1 epoch``, ``15 epochs``, ``1,000 classes``."""
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def bar_of(share: float, unicode: bool = True) -> str:
    """A bar of at most `BAR_WIDTH` cells for a share of 0 to 1, in eighths of a cell."""
    eighths = round(share * BAR_WIDTH * 8)
    if not unicode:
        return ("#" * round(eighths / 8)).ljust(BAR_WIDTH)
    return ("█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8]).strip()).ljust(BAR_WIDTH)


def escaped(text: str) -> str:
    """Text escaped for LaTeX: it is printed as it is, with quotation marks that open and close."""

    def written(sign: re.Match[str]) -> str:
        return "``" if sign["opening"] else IN_LATEX.get(sign[0], f"\\{sign[0]}")

    return re.sub(SPECIAL, written, text)


def latex_of(expression: Any) -> str:
    """An expression as LaTeX; names of several letters are upright, names of Greek letters become these."""
    import sympy

    names = {}
    for symbol in sympy.sympify(expression).free_symbols:
        plain = sympy.latex(symbol)
        if len(str(symbol)) > 1 and not plain.startswith("\\"):
            names[symbol] = rf"\mathrm{{{escaped(str(symbol))}}}"
    latex: str = sympy.latex(expression, symbol_names=names)
    return latex
