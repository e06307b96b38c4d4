"""Reconciling: what each tool reports of one network, the terms that it consists of, and why two differ."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from costlab.algebra.dim import Dim, is_number, total
from costlab.counting.convention import (
    MULTIPLY_ADDS,
    NOT_SEEN,
    PER_INPUT,
    Convention,
    convention,
    conventions,
    term_of,
)
from costlab.counting.conventions.quantities import quantity_of
from costlab.counting.count import Count
from costlab.counting.family import FAMILIES, OTHER
from costlab.counting.holds import failures, in_words, is_of, unknown_among
from costlab.counting.row import DEFAULT
from costlab.counting.terms import Term
from costlab.errors import DefinitionError

NAMES = (MULTIPLY_ADDS, NOT_SEEN, "bias", *FAMILIES, OTHER)
"""The names of terms, in the order in which they are shown."""


class Account(NamedTuple):
    """The number of a convention, and the terms that add up to it; the first are the plain multiply-adds."""

    convention: Convention
    number: int
    terms: tuple[Term, ...]
    unknown: dict[str, int]

    @property
    def plain(self) -> int:
        """The multiply-adds of the network, at what the convention has for each."""
        return self.of(MULTIPLY_ADDS)

    @property
    def difference(self) -> int:
        """What the tool reports beyond the plain multiply-adds."""
        return self.number - self.plain

    @property
    def defects(self) -> tuple[Term, ...]:
        """The terms that are wrong, with words that say what is."""
        return tuple(term for term in self.terms if term.reason)

    def of(self, name: str) -> int:
        """The sum of the terms of a name."""
        return sum(int(term.amount) for term in self.terms if term.name == name)


class Line(NamedTuple):
    """A term in which two tools differ, and why."""

    name: str
    first: int
    second: int
    why: str

    @property
    def difference(self) -> int:
        """How much more the first has of it."""
        return self.first - self.second


def account(count: Count, by: Convention) -> Account:
    """The number of a convention for a count, by term.

    Raises:
        DefinitionError: the count is for symbols or arrays, or of a part only.
    """
    count.refuse_partial("a tool counts the whole or fails")
    if not is_number(count.batch, *count.total.sizes):
        raise DefinitionError(f"{count.label}: only numbers are charged as {by.name} charges them")
    count = count.under(by.name)
    sums: dict[tuple[str, str], Dim] = {}
    for node in count.operations:
        for term in by.terms(node, count.batch):
            key = (term.name, term.reason)
            sums[key] = total((sums.get(key, 0), term.amount))
    order = {name: place for place, name in enumerate(NAMES)}
    sizes = zip(sums, _rounded(sums.values()), strict=True)
    terms = (Term(name, size, reason) for (name, reason), size in sizes if size or name == MULTIPLY_ADDS)
    shown = tuple(sorted(terms, key=lambda term: (order[term.name], term.reason)))
    return Account(by, int(count.cost), shown, unknown_among(by, count.operations))


def _rounded(sizes: Iterable[Dim]) -> Iterator[int]:
    """Whole numbers whose sum is that of the sizes, rounded down; each is less than 1 from its size."""
    whole: Dim = 0
    for size in sizes:
        before, whole = whole, total((whole, size))
        yield int(whole // 1 - before // 1)


def reconcile(count: Count) -> tuple[Account, ...]:
    """An account for every convention that has a number for it: ours first, then those of the tools.

    Raises:
        DefinitionError: the count is for symbols or arrays, or of a part only.
    """
    having = (each for each in conventions().values() if is_of(each, count) and not failures(each, count))
    return tuple(account(count, each) for each in having)


def failing(count: Count) -> dict[str, str]:
    """The tools that fail on a count, by the names of their conventions: on what, in words."""
    having = (each for each in conventions().values() if is_of(each, count))
    return {each.name: in_words(found) for each in having if (found := failures(each, count))}


def explain(count: Count, first: Account, second: Account) -> tuple[Line, ...]:
    """A line for each term in which two accounts of a count differ.

    Raises:
        DefinitionError: both are of one convention.
    """
    if first.convention.name == second.convention.name:
        raise DefinitionError(f"{first.convention.name} does not differ from itself: name two conventions")
    names = [name for name in NAMES if first.of(name) != second.of(name)]
    return tuple(
        Line(name, first.of(name), second.of(name), _why(count, name, first, second)) for name in names
    )


def _why(count: Count, name: str, *accounts: Account) -> str:
    """What each of two charges for the kinds of operations that a term consists of."""
    if name == MULTIPLY_ADDS:
        return " against ".join(f"{each.convention.scale} for each" for each in accounts)
    return " against ".join(_charged(count, name, each) for each in accounts)


def _charged(count: Count, name: str, account: Account) -> str:
    reasons = dict.fromkeys(term.reason for term in account.terms if term.name == name and term.reason)
    rates: dict[str, None] = {}
    if name != NOT_SEEN:
        by = account.convention
        for operation in (each for node in count.operations for each in by.operations_of(node)):
            charged = {
                quantity: rate
                for quantity, rate in by.rates(operation).items()
                if quantity.removesuffix(PER_INPUT) != DEFAULT
                and term_of(operation.work.kind, quantity) == name
                and quantity_of(operation, quantity.removesuffix(PER_INPUT)) != 0
            }
            if charged:
                rates[f"{operation.kind} {rates_in_words(charged)}"] = None
    return ", ".join([*rates, *reasons]) or "nothing"


def rates_in_words(charged: Mapping[str, int]) -> str:
    """Coefficients in words: ``2 x outputs + scalings per input of the batch``."""
    terms = []
    for quantity, rate in charged.items():
        name = quantity.removesuffix(PER_INPUT).replace("_", " ")
        share = " per input of the batch" if quantity.endswith(PER_INPUT) else ""
        terms.append(f"{'' if rate == 1 else f'{rate} x '}{name}{share}")
    return " + ".join(terms).replace("+ -", "- ").replace("- 1 x ", "- ")


def account_of(accounts: Iterable[Account], name: str) -> Account:
    """The account of the convention of that name.

    Raises:
        DefinitionError: there is none, or it has no number for what was counted.
    """
    wanted = convention(name).name
    for each in accounts:
        if each.convention.name == wanted:
            return each
    raise DefinitionError(f"{name} has no number for it (see costlab reconcile without --explain)")
