"""Which experiment tries a claim, and which one of a record's claims that is."""

import re
from collections.abc import Iterable

from costlab.train.experiment import Expectation
from costlab.train.experiments import CLAIMS, experiment, names


def experiment_of(key: str) -> str:
    """The experiment that tries the claim of this key of `CLAIMS`: of several, the one of the fewest arms.

    Raises:
        KeyError: there is no such key.
    """
    found = [made for name in names() if find_claim(key, (made := experiment(name, 1.0)).claims)]
    return min(found, key=lambda made: len(made.arms)).name


def find_claim(key: str, claims: Iterable[Expectation]) -> Expectation | None:
    """The one of these claims that this key of `CLAIMS` stands for, at whatever grids; None if there is none.

    Raises:
        KeyError: there is no such key.
    """
    claim, reported, source = CLAIMS[key]
    pattern = re.escape(claim).replace(r"\{\}", ".*")
    for each in claims:
        if (each.reported, each.source) == (reported, source) and re.fullmatch(pattern, each.claim):
            return each
    return None
