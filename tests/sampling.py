"""Sweeps over many cases of one mechanism, of which each run takes some, and ``make zoo`` all."""

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(step: int, cases: Iterable[object], *, several: bool = False) -> list[Any]:
    """The cases as parameters, all but each ``step``-th marked slow: those side by side are of one kind.

    ``several`` says that each is a tuple of as many parameters.
    """
    made = []
    for place, case in enumerate(cases):
        values: Any = case if several else (case,)
        made.append(pytest.param(*values, marks=pytest.mark.slow if place % step else ()))
    return made
