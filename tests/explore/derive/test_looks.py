"""Whatever a definition does with its values, members are what is counted, or a line says no."""

from itertools import islice, product
from typing import Any

import pytest

from costlab import Block, Conv2d, CostlabError, DefinitionError, Dim, block, count, seq
from costlab.algebra.define import Definition
from costlab.algebra.work import QUANTITIES
from costlab.explore.member import variant_of
from costlab.explore.space import Space
from tests.explore.derive import objects  # noqa: F401  # more cases
from tests.explore.derive.looks import CASES


def hold(definition: Any, axes: dict[str, Any], most: int = 200) -> None:
    """Hold all members of a space against counts."""
    space = Space(definition, **axes)
    derived = space.lowering.derived
    fitting = 0
    for index in islice(product(*map(range, space.sizes)), most):
        variant = variant_of(space.variant, space.axes, index)
        misfit = derived.misfit_at(index)
        try:
            counted = count(variant)
        except (CostlabError, ValueError, AssertionError, ArithmeticError) as error:
            assert misfit == getattr(error, "path", ""), variant.label  # noqa: PT017  # any of them will do
        else:
            assert misfit is None, variant.label
            assert derived.at(index) == {name: counted.size(name) for name in QUANTITIES}, variant.label
            fitting += 1
    assert fitting


@pytest.mark.parametrize("name", CASES)
def test_looks_are_followed(name: str) -> None:
    definition, axes = CASES[name]
    hold(definition, axes)


def test_plain_functions_are_definitions() -> None:
    def plain(w: Dim = 4, k: int = 3) -> Block:
        return Conv2d(w, k) if k > 1 else seq(Conv2d(w, k))

    function: Any = plain
    space = Space(function, (3, 8, 8), w=[3, 4], k=[1, 3])
    assert space.count() == 4
    assert {each.multiply_adds for each in space.top(4)} == {64 * 9, 64 * 12, 36 * 81, 36 * 108}


@block(input="3x16x16")
def by_type(k: int = 3, w: Dim = 4) -> Block:
    """Asks in a way that nobody sees."""
    return seq(Conv2d(w, 3) if type(k) is int else Conv2d(w, 1))


@block(input="3x16x16")
def by_type_of_dim(w: Dim = 4) -> Block:
    """The same of a size."""
    return seq(Conv2d(w, 3) if type(w) is int else Conv2d(w, 1))


@block(input="3x16x16")
def by_identity(a: Dim = 4, b: Dim = 4) -> Block:
    """Two sizes that are one."""
    return seq(Conv2d(a, 1), Conv2d(b, 1) if a is b else Conv2d(b, 3))


@pytest.mark.parametrize(
    ("definition", "axes"),
    [
        (by_type, {"k": [1, 3]}),
        (by_type_of_dim, {"w": [1, 3]}),
        (by_identity, {"a": [3, 4, 5], "b": [3, 4, 6]}),
    ],
)
def test_what_cannot_be_followed_is_noticed(definition: Definition[...], axes: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match=r"when it is counted, not .* in a way that cannot be followed"):
        Space(definition, **axes).count()


@block()
def grouped(g: Dim = 1) -> Block:
    """A part that cannot be made for some values."""
    return seq(Conv2d(6, 1, groups=g))


@block(input="12x8x8")
def catching(g: Dim = 1) -> Block:
    """Catches what is wrong in a part for some values, where it is made for all."""
    try:
        return grouped(g)
    except DefinitionError:
        return seq(Conv2d(5, 1))


def test_what_is_caught_around_a_part_is_noticed() -> None:
    with pytest.raises(DefinitionError, match=r"^catching:g=4: it fits, and was held not to at "):
        Space(catching, g=[1, 2, 4]).count()


def flags(many: int) -> Definition[...]:
    """A definition that looks at so many flags in one place."""
    names = [f"f{place}" for place in range(many)]
    namespace: dict[str, Any] = {"Conv2d": Conv2d, "seq": seq}
    parameters = ", ".join(f"{name}: bool = False" for name in names)
    parts = ", ".join(f"Conv2d({place + 2}, 1) if {name} else seq()" for place, name in enumerate(names))
    exec(f"def flags({parameters}): return seq({parts})", namespace)
    return block(input="3x8x8")(namespace["flags"])


def test_many_flags_in_one_place_are_a_network_each_or_too_many() -> None:
    hold(flags(7), {f"f{place}": [True, False] for place in range(7)}, most=40)
    with pytest.raises(
        DefinitionError, match=r"looks at f0 and .* and f16 in one place, which makes 131,072 "
    ):
        Space(flags(17), **{f"f{place}": [True, False] for place in range(17)}).count()


def test_what_fits_nowhere_says_why() -> None:
    @block(input="3x16x16")
    def large(k: int = 99, d: Dim = 99) -> Block:
        return seq(Conv2d(3, k), Conv2d(3, d))

    for axes in ({"k": [90, 99]}, {"k": 1, "d": [90, 99]}, {"k": [2, 20], "d": [90, 99]}):
        with pytest.raises(CostlabError, match=r"^no member fits: large:k=.* does not fit height=1[56]"):
            Space(large, **axes).count()


def test_an_unverified_definition_returns_a_combination_here_too() -> None:
    @block(input="3x16x16", unverified=True)
    def leaf(k: Dim = 1, b: bool = False) -> Block:
        return Conv2d(8, k) if b else seq(Conv2d(8, k))

    space = Space(leaf, k=[1, 3], b=[True, False])
    assert space.count() == 2
    assert space.misfits()[0].example == "leaf is unverified: put seq(...) around what it returns"
