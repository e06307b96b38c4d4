"""Expressions that are written: what they come to, and one line for what they cannot be."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from costlab.errors import DefinitionError
from costlab.explore.written.axis import Axis, Exact
from costlab.explore.written.expression import parse_condition, parse_quantity
from costlab.explore.written.linear import Linear

AXES = {
    axis.name: axis
    for axis in (
        Axis("n", (3, 5, 7)),
        Axis("width", (0.1, 1.0)),
        Axis("form", ("5x5", "parallel")),
        Axis("deep", (True, False)),
        Axis("between", (None, 64)),
        Axis("layers", ((1, 2), (3,))),
        Axis("mixed", (True, 1, "1")),
    )
}
VALUES: dict[str, Exact] = {
    "n": Fraction(3),
    "width": Fraction(1, 10),
    "form": "5x5",
    "deep": True,
    "between": None,
    "layers": (Fraction(1), Fraction(2)),
    "mixed": True,
}
TOTALS = {"multiply_adds": 700, "parameters": 40, "activations": 9}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-parameters", -40),
        ("multiply_adds + 2 * parameters - activations / 3", 777),
        ("0.1 * parameters", 4),
        ("parameters * width", 4),
        ("(parameters + n) * (width + 0.9) / 2", Fraction(43, 2)),
        ("n ** 3 // 2 % 5", 3),
        ("-n // 2", -2),
        ("n - -n + +n", 9),
        ("5_000 * 1e-3 + .5 + 5.", Fraction(21, 2)),
        ("1e30 + 1 - 1e30", 1),
        ("9007199254740993 - 9007199254740992", 1),
        ("0x10 + n ** 0", 17),
        ("parameters - parameters", 0),
        ("0 * parameters", 0),
        ("\n parameters ", 40),
    ],
)
def test_a_quantity_is_exactly_what_is_written(text: str, expected: Fraction) -> None:
    quantity = parse_quantity(text, AXES, "--by")
    assert isinstance(quantity, Linear)
    assert quantity.at(VALUES, TOTALS) == expected


def test_coefficients_are_by_quantity() -> None:
    quantity = parse_quantity("parameters * n + parameters * width - 2 * activations + n ** 2", AXES, "--by")
    assert {name: term.at(VALUES) for name, term in quantity.terms.items()} == {
        "parameters": Fraction(31, 10),
        "activations": -2,
        "": 9,
    }
    assert {name: term.names for name, term in quantity.terms.items()} == {
        "parameters": {"n", "width"},
        "activations": frozenset(),
        "": {"n"},
    }


@pytest.mark.parametrize("text", ["parameters / (n - 3)", "parameters * between", "n % (n - 3)"])
def test_a_quantity_without_a_value_is_refused_where_it_is_evaluated(text: str) -> None:
    quantity = parse_quantity(text, AXES, "--by")
    place = "between=none" if "between" in text else "n=3"
    with pytest.raises(DefinitionError) as refused:
        quantity.at(VALUES, TOTALS)
    assert str(refused.value) == f"--by: {text} has no value at {place}"
    assert quantity.at({**VALUES, "n": Fraction(4), "between": Fraction(2)}, TOTALS) in (40, 80, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deep", True),
        ("not deep or False", False),
        ("form == '5x5' and form != 'x'", True),
        ("form in ('x', '5x5')", True),
        ("form not in {'x', '5x5'}", False),
        ("between == none and between is_none", None),
        ("between == None", True),
        ("between != none", False),
        ("between * 1 == none", False),
        ("between + 0 != 3", False),
        ("between != 64", True),
        ("between >= 64", False),
        ("between < 64", False),
        ("not between >= 64", True),
        ("parameters <= between", False),
        ("not parameters <= between", True),
        ("n == none", False),
        ("layers == (1, 2)", True),
        ("layers in ((3,), (1, 2))", True),
        ("layers == (1, 3)", False),
        ("mixed == true", True),
        ("mixed == 1", False),
        ("mixed == '1'", False),
        ("mixed", True),
        ("mixed in ('1', 1)", False),
        ("1 / (n - 3) == 1", False),
        ("1 / (n - 3) != 1", False),
        ("not 1 / (n - 3) != 1", True),
        ("n in (1 / (n - 3), 3)", False),
        ("3 == n == 3.0 < 4", True),
        ("(n > 2) == (width < 1) == deep", True),
        ("multiply_adds / parameters <= 17.5", True),
        ("multiply_adds / parameters < 17.5", False),
        ("17.5 == multiply_adds / parameters", True),
        ("-multiply_adds / parameters + n >= -14.5", True),
        ("multiply_adds / parameters - activations / parameters == 691 / 40", True),
        ("n * (multiply_adds / parameters) / 3 <= 17.5", True),
        ("700 / parameters == 17.5", True),
        ("multiply_adds / (parameters - 40) <= 1", False),
        ("multiply_adds / (parameters - 40) != 1", False),
        ("multiply_adds / (parameters - 41) <= -700", True),
        ("parameters in (39, 40)", True),
        ("parameters not in (39, 40)", False),
        ("0.1 * n == 0.3 and width == 0.1", True),
    ],
)
def test_a_condition_says_what_is_written(text: str, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(DefinitionError, match="cannot be read"):
            parse_condition(text, AXES, "--where")
    else:
        assert parse_condition(text, AXES, "--where").holds(VALUES, TOTALS) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'' states no condition"),
        ("  ", "'' states no condition"),
        ("print(n)", "a call is no part of a condition: print(n)"),
        ("n.real > 3", "an attribute is no part of a condition: n.real"),
        ("n[0] > 3", "an index is no part of a condition: n[0]"),
        ("(lambda: n)", "a function is no part of a condition"),
        ("[x for x in (1, 2)]", "a comprehension is no part"),
        ("{1: 2}", "a dictionary is no part"),
        ("(n := 3) > 2", "an assignment is no part"),
        ("f'{n}' == form", "an f-string is no part"),
        ("n if deep else n", "a choice by if and else is no part"),
        ("__import__('os').system('ls')", "a call is no part"),
        ("import os", "cannot be read"),
        ("n > 3; n < 5", "cannot be read"),
        ("n >", "cannot be read"),
        ("n \x00> 3", "cannot be read: it holds a sign"),
        ("1e999999 > n", "a number is too large, or too small: 1e999999"),
        ("1e-999999 > n", "a number is too large, or too small: 1e-999999"),
        ("9" * 3900 + " > n", "a number is too large"),
        ("9**9**9 > n", "an exponent must be a whole number from 0 to 64: 9**9**9"),
        ("n ** -1 > 3", "an exponent must be"),
        ("n ** 0.5 > 3", "an exponent must be"),
        ("n ** n > 3", "an exponent must be"),
        ("((n ** 64) ** 64) ** 64 > 3", "its numbers are too large"),
        ("(" * 1500 + "n" + ")" * 1500, "nested too deeply"),
        ("(" * 10_000, "longer than 4,000 characters"),
        ("-" * 3900 + "n", "nested too deeply"),
        ("not " * 900 + "deep", "nested too deeply"),
        ("+".join(["n"] * 200) + " > 3", "nested too deeply"),
        ("n ** " * 700 + "n", "nested too deeply"),
        ("multiply_adds * parameters <= 3", "only sums of quantities, each times what axes and numbers give"),
        ("multiply_adds ** 2 <= 3", "** is for axes and numbers; only sums of quantities"),
        ("multiply_adds // 2 <= 3", "// is for axes and numbers"),
        ("n % parameters <= 3", "% is for axes and numbers"),
        ("multiply_adds / parameters <= 2 * activations", "only sums of quantities"),
        ("multiply_adds / parameters / activations <= 2", "only sums of quantities"),
        ("2 / (multiply_adds / parameters) <= 2", "only sums of quantities"),
        ("multiply_adds / parameters + multiply_adds / activations <= 2", "only sums of quantities"),
        ("multiply_adds <= 5G", "write 5G as 5e9"),
        ("multiply_adds <= 5.7 M", "write 5.7 M as 5.7e6"),
        ("multiply_adds <= 5,000,000", "numbers have none"),
        ("multiply_adds <= 5,500", "numbers have none"),
        ("multiply_adds <= 1%", "write 1% as 0.01"),
        ("multiply_adds \u2264 5", "write <=, >=, !=, * or -"),
        ("n = 3", "write == for what is equal"),
        ("n => 3", "write <=, >= or !="),
        ("n > 3 && deep", "write and, or, not"),
        ("n > 3 & n < 5", "& (write and) is no part"),
        ("n ^ 2 > 3", "^ (write ** for a power) is no part"),
        ("~deep", "~ is no part of a condition: write not"),
        ("n is 3", "'is' is no part of a condition, write == or !=: n is 3"),
        ("form == 5x5", 'put texts in quotes, as in "5x5"'),
        ("form == parallel", "put texts in quotes, as in form == 'parallel'"),
        ("form > '5x5'", "form is a text, and no number"),
        ("form + 1 > 2", "form is a text, and no number"),
        ("deep * n > 2", "deep is true or false, and no number"),
        ("deep < 1", "deep is true or false, and no number"),
        ("n == '3'", "a number and a text are not comparable: n == '3'"),
        ("multiply_adds == deep", "are not comparable"),
        ("multiply_adds == none", "are not comparable"),
        ("n in ('3', 3)", "a number and a text are not comparable"),
        ("n in (3)", "after in come values in parentheses, as in n in (3, 5)"),
        ("'5' in form", "after in come values in parentheses"),
        ("n in ()", "after in come values in parentheses"),
        ("n", "n is a number, and no truth: compare it"),
        ("form", "form is a text, and no truth: compare it"),
        ("multiply_adds", "multiply_adds is a number, and no truth"),
        ("multiply_adds and deep", "multiply_adds is a number, and no truth"),
        ("not n", "n is a number, and no truth"),
        ("(n, deep)", "values with commas stand only after in"),
        ("(3, 5)", "several values, and no truth"),
        ("(multiply_adds <= 3) == deep", "holds or does not, and is no value"),
        ("(multiply_adds <= 3) + 1 > 2", "holds or does not, and is no value"),
        ("n / 0 > 3", "a division by zero: n / 0"),
        ("n % (1 - 1) > 3", "a division by zero"),
        ("multiply_adds / 0 > 3", "a division by zero"),
        ("1j > n", "no number, text or truth: 1j"),
        ("b'5x5' == form", "no number, text or truth"),
        ("... == n", "no number, text or truth"),
        ("params <= 3", "there is no quantity and no axis 'params'; did you mean parameters?"),
        ("multiply-adds <= 3", "'multiply'; did you mean multiply_adds?"),
        ("flops <= 3", "'flops'; there is multiply_adds,"),
        ("withd > 1", "did you mean width?"),
        ("kernel == 3", "kernel is not varied: vary it, or leave it out"),
    ],
)
def test_what_is_no_condition_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_condition(text, AXES, "--where", ["kernel", "n"])
    message = str(refused.value)
    assert message.startswith("--where: ")
    assert reason in message
    assert message.isprintable()
    assert len(message) < 400


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("multiply_adds / parameters", "only sums of quantities, each times what axes and numbers give"),
        ("multiply_adds <= 3", "holds or does not, and is no value"),
        ("deep", "deep is true or false, and no number"),
        ("form", "form is a text, and no number"),
        ("'x'", "'x' is a text, and no number"),
        ("max(n)", "a call is no part of a quantity: max(n)"),
        ("", "'' states no quantity"),
    ],
)
def test_what_is_no_quantity_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_quantity(text, AXES, "--by")
    assert str(refused.value).startswith("--by: ")
    assert reason in str(refused.value)


def test_an_axis_named_as_a_quantity_is_refused() -> None:
    axes = {"weights": Axis("weights", (1, 2)), "true": Axis("true", (1, 2))}
    with pytest.raises(DefinitionError, match="weights is both a quantity and an axis"):
        parse_condition("weights > 1", axes, "--where")
    assert parse_condition("true > 1", axes, "--where").holds({"true": Fraction(2)}, {})


NAMES = "n width form deep between layers multiply_adds parameters x true none"
VALUES_WRITTEN = "'5x5' 3 0 1e9 5G .5 f'{n}' b''"
SIGNS = "( ) [ ] { } , + - * / // % ** < <= == != = in not and or is if else lambda : . # \\ ' \" @ ~ ! await"
ODD = ["\n", "\x00", "\u00b2", "\ud800"]
PIECES = [*NAMES.split(), *VALUES_WRITTEN.split(), *SIGNS.split(), *ODD]


@given(st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join) | st.text(max_size=12))
@example("'\\N{DIGIT ONE}' == form")
@example("'\\d' == form")
@example("3if deep else 4")
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    for parse in (parse_condition, parse_quantity):
        refused = ""
        try:
            parse(text, AXES, "--where")
        except DefinitionError as error:
            refused = str(error)
        assert not refused or refused.startswith("--where: ")
        assert refused.isprintable()
