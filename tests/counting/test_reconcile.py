"""Reconciling: terms that add up, by hand and against the published numbers of the tools."""

from typing import Any

import pytest

from costlab.algebra import AvgPool2d, BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, seq
from costlab.counting.compare import compare
from costlab.counting.convention import convention, conventions
from costlab.counting.count import Count, count
from costlab.counting.family import family_of
from costlab.counting.reconcile import account, account_of, explain, reconcile
from costlab.errors import DefinitionError

NET = seq(
    conv=Conv2d(4, 3, padding=1),
    bn=BatchNorm2d(),
    relu=ReLU(),
    max=MaxPool2d(2),
    avg=AvgPool2d(2),
    flat=Flatten(),
    fc=Linear(5),
)
X = (3, 8, 8)
MACS = 27 * 4 * 64 + 4 * 2 * 2 * 5


def named(counted: Count, name: str) -> dict[str, int]:
    each = account(counted, convention(name))
    return {term.name: each.of(term.name) for term in each.terms}


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("multiply_adds", {"multiply-adds": MACS}),
        ("flops", {"multiply-adds": 2 * MACS}),
        ("fvcore", {"multiply-adds": MACS, "normalization": 2 * 256}),
        ("thop", {"multiply-adds": MACS, "normalization": 4 * 256, "pooling": 16}),
        ("ultralytics_thop", {"multiply-adds": MACS, "normalization": 4 * 256, "pooling": 5 * 16}),
        (
            "ptflops",
            {
                "multiply-adds": MACS,
                "bias": 256 + 5,
                "normalization": 2 * 256,
                "activation functions": 2 * 256,
                "pooling": 2 * (256 + 64),
            },
        ),
        ("ptflops_aten", {"multiply-adds": MACS, "bias": 256 + 5}),
        ("torchinfo", {"multiply-adds": MACS, "bias": 256 + 5, "normalization": 8}),
        ("torchprofile", {"multiply-adds": MACS, "normalization": 256, "pooling": 16}),
        ("calflops_macs", {"multiply-adds": MACS}),
        (
            "calflops_flops",
            {
                "multiply-adds": 2 * MACS,
                "bias": 256,
                "normalization": 2 * 256,
                "activation functions": 256,
                "pooling": 256 + 64,
            },
        ),
        ("torch_flop_counter", {"multiply-adds": 2 * MACS}),
    ],
)
def test_the_terms_by_hand(name: str, terms: dict[str, int]) -> None:
    counted = count(NET, X)
    assert named(counted, name) == terms
    each = account(counted, convention(name))
    assert each.number == sum(terms.values())
    assert each.difference == each.number - each.plain


@pytest.mark.parametrize("target", ["mini", "alexnet", "googlenet", "conv_stack:n=2,parts=2", "prelu_net_a"])
@pytest.mark.parametrize("batch", [1, 3])
def test_terms_add_up(target: str, batch: int) -> None:
    counted = count(target, batch=batch)
    for each in reconcile(counted):
        assert sum(int(term.amount) for term in each.terms) == each.number
        assert each.number == counted.under(each.convention.name).cost


def test_defects_are_named() -> None:
    accounts = reconcile(count("conv_nxn:n=2"))
    told = {each.convention.name: each.defects for each in accounts if each.defects}
    wrong = "fvcore torchprofile calflops_macs calflops_flops deepspeed_macs deepspeed_flops ptflops"
    assert set(told) == set(wrong.split())
    (lost,) = told["fvcore"]
    assert "_convolution_mode" in lost.reason
    assert int(lost.amount) == -64 * 64 * 4 * 35 * 35
    (edge,) = told["calflops_macs"]
    assert int(edge.amount) == -64 * 64 * 4 * (35 * 35 - 34 * 34)


def test_why_two_differ() -> None:
    counted = count(NET, X)
    accounts = reconcile(counted)
    fvcore, thop, flops = (account_of(accounts, name) for name in ("fvcore", "thop", "flops"))
    lines = explain(counted, fvcore, thop)
    assert [(line.name, line.difference) for line in lines] == [("normalization", -512), ("pooling", -16)]
    assert lines[0].why == "batch_norm2d outputs + scalings against batch_norm2d 2 x outputs + 2 x affine"
    assert lines[1].why == "nothing against avg_pool2d outputs"
    assert sum(line.difference for line in lines) == fvcore.number - thop.number
    assert explain(counted, fvcore, flops)[0].why == "1 for each against 2 for each"
    with pytest.raises(DefinitionError, match="thop does not differ from itself"):
        explain(counted, thop, thop)
    with pytest.raises(DefinitionError, match="there is no convention 'thopp'; did you mean thop"):
        account_of(accounts, "thopp")


def test_every_pair_is_explained_to_the_last_unit() -> None:
    counted = count("inception_a")
    accounts = reconcile(counted)
    for first in accounts:
        for second in accounts:
            if first is not second:
                lines = explain(counted, first, second)
                assert sum(line.difference for line in lines) == first.number - second.number


def test_costs_go_through_every_table() -> None:
    counted = count("inception_a").under("thop")
    assert counted.measures == ("cost", "parameters", "activations")
    assert counted.title.endswith(", in thop MACs")
    cuts: list[Any] = [counted.rows, counted.kinds(), *(counted.modules(depth) for depth in range(3))]
    for rows in cuts:
        assert sum(row.cost for row in rows) == counted.cost
    assert counted.to_frame()["cost"].sum() == counted.cost
    with pytest.raises(DefinitionError, match="there is no convention"):
        counted.under("fvcor")


def test_only_numbers_are_charged() -> None:
    from costlab.algebra import symbols

    with pytest.raises(DefinitionError, match="only numbers are charged as thop"):
        count("inception_a", (symbols("C"), 35, 35)).under("thop")
    with pytest.raises(DefinitionError, match="only numbers are charged"):
        reconcile(count("inception_a", (symbols("C"), 35, 35)))


def test_families() -> None:
    for kind in ("batch_norm2d", "layer_norm", "local_response_norm"):
        assert family_of(kind) == "normalization"
    assert family_of("conv_transpose2d") == family_of("conv2d_backward") == "convolution"
    for kind in ("mm", "addmm", "matmul", "dot", "inner", "multi_dot", "linear"):
        assert family_of(kind) == "matrix products"
    assert [family_of(kind) for kind in ("gelu", "prelu", "relu6", "tanh")] == ["activation functions"] * 4
    assert [family_of(kind) for kind in ("add", "mul", "mean")] == ["element by element"] * 3
    assert [family_of(kind) for kind in ("expand", "concat", "flatten")] == ["other"] * 3
    assert family_of("fft") == "other"
    assert conventions()["deepspeed_flops"].charges["layer_norm"] == {"outputs": 4, "scalings": 1}


@pytest.mark.parametrize("convention", ["ptflops", "thop", "calflops_flops", "torchprofile"])
def test_differences_add_up_under_any_convention(convention: str) -> None:
    compared = compare("stem", "stem:kernel=7x7", "stem:width=0.5").under(convention)
    for counted in compared.counts[1:]:
        told = sum(difference.of("cost") for difference in compared.differences(counted))
        assert told == counted.cost - compared.baseline.cost != 0
        ratio = compared.ratio(counted, "cost")
        assert ratio is not None
        assert ratio * compared.baseline.cost == counted.cost


def test_what_is_counted_for_one_input_is_no_missing_rule() -> None:
    """ptflops divides the multiply-adds of a layer by the batch: 27 x 4 at each of 36 positions, once."""
    counted = count(seq(Conv2d(4, 3, bias=False)), (3, 8, 8), batch=3)
    ptflops = account(counted, convention("ptflops"))
    (lost,) = [term for term in ptflops.terms if term.name == "not seen"]
    assert (lost.amount, lost.reason) == (-2 * 27 * 4 * 36, "counted for one input of the batch")
    assert ptflops.number == 27 * 4 * 36
