"""Conditions on sizes, as programs of torch.export hold them, and such as a damaged file may hold."""

import pytest

from costlab.errors import DefinitionError
from costlab.tracing.exported_conditions import holds, is_arithmetic


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("3*4 <= 12", True),
        ("min(3, 4)**2 == 9 and not 5 % 2 == 0", True),
        ("math.trunc(2.5*torch.sym_float(3)) == 7", True),
        ("((2**2)**2)**2 > 256", False),
    ],
)
def test_conditions_of_numbers(condition: str, expected: bool) -> None:
    assert is_arithmetic(condition)
    assert holds(condition, "Net") is expected


@pytest.mark.parametrize("condition", ["1/0 > 1", "(((", "3 4", "min()", ""])
def test_what_is_no_condition_is_told(condition: str) -> None:
    assert is_arithmetic(condition)
    with pytest.raises(DefinitionError, match=r"^Net holds a condition on its sizes that is none: "):
        holds(condition, "Net")


@pytest.mark.parametrize(
    "condition",
    [
        *("x > 1", "__import__('os')", "torch.load(1)", "'a' == 'a'", "[1] == [1]"),
        *("9**9**9 > 1", "(9**9)**9 > 1", "9**(9**9) > 1", "9**99 > 1", "9 ** -1 > 1"),
    ],
)
def test_other_code_and_large_powers_are_not_computed(condition: str) -> None:
    assert not is_arithmetic(condition)
