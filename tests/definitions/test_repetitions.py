"""How often a part of a definition is repeated has a limit, which is told at once."""

from typing import Any

import numpy as np
import pytest

from costlab import count
from costlab.algebra.dim import COUNT_MAX
from costlab.errors import DefinitionError
from costlab.targets.catalog import catalog

WIDTHS = {"w_0", "group_width"}
"""What is computed with as a whole number, and repeats nothing."""
HANDED_ON = {"anynet_x": "x_stage: depth"}
"""Definitions that leave it to others to look at how often: what these call it."""
REPETITIONS = [
    (name, parameter.name)
    for name, definition in catalog().items()
    for parameter in definition.parameters.values()
    if parameter.type is int and parameter.name not in WIDTHS
]


def settings(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


@pytest.mark.parametrize(("name", "parameter"), REPETITIONS)
@pytest.mark.parametrize("times", [COUNT_MAX + 1, 10**9, 10**18])
def test_too_many_are_refused_at_once(name: str, parameter: str, times: int) -> None:
    what = HANDED_ON.get(name, f"{name}: {parameter}")
    with pytest.raises(DefinitionError, match=rf"{what}=.* must be (at most|below 2\*\*31)"):
        count(name, **settings(parameter, times))


def test_the_limit_itself_is_counted() -> None:
    one, most = (count("conv_stack", parts=parts, bn=False) for parts in (1, COUNT_MAX))
    assert most.multiply_adds == COUNT_MAX * int(one.multiply_adds)


@pytest.mark.parametrize(
    ("parameter", "takes"),
    [("modules_17", "a whole number"), ("aux", "true or false"), ("branch_5x5", "5x5 or 3x3[+]3x3 or 3x3")],
)
def test_arrays_of_what_is_no_size_are_refused_with_a_word_of_help(parameter: str, takes: str) -> None:
    expected = f"inception_v3: {parameter}=.* must be {takes}; arrays are for Dim and Ratio: count these one"
    with pytest.raises(DefinitionError, match=expected):
        count("inception_v3", **settings(parameter, np.array([1, 2])))
