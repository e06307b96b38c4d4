"""Closed forms: with numbers in the place of symbols they are the count, wherever they say that they hold."""

import os
from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

import costlab
from costlab.algebra import (
    AvgPool2d,
    BatchNorm2d,
    Block,
    Conv2d,
    Dim,
    Flatten,
    Linear,
    MaxPool2d,
    Ratio,
    ReLU,
    Shape,
    add,
    auxiliary,
    block,
    concat,
    in_between,
    scale,
    seq,
)
from costlab.algebra.find import find
from costlab.algebra.floors import unnested
from costlab.counting import ClosedForm, closed_form, closed_forms, count
from costlab.errors import CostlabError, DefinitionError, ShapeError, TargetError
from tests.random_blocks import counted

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
SLOW = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


def quantities(target: Any, *args: Any, **kwargs: Any) -> dict[str, int]:
    total = count(target, *args, **kwargs).total._asdict()
    return {name: size for name, size in total.items() if name != "kind"}


def form_or_skip(made: Block, x: Shape, *names: str) -> ClosedForm:
    """The closed form, unless branches join for this one size alone."""
    try:
        return closed_form(made, *names, input=x)
    except ShapeError as refusal:
        assert "branches cannot be proved to join" in str(refusal)  # noqa: PT017
        reject()


@SLOW
@given(counted(), st.integers(0, 3), st.integers(0, 3), st.integers(1, 4))
def test_random_blocks_at_other_sizes(
    example: tuple[Shape, Block], down: int, right: int, batch: int
) -> None:
    x, made = example
    form = form_or_skip(made, x, "H", "W", "N")
    assert form.at(H=x.height, W=x.width, N=1) == quantities(made, x)
    period = {name: form.classes.get(name, (1, 0))[0] for name in "HW"}
    size = {"H": x.height + down * period["H"], "W": x.width + right * period["W"]}
    try:
        there = quantities(made, (x.channels, size["H"], size["W"]), batch=batch)
    except ShapeError:  # such as a join for this size alone
        assume(False)
    assert form.at(**size, N=batch) == there
    symbols = form.symbols
    values = {symbols[name]: number for name, number in {**size, "N": batch}.items()}
    assert form.multiply_adds.subs(values) == there["multiply_adds"]
    if form.anywhere:
        plain = sympy.sympify(unnested(form.count.multiply_adds))
        assert plain.subs(values) == there["multiply_adds"]
        assert not any(f.args[0].has(sympy.floor) for f in plain.atoms(sympy.floor))


@SLOW
@given(counted(), st.integers(1, 40), st.integers(1, 40))
def test_random_blocks_at_any_size(example: tuple[Shape, Block], height: int, width: int) -> None:
    x, made = example
    form = form_or_skip(made, x, "H", "W")
    assume(form.anywhere)
    try:
        there = quantities(made, (x.channels, height, width))
    except ShapeError:
        assume(False)
    assert form.at(H=height, W=width) == there


@block(input=("channels", "size", "size"))
def mixed(
    channels: Dim = 8,
    size: Dim = 31,
    n: Dim = 3,
    filters: Dim = 12,
    width: Ratio = 1.0,
    depth: int = 2,
    stride: Dim = 3,
    bias: bool = True,
) -> Block:
    """Everything that a closed form may be in."""
    inner = in_between(channels, scale(filters, width))
    body = [seq(Conv2d(filters, n, padding="same"), BatchNorm2d(), ReLU()) for _ in range(depth)]
    return seq(
        first=Conv2d(inner, n, bias=bias),
        body=seq(*body),
        skip=add(seq(), Conv2d(filters, 1)) if depth else seq(),
        split=concat(MaxPool2d(3, 2), Conv2d(scale(filters, width), 3, 2), AvgPool2d(3, 2)),
        head=auxiliary(Conv2d(4, 1)),
        last=Conv2d(5, 1, 3),
    )


NUMERIC = ["channels", "size", "n", "filters", "width", "depth", "N"]
POOLS: dict[str, list[Any]] = {
    "channels": [4, 8, 16, 25],
    "size": [31, 43, 55],
    "n": [1, 3, 5],
    "filters": [4, 12, 9, 16],
    "width": [0.5, 1, 2, 1.25],
    "depth": [1, 2, 3, 7],
    "N": [1, 2, 5],
}


@SLOW
@given(st.sets(st.sampled_from(NUMERIC), min_size=1, max_size=3), st.data())
def test_every_numeric_parameter(names: set[str], data: st.DataObject) -> None:
    chosen = sorted(names)
    form = closed_form(mixed, *chosen)
    numbers = {name: data.draw(st.sampled_from(POOLS[name])) for name in chosen}
    batch = numbers.get("N", 1)
    given_settings = {name: number for name, number in numbers.items() if name != "N"}
    try:
        found = form.at(**numbers)
    except DefinitionError as refusal:
        if "is not whole there" in str(refusal) or "is none where" in str(refusal):
            return
        raise
    assert found == quantities(mixed, batch=batch, **given_settings)


@pytest.mark.parametrize("name", costlab.catalog())
def test_every_definition_in_every_symbol(name: str) -> None:
    made = find(name)
    form = closed_form(name)
    assert set(form.symbols) >= {"C", "H", "W"}
    assert form.at() == quantities(name)
    for parameter, p in made.parameters.items():
        if p.type in (Dim, Ratio) and p.default is not None:
            assert closed_form(name, parameter).at() == quantities(name)


def test_inception_v3_in_its_width_and_height() -> None:
    form = closed_form("inception_v3", "width")
    assert str(form.multiply_adds) == "5691986432*width**2 + 21229664*width"
    assert form.holds == ("where width is a multiple of 1/16, so that no channel count is rounded",)
    assert form.at(width=0.5)["multiply_adds"] == count("inception_v3", width=0.5).multiply_adds
    height = closed_form("inception_v3", "height")
    assert height.holds == ("where height % 32 = 11 and height is at least 75",)
    assert height.multiply_adds.is_polynomial()
    for size in (75, 107, 299, 331, 224, 256):  # the first four leave 11
        assert height.at(height=size) == quantities("inception_v3", (3, size, 299))
    assert (
        height.multiply_adds.subs(height.symbols["height"], 331)
        == count("inception_v3", (3, 331, 299)).multiply_adds
    )


def test_sizes_that_join_for_some_numbers_only() -> None:
    form = closed_form("reduce_parallel", "H", "W", kernel=1, window=2, input="320x34x34")
    assert not form.anywhere
    assert form.holds == ("where H is even and W is even",)
    assert form.at(H=36, W=40) == quantities("reduce_parallel", (320, 36, 40), kernel=1, window=2)
    with pytest.raises(DefinitionError, match=r"H=35 is none where H is even$"):
        form.at(H=35)


def test_branches_that_join_for_no_remainder_are_refused() -> None:
    uneven = concat(seq(Conv2d(2, 3)), seq(Conv2d(2, 2, 2)))  # equal at one size only
    assert count(uneven, (3, 4, 4)).multiply_adds == 2 * 2 * (27 + 12) * 2
    with pytest.raises(ShapeError, match="branches cannot be proved to join"):
        closed_form(uneven, "H", "W", input=(3, 4, 4))


def test_rounding_is_told_and_refused() -> None:
    form = closed_form("conv_stack", "alpha", "C")
    assert form.holds == (
        "where C*alpha is whole and C*sqrt(alpha) is whole, so that no channel count is rounded",
    )
    assert form.at(alpha=4, C=3) == quantities("conv_stack", channels=3, alpha=4)
    assert form.at(alpha=2.25, C=4) == quantities("conv_stack", channels=4, alpha=2.25)
    with pytest.raises(DefinitionError, match="is not whole there, and counting would round"):
        form.at(alpha=2)


def test_the_batch_is_a_symbol_too() -> None:
    form = closed_form("conv_nxn", "N")
    assert form.at(N=7) == quantities("conv_nxn", batch=7)
    assert form.parameters == count("conv_nxn").parameters


def test_vectors() -> None:
    form = closed_form(seq(Linear(7)), "F", input=(5,))
    assert str(form.multiply_adds) == "7*F"
    form = closed_form(seq(Flatten(), Linear(7)), input=(5, 2, 3))
    assert str(form.multiply_adds) == "7*C*H*W"


def test_a_whole_number_that_the_definition_counts_with() -> None:
    form = closed_form("inception_v3", "modules_17")
    assert str(form.multiply_adds) == "487702528*modules_17 + 3762405984"
    assert form.ranges == {"modules_17": range(2, 12)}  # a single module has 192 channels
    assert form.holds == ("where modules_17 is 2 to 11, each of which was counted",)
    for number in (2, 4, 11):
        assert form.at(modules_17=number) == quantities("inception_v3", modules_17=number)
    for number in (1, 12):
        with pytest.raises(DefinitionError, match=f"modules_17={number} is none where modules_17 is 2 to 11"):
            form.at(modules_17=number)
    both = closed_form("inception_v3", "modules_8", "width")
    assert both.at(modules_8=3, width=0.5) == quantities("inception_v3", modules_8=3, width=0.5)


def test_heads_are_left_out_of_every_kind_of_form() -> None:
    for names in (("size",), ("depth",), ("size", "depth")):
        form = closed_form(mixed, *names).inference
        assert form.at()["multiply_adds"] == count(mixed).inference.multiply_adds
        assert form.at()["multiply_adds"] < int(count(mixed).multiply_adds)


@block(input="3x9x9")
def steps(power: int = 1, odd: int = 1) -> Block:
    """What is no polynomial in its numbers."""
    return Conv2d(2**power + odd % 2, 1)


@block(input="3x9x9")
def required(channels: Dim, repeats: int) -> Block:
    """Parameters without defaults."""
    return seq(*[Conv2d(channels, 1) for _ in range(repeats)])


def test_parameters_without_a_number() -> None:
    form = closed_form(required, "channels", repeats=2)
    assert form.at(channels=4) == quantities(required, channels=4, repeats=2)
    with pytest.raises(DefinitionError, match="give a number for channels"):
        form.at()
    repeated = closed_form(required, "repeats", channels=4)
    assert repeated.at(repeats=3) == quantities(required, channels=4, repeats=3)


@pytest.mark.parametrize(
    ("target", "names", "message"),
    [
        (
            "inception_v3",
            ("widht",),
            "'widht' is no numeric parameter and no size of the input; did you mean width?",
        ),
        ("inception_v3", ("F",), "'F' is no numeric parameter and no size of the input"),
        ("inception_v3", ("aux",), "inception_v3: aux takes true or false, and no symbol in its place"),
        (
            "inception_v3",
            ("branch_5x5",),
            "branch_5x5 takes 5x5 or 3x3+3x3 or 3x3, and no symbol in its place",
        ),
        ("inception_v3", ("H", "height"), "H and height are one size: give one of them"),
        ("conv_nxn", ("C", "channels"), "C and channels are one size: give one of them"),
        (mixed, ("H", "W"), "H and W are one size: give one of them"),
        (
            "inception_v3",
            ("modules_8", "modules_17"),
            "the definition itself counts with modules_8 and modules_17: give one of them",
        ),
        (steps, ("power",), "power: the counts at 1 to 8 lie on no polynomial in it of degree 4 or less"),
        (steps, ("odd",), "odd: the counts at 1 to 8 lie on no polynomial in it"),
    ],
)
def test_what_is_no_symbol(target: Any, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        closed_form(target, *names)
    assert message in str(refused.value)


def test_a_number_for_what_is_no_symbol() -> None:
    with pytest.raises(DefinitionError, match="no symbol 'W'; there is H"):
        closed_form("conv_nxn", "H").at(W=3)


def test_a_block_without_an_input() -> None:
    with pytest.raises(TargetError, match="has no input shape of its own"):
        closed_form(ReLU(), "H")


def test_a_form_that_is_not_the_count_is_noticed() -> None:
    form = closed_form("conv_nxn", "n")
    form.confirm(count("conv_nxn"))
    with pytest.raises(
        AssertionError, match="the closed form gives multiply_adds=45158400, the count 125440000"
    ):
        form.confirm(count("conv_nxn", n=5))


def test_forms_of_a_comparison() -> None:
    with pytest.raises(DefinitionError, match="H: the variants have 151 and 299 and 79 there"):
        closed_forms(ablation="receptive_field", symbols=["H"])
    with pytest.raises(CostlabError, match="'foo' is no numeric parameter"):
        closed_forms("conv_nxn", "conv_stack", symbols=["foo"])
    only_one = closed_forms("conv_nxn:n=5", "conv_stack", symbols=["parts"])
    assert [list(form.symbols) for form in only_one] == [[], ["parts"]]
    decided = closed_forms("conv_nxn:n=5", "conv_stack")
    assert [list(form.symbols) for form in decided] == [["C", "H", "W"]] * 2


def test_a_symbol_takes_the_place_of_a_number_that_was_given() -> None:
    form = closed_form("conv_nxn:n=5", "n")
    assert form.numbers == {"n": 5}
    assert form.at() == quantities("conv_nxn", n=5)
    assert form.at(n=3) == quantities("conv_nxn", n=3)


def test_floors_within_floors() -> None:
    h = sympy.Symbol("h", integer=True, positive=True)
    nested = sympy.floor(sympy.floor((sympy.floor(h / 2) + 1) / 3) / 2 - sympy.Rational(5, 2))
    flat = unnested(nested)
    assert len(flat.atoms(sympy.floor)) == 1
    assert all(flat.subs(h, n) == nested.subs(h, n) for n in range(1, 60))
    kept = sympy.floor(2 * sympy.floor(h / 3) / 5 + h / 7)
    assert all(unnested(kept).subs(h, n) == kept.subs(h, n) for n in range(1, 60))


@block(input=("channels", 9, 9))
def grouped(channels: Dim = 8, filters: Dim = 8, groups: Dim = 2) -> Block:
    """A convolution in groups."""
    return Conv2d(filters, 3, groups=groups, bias=False)


def test_groups_must_divide() -> None:
    form = closed_form(grouped, "channels", "filters")
    assert form.holds == (
        "where channels/2 is whole and filters/2 is whole, so that no channel count is rounded",
    )
    assert form.at(channels=6, filters=10) == quantities(grouped, channels=6, filters=10)
    for numbers in ({"channels": 7}, {"filters": 7}):
        with pytest.raises(DefinitionError, match="/2 is not whole there"):
            form.at(**numbers)
    by_groups = closed_form(grouped, "groups")
    assert by_groups.at(groups=4) == quantities(grouped, groups=4)
    with pytest.raises(DefinitionError, match="8/groups is not whole there"):
        by_groups.at(groups=3)


@pytest.mark.parametrize(
    ("names", "numbers", "message"),
    [
        (("height",), {"height": 43}, "is 0 there, and must be at least 1"),
        (("height",), {"height": 11}, "there, and must be at least 1"),
        (("height",), {"height": 0}, "there, and must be at least 1"),
        (("height",), {"height": -5}, "height=-5 must be at least 0"),
        (("height",), {"height": 107.5}, "height=107.5 must be a whole number"),
        (("height",), {"height": "abc"}, "height='abc' must be a whole number"),
        (("width",), {"width": -1}, "width=-1 must be a positive number"),
        (("width",), {"width": float("nan")}, "width=nan must be a positive number"),
        (("width",), {"width": "abc"}, "width='abc' must be a number"),
        (("width",), {"width": 1 / 3}, "is not whole there, and counting would round"),
    ],
)
def test_numbers_for_which_there_is_no_network(
    names: tuple[str, ...], numbers: dict[str, Any], message: str
) -> None:
    with pytest.raises(DefinitionError) as refused:
        closed_form("inception_v3", *names).at(**numbers)
    assert message in str(refused.value)


def test_the_smallest_input_is_where_counting_starts() -> None:
    form = closed_form("inception_v3", "H")
    assert form.lowest == {"H": 75}
    assert form.at(H=75) == quantities("inception_v3", (3, 75, 299))
    with pytest.raises(ShapeError):
        count("inception_v3", (3, 74, 299))
    assert closed_form("conv_nxn", "H").lowest == {}
    unpadded = closed_form(Conv2d(4, 5), "H", "W", input=(3, 40, 50))
    assert unpadded.lowest == {"H": 5, "W": 5}


def test_fractions_are_exact() -> None:
    form = closed_form("inception_v3", "width")
    sixteenth = form.at(width=Fraction(1, 16))
    assert sixteenth == form.at(width=sympy.Rational(1, 16)) == form.at(width=0.0625)
    assert sixteenth == quantities("inception_v3", width=0.0625)


@block(input="3x9x9")
def reckoned(width: Ratio = 1.0) -> Block:
    """Twice what was scaled: rounding comes before."""
    return Conv2d(2 * scale(33, width), 3)


def test_what_was_rounded_on_the_way_is_a_condition() -> None:
    form = closed_form(reckoned, "width")
    assert form.holds == ("where width is a multiple of 1/33, so that no channel count is rounded",)
    with pytest.raises(DefinitionError, match=r"33\*width is not whole there"):
        form.at(width=Fraction(1, 66))
    assert form.at(width=2) == quantities(reckoned, width=2)


def test_a_multiplier_beside_a_number_that_is_interpolated() -> None:
    form = closed_form("inception_v3", "modules_17", "width")
    assert form.at(modules_17=3, width=0.5) == quantities("inception_v3", modules_17=3, width=0.5)
    form = closed_form("conv_stack", "alpha", "parts", between=5)
    assert form.at(alpha=2.25, parts=8) == quantities("conv_stack", alpha=2.25, parts=8, between=5)


@block(input="4x9x9")
def headed(depth: int = 0, heads: int = 2, limit: int = 3) -> Block:
    """Layers and heads, as many as are asked for; at most ten of the last."""
    if limit > 10:
        raise DefinitionError("too many")
    tops = [auxiliary(Conv2d(2, 1)) for _ in range(heads - 1)]
    return seq(Conv2d(4, 1), *[Conv2d(4, 3, padding=1) for _ in range(depth)], *tops, *[Conv2d(4, 1)] * limit)


def test_whole_numbers_from_0_with_heads_and_limits() -> None:
    form = closed_form(headed, "depth")
    assert form.ranges == {"depth": range(8)}
    assert form.at() == quantities(headed)
    assert form.at(depth=5) == quantities(headed, depth=5)
    by_heads = closed_form(headed, "heads")
    assert by_heads.ranges["heads"].start == 1
    assert by_heads.at(heads=3) == quantities(headed, heads=3)
    assert by_heads.inference.at(heads=3)["multiply_adds"] == count(headed, heads=3).inference.multiply_adds
    limited = closed_form(headed, "limit", limit=8)
    assert limited.ranges == {"limit": range(11)}


@block(input="4x9x9")
def narrow(n: int = 3) -> Block:
    """There is one for a few numbers only."""
    if n not in (3, 4):
        raise DefinitionError("only three or four")
    return Conv2d(n, 1)


def test_too_few_numbers_for_a_polynomial() -> None:
    with pytest.raises(DefinitionError, match="n: only 3 to 4 can be counted: too few numbers"):
        closed_form(narrow, "n")


@block(input="8x9x9")
def fixed_residual(channels: Dim = 8, filters: Dim = 5) -> Block:
    """A sum that holds for these channels alone."""
    return seq(add(seq(), Conv2d(channels, 1)), Conv2d(filters, 1))


def test_by_default_only_what_can_be_a_symbol_is_one() -> None:
    form = closed_form(fixed_residual)
    assert list(form.symbols) == ["H", "W", "filters"]
    with pytest.raises(ShapeError, match="cannot be proved to join"):
        closed_form(fixed_residual, "channels")


@pytest.mark.parametrize(
    ("targets", "name", "message"),
    [
        (("inception_v3", "inception_v3:width=0.5"), "width", "width: the variants have 0.5 and 1.0 there"),
        (("conv_nxn:n=5", "conv_stack"), "n", "n: the variants have 3 and 5 there"),
        (("inception_a", "inception_c"), "channels", "channels: a size of the input for one variant"),
    ],
)
def test_a_name_that_is_not_one_thing_for_all(targets: tuple[str, ...], name: str, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        closed_forms(
            *targets,
            symbols=[name],
            input=None if "conv" in targets[0] or "v3" in targets[0] else "192x35x35",
        )
    assert message in str(refused.value)


def test_settings_are_given_once_and_told() -> None:
    with pytest.raises(DefinitionError, match="width is given twice"):
        closed_form("inception_v3:width=0.5", width=2.0)
    assert closed_form("inception_v3", "width", aux=True).label == "inception_v3:aux=true"


def test_every_form_is_held_against_a_count() -> None:
    assert closed_form("conv_stack", "between").confirmed == {"between": 12}
    assert closed_form("conv_stack", "alpha", alpha=1.5).confirmed == {"alpha": 1}
    assert closed_form("conv_stack", "alpha", "C", filters=None).confirmed == {"alpha": 1.0, "C": 64}
    assert closed_form("inception_v3", "H").confirmed == {"H": 299}


def test_what_is_shown_is_held_against_the_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    right = ClosedForm.read
    monkeypatch.setattr(ClosedForm, "read", lambda self, quantity: right(self, quantity) + 1)
    with pytest.raises(AssertionError, match="the closed form gives multiply_adds="):
        closed_form("inception_v3", "height")


def test_forms_can_be_hashed() -> None:
    assert hash(closed_form("conv_nxn", "n")) == hash(closed_form("conv_nxn", "n"))
    assert len({costlab.compare(ablation="nxn"), costlab.compare(ablation="nxn")}) == 1
