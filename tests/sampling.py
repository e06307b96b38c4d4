"""Sweeps over many cases of one mechanism, of which each run takes some, and ``make zoo`` all."""

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(step: int, cases: Iterable[object]) -> list[Any]:
    """The cases as parameters, all but each ``step``-th marked slow: those side by side are of one kind."""
    return [
        pytest.param(case, marks=pytest.mark.slow if place % step else ()) for place, case in enumerate(cases)
    ]
