"""Texts that state something: read by Python's parser, and why one cannot be, in words."""

import ast
import re
import warnings
from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction
from typing import NoReturn

from costlab.errors import DefinitionError
from costlab.explore.amount import POWERS, amount_of_bytes
from costlab.explore.quantities import PEAK_MEMORY
from costlab.messages import harmless, named, shortened

MOST_BITS = 10_000
"""The most binary digits of a number, and of those on the way to one."""
LONGEST = 4_000
"""The most characters of an expression."""
SUFFIX = re.compile(r"(?<![\w.])(\d[\d_]*(?:\.[\d_]*)?)\s*([kKmMgGbBtTpP])(?!\w)")
BYTES = re.compile(
    r"""(?P<quoted>'[^']*'|"[^"]*")|(?<![\w.])\d[\d_]*(?:\.[\d_]*)?(?:e\d+)?\s*[kmgtp]i?b(?!\w)""",
    re.IGNORECASE,
)
"""An amount of bytes, or a text in quotes, in which there is none."""
INSTEAD = (
    (re.compile(r"\b\d+x\d"), 'put texts in quotes, as in "5x5"'),
    (re.compile(r"\d,\d{3}(?!\d)"), "write numbers without commas, as in 5_000_000"),
    (re.compile(r"&&|\|\||!(?!=)"), "write and, or, not"),
    (re.compile(r"=<|=>|<>"), "write <=, >= or !="),
    (re.compile(r"(?<![<>=!:])=(?!=)"), "write == for what is equal"),
    (re.compile(r"\d\s*%\s*(?:\W|$)"), "write 1% as 0.01"),
    (
        re.compile("[\u2264\u2265\u2260\u00d7\u00b7\u2212]"),
        "write <=, >=, !=, * or -",
    ),
)
"""What people write, and what is meant."""
PARTS: dict[type[ast.AST], str] = {
    ast.Call: "a call",
    ast.Attribute: "an attribute",
    ast.Subscript: "an index",
    ast.Slice: "a slice",
    ast.Lambda: "a function",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "an f-string",
    ast.IfExp: "a choice by if and else",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.List: "a list",
    ast.Starred: "a star before a value",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.MatMult: "@",
    ast.BitAnd: "& (write and)",
    ast.BitOr: "| (write or)",
    ast.BitXor: "^ (write ** for a power)",
    ast.LShift: "<<",
    ast.RShift: ">>",
}


def what(node: ast.AST) -> str:
    """What a part of an expression is, in words."""
    return PARTS.get(type(node), type(node).__name__)


class Written:
    """A text that states a condition or a quantity; ``option`` is what it was given for."""

    def __init__(self, text: str, option: str, kind: str) -> None:
        self.option = option
        self.kind = kind
        self.in_bytes = False
        self.text = text.strip()
        if len(self.text) <= LONGEST:
            self.text = BYTES.sub(self._plain, self.text)

    def _plain(self, found: re.Match[str]) -> str:
        """An amount of bytes as a number, or a quotient where it is not whole."""
        if found["quoted"]:
            return found[0]
        self.in_bytes = True
        number = amount_of_bytes(found[0], self.option, least=0)
        return str(number) if isinstance(number, int) else f"({number})"

    def refuse(self, reason: str, node: ast.AST | None = None) -> NoReturn:
        """Raise `DefinitionError` for the text, or for a part of it."""
        raise DefinitionError(f"{self.option}: {reason}{f': {self.shown(node)}' if node else ''}")

    def refuse_bytes(self, quantities: Collection[str]) -> None:
        """Refuse amounts of bytes where nothing is asked that is measured in them."""
        if self.in_bytes and PEAK_MEMORY not in quantities:
            self.refuse(f"units of bytes go with {PEAK_MEMORY}")

    def shown(self, node: ast.AST) -> str:
        """A part of the text in a message."""
        part = self.source(node) or self.text
        return shortened(harmless(" ".join(part.split())))

    def source(self, node: ast.AST) -> str:
        """A part of the text as it is written."""
        return ast.get_source_segment(self.text, node) or ""

    def exactly(self, node: ast.Constant, value: float) -> Fraction:
        """A number as the decimal that it is written as."""
        if isinstance(value, int) and value.bit_length() <= MOST_BITS:
            return Fraction(value)
        try:
            number = Decimal(self.source(node))
        except ArithmeticError:
            number = Decimal("inf")
        digits = number.as_tuple()
        if isinstance(value, int) or abs(number.adjusted()) + len(digits.digits) > MOST_BITS // 4:
            self.refuse("a number is too large, or too small", node)
        return Fraction(number)

    def tree(self) -> ast.expr:
        """The text as Python's parser reads it."""
        if not self.text:
            self.refuse(f"'' states no {self.kind.partition(' ')[2]}")
        if len(self.text) > LONGEST:
            self.refuse(f"it is longer than {LONGEST:,} characters")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what Python finds odd is refused here, or is not odd
                return ast.parse(self.text, mode="eval").body
        except (RecursionError, MemoryError):
            self.refuse("it is nested too deeply")
        except (SyntaxError, ValueError, OverflowError) as error:
            self.refuse(f"{named(harmless(self.text))} cannot be read: {_hint(self.text, error)}")


def _hint(text: str, error: SyntaxError | ValueError | OverflowError) -> str:
    """Why Python's parser does not read a text, or what to write instead."""
    reason = str(getattr(error, "msg", error))
    if "nested" in reason:
        return "it is nested too deeply"
    if "null byte" in reason:
        return "it holds a sign that ends texts"
    if "digits" in reason or "integer string conversion" in reason:
        return "it holds a number that is too large"
    if found := SUFFIX.search(text):
        return f"write {found[0]} as {found[1]}e{POWERS[found[2].lower()]}"
    for sign, instead in INSTEAD:
        if sign.search(text):
            return instead
    return f"at character {place} of it" if (place := getattr(error, "offset", None)) else "it is malformed"
