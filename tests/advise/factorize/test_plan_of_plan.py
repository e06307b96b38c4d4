"""Plans of networks that are rewritten already."""

import numpy as np
import pytest
import sympy
import torch
from torch import nn

from costlab.advise.factorize.factorize import factorize
from costlab.advise.factorize.rewrite.code import rewrite_code
from costlab.algebra import Conv2d, Dim, block, seq
from costlab.algebra.block import Block
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.targets.like import TargetLike


@block(input=(3, 20, 20))
def definition(width: Dim = 8) -> Block:
    return seq(first=Conv2d(width, 3), second=Conv2d(width, 5, padding="same"))


class Net(nn.Sequential):
    """As the definition, with its names."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3)
        self.second = nn.Conv2d(8, 8, 5, padding="same")


@pytest.mark.parametrize("target", [definition, Net, Net()], ids=["definition", "factory", "module"])
def test_a_plan_of_a_plan_has_both(target: TargetLike) -> None:
    once = factorize(target, (3, 20, 20), only="first")
    twice = factorize(once, only="second", by="kxk+1x1")
    (first,), (second,) = once.replacements, twice.replacements
    saved = [each.saving.before.multiply_adds - each.saving.after.multiply_adds for each in (first, second)]
    assert twice.saving.after.multiply_adds == once.before.multiply_adds - sum(saved)
    assert count(twice).total == twice.saving.after
    made = twice.apply()
    assert sum(each.numel() for each in made.parameters()) == twice.saving.after.parameters
    assert made(torch.zeros(1, 3, 20, 20)).shape == (1, 8, 18, 18)


def test_the_code_of_a_plan_of_a_plan_makes_no_network_that_the_first_is_missing_from() -> None:
    once = factorize(Net, (3, 20, 20), only="first")
    assert "import Net" in rewrite_code(once)
    assert "import Net" not in rewrite_code(factorize(once, only="second"))


@pytest.mark.parametrize("width", [sympy.Symbol("w", positive=True, integer=True), np.array([4, 8])])
def test_sizes_that_are_no_plain_numbers_are_refused(width: Dim) -> None:
    with pytest.raises(DefinitionError, match="give plain numbers for its sizes"):
        factorize(definition, width=width)
