"""Conditions hold where Python says so, and at most one of their conjunctions does."""

import pickle
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costlab.errors import DefinitionError
from costlab.explore.written.axis import Axis
from costlab.explore.written.condition import AtMost, Holds, all_conditions, conjunctions
from costlab.explore.written.expression import parse_condition

AXES = {
    axis.name: axis
    for axis in (
        Axis("n", (3, 5, 7)),
        Axis("width", (0.1, 0.25, 1.0)),
        Axis("form", ("5x5", "3x3")),
        Axis("deep", (True, False)),
    )
}
QUANTITIES = ("multiply_adds", "parameters", "activations")


class Both(NamedTuple):
    """The same in costlab's words and in Python's, where numbers are exact and divisions may fail."""

    text: str
    python: str

    def __add__(self, other: Any) -> "Both":
        text, python = other if isinstance(other, Both) else (other, other)
        return Both(self.text + text, self.python + python)

    def __radd__(self, other: str) -> "Both":
        return Both(other + self.text, other + self.python)


def number(text: str) -> Both:
    return Both(text, f"F('{text}')")


def holds(compare: Any) -> bool:
    try:
        return bool(compare())
    except ZeroDivisionError:
        return False


def comparison(parts: tuple[Both, str, Both, str, Both]) -> Both:
    one, sign, two, then, three = parts
    chained = one + f" {sign} " + two + (f" {then} " + three if then else "")
    if not then:
        return Both(chained.text, f"H(lambda: {chained.python})")
    pairs = f"H(lambda: {one.python} {sign} {two.python}) and H(lambda: {two.python} {then} {three.python})"
    return Both(chained.text, f"({pairs})")


NUMBERS = st.sampled_from(["0", "1", "3", "5", "0.1", "2.5", "1e1", "1_0", ".25"]).map(number)
AXIAL = st.recursive(
    NUMBERS | st.sampled_from(["n", "width"]).map(lambda name: Both(name, name)),
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda p: "(" + p[0] + f" {p[1]} " + p[2] + ")")
        | st.tuples(inner, st.sampled_from(["/", "//", "%"]), st.sampled_from(["n", "(n - 3)", "width"])).map(
            lambda p: "(" + p[0] + f" {p[1]} {p[2]})"
        )
        | inner.map(lambda one: "(-" + one + " ** 2)")
    ),
    max_leaves=3,
)
TERMS = (
    st.sampled_from(QUANTITIES).map(lambda name: Both(name, name))
    | st.tuples(AXIAL, st.sampled_from(QUANTITIES)).map(lambda p: p[0] + f" * {p[1]}")
    | st.tuples(st.sampled_from(QUANTITIES), st.sampled_from(["n", "(n - 3)", "4"])).map(
        lambda p: Both(f"{p[0]} / {p[1]}", f"{p[0]} / F({p[1]})")
    )
    | AXIAL
)


def added(terms: list[Both]) -> Both:
    first, *others = terms
    for i, term in enumerate(others):
        first += f" {'+-'[i % 2]} " + term
    return first


SUMS = st.lists(TERMS, min_size=1, max_size=3).map(added)
DIVISORS = st.sampled_from(["parameters", "(parameters - 3)", "(2 - n * activations)"])
QUOTIENTS = st.tuples(st.sampled_from(QUANTITIES), DIVISORS).map(
    lambda p: Both(f"{p[0]} / {p[1]}", f"F({p[0]}) / {p[1]}")
)
SIGNS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
ONE = st.just(number("1"))
COMPARISONS = (
    st.tuples(SUMS, SIGNS, SUMS, st.just(""), ONE)
    | st.tuples(AXIAL, SIGNS, SUMS, SIGNS, AXIAL)
    | st.tuples(AXIAL, SIGNS, AXIAL, SIGNS, NUMBERS)
    | st.tuples(QUOTIENTS, SIGNS, AXIAL, st.just(""), ONE)
).map(comparison)
STATEMENTS = (
    "deep",
    "form == '5x5'",
    "form in ('3x3', 'x')",
    "n not in (3, 5)",
    "deep == (n > 3)",
    "n in (3,)",
    "true",
)
CHOICES = st.sampled_from(STATEMENTS).map(lambda text: Both(text, text.replace("true", "True")))


def joined(parts: tuple[Both, str, Both]) -> Both:
    return "(" + parts[0] + parts[1] + parts[2] + ")"


CONDITIONS = st.recursive(
    COMPARISONS | CHOICES,
    lambda inner: (
        inner.map(lambda one: "not (" + one + ")")
        | st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(joined)
    ),
    max_leaves=5,
)
TOTALS = st.fixed_dictionaries(dict.fromkeys(QUANTITIES, st.integers(0, 12)))
MEMBERS = [
    {name: axis.exact(i) for (name, axis), i in zip(AXES.items(), places, strict=True)}
    for places in product(*(range(len(axis.values)) for axis in AXES.values()))
]


@settings(max_examples=150, deadline=None)
@given(CONDITIONS, st.lists(TOTALS, min_size=3, max_size=3))
def test_a_condition_holds_where_python_says_so(both: Both, several: list[dict[str, int]]) -> None:
    condition = parse_condition(both.text, AXES, "--where")
    try:
        cases = conjunctions(condition)
    except DefinitionError:
        cases = None  # more than 256; what the condition itself says is held against Python all the same
    code = compile(both.python, "condition", "eval")
    for i, values in enumerate(MEMBERS):
        totals = several[i % 3]
        expected = bool(eval(code, {"F": Fraction, "H": holds, **values, **totals}))
        assert condition.holds(values, totals) == expected
        if cases is not None:
            held = [all(atom.holds(values, totals) for atom in case) for case in cases]
            assert held.count(True) == expected, (both.text, values, totals)


STATED = st.recursive(
    CHOICES,
    lambda inner: (
        inner.map(lambda one: "not (" + one + ")")
        | st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(joined)
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(STATED)
def test_what_is_about_axes_alone_is_one_conjunction(both: Both) -> None:
    cases = conjunctions(parse_condition(both.text, AXES, "--where"))
    true = [bool(eval(both.python, dict(values))) for values in MEMBERS]
    assert len(cases) == any(true)
    assert all(isinstance(atom, Holds) and atom.axial.names for case in cases for atom in case)
    if all(true):
        assert cases == ((),)
    for values, expected in zip(MEMBERS, true, strict=True):
        assert any(all(atom.holds(values, {}) for atom in case) for case in cases) == expected


def written(text: str) -> list[list[str]]:
    """The conjunctions of a condition, as constants and axes tell them."""
    said = []
    for case in conjunctions(parse_condition(text, AXES, "--where")):
        atoms = []
        for atom in case:
            if isinstance(atom, AtMost):
                terms = [f"{value.at({})} {name}".strip() for name, value in atom.linear.items]
                atoms.append(" + ".join(terms) + (" < 0" if atom.strict else " <= 0"))
            else:
                atoms.append(f"{','.join(sorted(atom.axial.names))} {atom.value}")
        said.append(atoms)
    return said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("multiply_adds <= 5e9", [["-5000000000 + 1 multiply_adds <= 0"]]),
        ("parameters < 0.5", [["-1 + 2 parameters < 0"]]),
        ("4 <= parameters < 9", [["4 + -1 parameters <= 0", "-9 + 1 parameters < 0"]]),
        ("parameters == 4", [["-4 + 1 parameters <= 0", "4 + -1 parameters <= 0"]]),
        ("parameters != 4", [["4 + -1 parameters < 0"], ["-4 + 1 parameters < 0"]]),
        ("multiply_adds / parameters <= 2", [["-1 parameters < 0", "1 multiply_adds + -2 parameters <= 0"]]),
        ("parameters <= 9 and parameters <= 8", [["-8 + 1 parameters <= 0"]]),
        ("parameters <= 8 and parameters > 8", []),
        ("parameters < 0", []),
        ("parameters >= 0", [[]]),
        ("parameters > activations", [["1 activations + -1 parameters < 0"]]),
        ("parameters - activations < 0", [["-1 activations + 1 parameters < 0"]]),
        ("parameters - parameters <= 1", [[]]),
        ("n == 3 or width > 0.1", [["n,width True"]]),
        ("n == 3 and width > 0.1 and deep", [["deep True", "n True", "width True"]]),
        ("n == 3 and n == 5", []),
        (
            "n == 3 and parameters <= 1 or n == 5 and parameters <= 2",
            [["n True", "-1 + 1 parameters <= 0"], ["n True", "-2 + 1 parameters <= 0"]],
        ),
        (
            "parameters <= 1 or 3 <= parameters <= 4",
            [["-1 + 1 parameters <= 0"], ["3 + -1 parameters <= 0", "-4 + 1 parameters <= 0"]],
        ),
    ],
)
def test_conjunctions_are_few_and_short(text: str, expected: list[list[str]]) -> None:
    assert written(text) == expected


def test_what_splits_into_too_many_cases_is_refused() -> None:
    def cases(count: int) -> str:
        return " and ".join(f"(parameters <= {i} * n or activations <= {i} / n)" for i in range(count))

    assert len(conjunctions(parse_condition(cases(8), AXES, "--where"))) == 256
    with pytest.raises(DefinitionError, match=r"^--where: it splits into more than 256 cases"):
        conjunctions(parse_condition(cases(9), AXES, "--where"))


def test_conditions_join_and_travel() -> None:
    texts = ("parameters <= 9 or deep", "n / (n - 3) * activations > 2")
    one, two = (parse_condition(text, AXES, "--where") for text in texts)
    all_of = all_conditions([one, two])
    assert all_of.text == "(parameters <= 9 or deep) and (n / (n - 3) * activations > 2)"
    assert all_of.quantities == {"parameters", "activations"}
    assert [axis.name for axis in all_of.axes] == ["deep", "n"]
    assert all_conditions([one]) == one
    sent = pickle.loads(pickle.dumps(conjunctions(all_of)))
    for values, parameters in product(MEMBERS, (9, 10)):
        totals = {"parameters": parameters, "activations": 1}
        expected = one.holds(values, totals) and two.holds(values, totals)
        assert all_of.holds(values, totals) == expected
        assert any(all(atom.holds(values, totals) for atom in case) for case in sent) == expected
