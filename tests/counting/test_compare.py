"""Comparisons: exact ratios, refusals by name, and differences that add up."""

from collections import OrderedDict
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from costlab.algebra import Block, Conv2d, Linear, MaxPool2d, ReLU, Shape, Vector, auxiliary, concat, seq
from costlab.counting.compare import compare
from costlab.counting.count import count
from costlab.counting.difference import differences
from costlab.errors import DefinitionError, ShapeError, TargetError
from costlab.targets.ablation import Ablation
from costlab.targets.resolve import variant
from tests.random_blocks import blocks, shapes

FIVE, THREE = Conv2d(8, 5, padding=2, bias=False), Conv2d(8, 3, padding=1, bias=False)
X = (4, 10, 10)


def test_ratios_and_savings_are_exact() -> None:
    compared = compare(FIVE, THREE, input=X)
    first, second = compared.counts
    assert compared.baseline is first
    assert compared.ratio(first) == 1
    assert compared.saving(first) == 0
    assert compared.ratio(second) == Fraction(9, 25)
    assert compared.saving(second, "parameters") == Fraction(16, 25)
    assert compared.ratio(second, "activations") == 1
    assert compared.ratio(second, "weights") == Fraction(9, 25)


def test_a_ratio_to_nothing_is_none() -> None:
    compared = compare(ReLU(), THREE, input=X)
    assert compared.ratio(compared.counts[1]) is None
    assert compared.saving(compared.counts[1], "parameters") is None
    none = compare(THREE, ReLU(), input=X)
    assert none.ratio(none.counts[1]) == 0


def test_batches_and_inputs_hold_for_all() -> None:
    compared = compare("conv_nxn", "conv_stack", input=(16, 9, 9), batch=3)
    assert [count.batch for count in compared.counts] == [3, 3]
    assert compared.counts[0].multiply_adds == 3 * 81 * 9 * 16 * 16
    assert compared.counts[1].multiply_adds == 2 * compared.counts[0].multiply_adds


def test_heads_can_be_left_out() -> None:
    plain, headed = seq(THREE), seq(conv=THREE, head=auxiliary(Conv2d(2, 1)))
    with_heads = compare(plain, headed, input=X)
    assert with_heads.ratio(with_heads.counts[1]) != 1
    without = with_heads.inference
    assert without.ratio(without.counts[1]) == 1
    assert [count.heads for count in without.counts] == [False, False]


def test_the_same_target_twice_is_two_rows() -> None:
    compared = compare("conv_nxn", "conv_nxn", "conv_nxn")
    assert [count.label for count in compared.counts] == ["conv_nxn", "conv_nxn (2)", "conv_nxn (3)"]


@pytest.mark.parametrize(
    ("targets", "kwargs", "error", "message"),
    [
        ((), {}, DefinitionError, "a comparison needs two targets or more, a baseline first; none are given"),
        (("conv_nxn",), {}, DefinitionError, "needs two targets or more, a baseline first; one is given"),
        (
            ("conv_nxn", "stem"),
            {},
            DefinitionError,
            "the inputs differ: conv_nxn takes 64x35x35, stem takes 3x299x299; give one with --input",
        ),
        (("conv_nxn", "nonesuch"), {}, TargetError, "there is no definition 'nonesuch'"),
        (
            ("conv_nxn",),
            {"ablation": "nxn"},
            DefinitionError,
            "brings its own targets: give one or the other",
        ),
        ((), {"ablation": "nnn"}, TargetError, "there is no ablation 'nnn'; did you mean nxn?"),
        (
            (),
            {"ablation": "receptive_field", "input": (3, 299, 299)},
            DefinitionError,
            "receptive_field: the variants bring inputs of their own",
        ),
        ((FIVE, THREE), {"input": (4, 3, 1), "batch": 0}, DefinitionError, "batch=0 must be at least 1"),
        ((FIVE, Conv2d(3, 7)), {"input": (4, 3, 3)}, ShapeError, "kernel=7x7 does not fit height=3"),
        ((FIVE, THREE), {}, TargetError, "has no input shape of its own"),
        (
            (FIVE, THREE),
            {"input": (4, np.array([5, 6]), 5)},
            DefinitionError,
            "is no single shape; only numbers are compared",
        ),
        (
            (Conv2d(np.array([1, 2]), 1), THREE),
            {"input": X},
            DefinitionError,
            "is no single number; only numbers are compared",
        ),
    ],
)
def test_what_cannot_be_compared(
    targets: tuple[Any, ...], kwargs: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as refused:
        compare(*targets, **kwargs)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_ablation_may_be_a_value_with_inputs_of_its_own() -> None:
    mine = Ablation(
        "mine",
        "Mine",
        {"large": variant(FIVE, (4, 20, 20)), "small": variant(FIVE, (4, 10, 10))},
    )
    compared = compare(ablation=mine)
    assert compared.title == "Mine"
    assert compared.ratio(compared.counts[1]) == Fraction(1, 4)


def test_inputs_that_differ_must_be_declared() -> None:
    mixed = Ablation("mixed", "Mixed", {"a": variant("conv_nxn"), "b": variant("conv_nxn", "64x9x9")})
    with pytest.raises(DefinitionError, match="the inputs differ: a takes 64x35x35, b takes 64x9x9"):
        compare(ablation=mixed)


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ({}, "give a baseline and at least one more by label"),
        ({"a": variant(FIVE)}, "give a baseline and at least one more by label"),
        ([variant(FIVE), variant(THREE)], "give a baseline and at least one more by label"),
        ({"a": FIVE, "b": THREE}, "'a': .* is no variant"),
        ({1: variant(FIVE), "b": variant(THREE)}, "label=1 must be text on one line"),
    ],
)
def test_what_is_no_ablation(variants: Any, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        Ablation("bad", "Bad", variants)
    letters: Any = "CHW"
    with pytest.raises(DefinitionError, match="must be a tuple of names"):
        Ablation("bad", "Bad", {"a": variant(FIVE), "b": variant(THREE)}, symbols=letters)


def told(
    before: Block, after: Block, x: Any = X, depth: int | None = None
) -> list[tuple[str, str, str, str]]:
    found = differences(count(before, x), count(after, x), depth)
    return [(d.path, d.change, d.before, d.after) for d in found]


def test_differences_are_told_where_they_lie() -> None:
    before = seq(a=seq(x=FIVE, y=ReLU()), b=concat(c=THREE, d=seq()), e=THREE)
    after = seq(a=seq(x=THREE, y=ReLU()), b=concat(c=THREE, d=seq()), f=MaxPool2d(1))
    assert told(before, after) == [
        ("a.x", "changed", "conv2d 5x5", "conv2d 3x3"),
        ("e", "removed", "conv2d 3x3", ""),
        ("f", "added", "", "max_pool2d 1x1"),
    ]
    assert told(before, before) == []
    assert [path for path, *_ in told(before, after, depth=1)] == ["a", "e", "f"]
    assert [path for path, *_ in told(before, after, depth=0)] == [""]


def test_modules_without_a_child_in_common_are_told_as_a_whole() -> None:
    before, after = seq(a=seq(whole=FIVE)), seq(a=seq(THREE, THREE))
    assert told(before, after) == [("a", "changed", "conv2d 5x5", "conv2d 3x3, conv2d 3x3")]
    many = seq(a=seq(*[THREE] * 5))
    assert told(before, many) == [("a", "changed", "conv2d 5x5", "sequence of 5")]


def test_a_join_that_becomes_a_sequence_is_told() -> None:
    before, after = (
        seq(a=concat(x=THREE, y=THREE)),
        seq(a=seq(x=THREE, y=Conv2d(8, 3, padding=1, bias=False))),
    )
    assert told(before, after) == [
        ("a.y", "changed", "conv2d 3x3, 4x10x10 to 8x10x10", "conv2d 3x3, 8x10x10 to 8x10x10"),
        ("a", "changed", "concat", "sequence"),
    ]


def test_what_reads_the_same_is_told_with_its_shapes() -> None:
    before, after = seq(Conv2d(4, 1), THREE), seq(Conv2d(6, 1), THREE)
    assert told(before, after) == [
        ("0", "changed", "conv2d 1x1, 4x10x10 to 4x10x10", "conv2d 1x1, 4x10x10 to 6x10x10"),
        ("1", "changed", "conv2d 3x3, 4x10x10 to 8x10x10", "conv2d 3x3, 6x10x10 to 8x10x10"),
    ]


def test_by_how_much() -> None:
    (found,) = differences(count(FIVE, X, batch=2), count(THREE, X, batch=2))
    assert (found.path, found.of("parameters")) == ("", -16 * 4 * 8)
    assert found.of("multiply_adds") == -2 * 16 * 4 * 8 * 100
    (found,) = differences(count(Linear(3), Vector(4)), count(Linear(5), Vector(4)))
    assert found.of("bias_adds") == 2


def test_the_diff_of_inception_v3_names_the_modules() -> None:
    compared = compare(ablation="inception_v3")
    rows = {count.label: compared.differences(count) for count in compared.counts}
    assert rows["released"] == ()
    assert {d.path for d in rows["figure 5: 3x3 for 5x5"]} == {f"mixed_5{m}.b5x5.1.conv" for m in "bcd"}
    sevens = {d.path for d in rows["plain 7x7"]}
    assert sevens == {f"mixed_6{m}.{b}" for m in "bcde" for b in ("b7x7.1", "b7x7dbl.1", "b7x7dbl.2")} | {
        "mixed_7a.b7x7x3.1"
    }
    for counted in compared.counts:
        for name in ("multiply_adds", "parameters", "activations"):
            whole = getattr(counted, name) - getattr(compared.baseline, name)
            assert sum(d.of(name) for d in rows[counted.label]) == whole


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data(), shapes, st.integers(1, 3), st.sampled_from([None, 0, 1, 2]))
def test_differences_add_up(data: st.DataObject, x: Shape, batch: int, depth: int | None) -> None:
    before, after = (count(data.draw(blocks(x)), x, batch=batch) for _ in range(2))
    found = differences(before, after, depth)
    for name in ("multiply_adds", "parameters", "activations", "weights", "bias_adds"):
        whole = int(getattr(after, name)) - int(getattr(before, name))
        assert sum(d.of(name) for d in found) == whole
    assert len({d.path for d in found}) == len(found)
    assert differences(before, before) == ()


def test_an_order_that_changes_is_told() -> None:
    one, two = Conv2d(8, 3, padding=1), Conv2d(8, 1)
    assert told(concat(a=one, b=two), concat(b=two, a=one)) == [
        ("", "changed", "in order a, b", "in order b, a")
    ]


def test_heads_that_are_left_out_make_no_difference() -> None:
    plain = count("inception_v3", width=0.1)
    headed = count("inception_v3", width=0.1, aux=True)
    assert differences(plain, headed.inference, depth=0) == ()
    assert [d.path for d in differences(plain, headed, depth=1)] == ["aux"]


def test_ablations_are_values() -> None:
    first, again = (
        Ablation("mine", "Mine", {"a": variant(FIVE, X), "b": variant(THREE, X)}) for _ in range(2)
    )
    assert first == again
    assert hash(first) == hash(again)
    with pytest.raises(DefinitionError, match="width is given twice"):
        variant("stem:width=0.5", width=2.0)
    number: Any = 5
    with pytest.raises(DefinitionError, match="title=5 must be text on one line"):
        Ablation("mine", number, {"a": variant(FIVE), "b": variant(THREE)})
    for label in ("", " ", "a\nb", "a\x1b[31m"):
        with pytest.raises(DefinitionError, match="must be text on one line"):
            Ablation("mine", "Mine", {label: variant(FIVE), "b": variant(THREE)})


def test_counts_by_label() -> None:
    compared = compare(ablation="small_3x3")
    assert compared["1x3+3x1"] is compared.counts[1]
    assert compared.ratio("1x3+3x1") == Fraction(2, 3)
    assert compared.saving("2x2+2x2") == Fraction(1, 9)
    assert compared.differences("3x3") == ()
    with pytest.raises(DefinitionError, match="there is no '1x3'"):
        compared.ratio("1x3")
    with pytest.raises(DefinitionError, match="there is no quantity 'flops'; there is multiply_adds,"):
        compared.ratio("5x5", "flops")
    with pytest.raises(DefinitionError, match="depth=-1 must be at least 0"):
        compared.differences("5x5", depth=-1)


def test_a_join_of_one_branch_is_not_a_sequence() -> None:
    assert told(seq(a=concat(x=THREE)), seq(a=seq(x=THREE))) == [("a", "changed", "concat", "sequence")]


def test_inputs_that_differ_must_all_be_declared() -> None:
    some = Ablation(
        "some",
        "Some",
        {"a": variant("conv_nxn", "64x8x8"), "b": variant("conv_nxn", "64x9x9"), "c": variant("conv_nxn")},
    )
    with pytest.raises(DefinitionError, match="the inputs differ: a takes 64x8x8, b takes 64x9x9"):
        compare(ablation=some)


def test_a_model_beside_a_definition_is_told_by_what_it_gives() -> None:
    model = nn.Sequential(OrderedDict(a=nn.Conv2d(4, 8, 5), b=nn.ReLU()))
    one, other = count(model, torch.zeros(1, 4, 10, 10)), count(seq(a=Conv2d(8, 5), b=ReLU()), (4, 10, 12))
    told_of = {(each.path, each.before, each.after) for each in differences(one, other)}
    assert ("a", "conv2d 5x5, gives 1x8x6x6", "conv2d 5x5, gives 8x6x8") in told_of
