"""Inception v3 and its modules against reference counts taken from running implementations."""

from typing import Any

import pytest
import sympy

import costlab
from blocks.layers import conv
from costlab.algebra import seq, symbols
from costlab.counting.count import Count, count
from costlab.errors import DefinitionError, ShapeError
from tests.networks import at_a_quarter_if_large

# module: multiply-adds, weights of convolutions and linear layers, all parameters
MODULES = {
    "stem.conv_1a": (19_181_664, 864, 928),
    "stem.conv_2a": (199_148_544, 9_216, 9_280),
    "stem.conv_2b": (398_297_088, 18_432, 18_560),
    "stem.conv_3b": (27_284_480, 5_120, 5_280),
    "stem.conv_4a": (696_867_840, 138_240, 138_624),
    "stem": (1_340_779_616, 171_872, 172_672),
    "mixed_5b": (312_345_600, 254_976, 255_904),
    "mixed_5c": (338_688_000, 276_480, 277_472),
    "mixed_5d": (348_096_000, 284_160, 285_152),
    "mixed_6a": (401_937_408, 1_152_000, 1_153_280),
    "mixed_6b": (374_063_104, 1_294_336, 1_297_408),
    "mixed_6c": (487_702_528, 1_687_552, 1_691_008),
    "mixed_6d": (487_702_528, 1_687_552, 1_691_008),
    "mixed_6e": (617_914_368, 2_138_112, 2_141_952),
    "mixed_7a": (291_004_416, 1_695_744, 1_698_304),
    "mixed_7b": (322_437_120, 5_038_080, 5_044_608),
    "mixed_7c": (388_497_408, 6_070_272, 6_076_800),
    "head": (2_048_000, 2_048_000, 2_049_000),
    "aux": (5_683_200, 3_323_904, 3_326_696),
}


def modules(result: Count) -> dict[str, tuple[Any, ...]]:
    rows = [*result.modules(2), *result.modules(1)]  # at depth 2, mixed_5b is only its concatenation
    return {row.path: (row.work.multiply_adds, row.work.weights, row.work.parameters) for row in rows}


@pytest.fixture(scope="module")
def with_head() -> Count:
    return count("inception_v3", aux=True)


@pytest.mark.parametrize("path", MODULES)
def test_each_module(path: str, with_head: Count) -> None:
    assert modules(with_head)[path] == MODULES[path]


def test_totals() -> None:
    released = count("inception_v3")
    assert released.multiply_adds == 5_713_216_096
    assert released.weights == 23_799_136
    assert released.parameters == 23_834_568


def test_with_the_auxiliary_head(with_head: Count) -> None:
    assert with_head.multiply_adds == 5_718_899_296
    assert with_head.weights == 27_123_040
    assert with_head.parameters == 27_161_264
    assert with_head.inference.total == count("inception_v3").total


@pytest.mark.parametrize(
    ("size", "multiply_adds"),
    [
        (75, 203_525_728),
        (79, 212_103_008),
        (151, 1_082_439_776),
        (224, 2_837_921_120),
        (256, 3_849_597_280),
        (299, 5_713_216_096),
    ],
)
def test_other_inputs(size: int, multiply_adds: int) -> None:
    assert count("inception_v3", (3, size, size)).multiply_adds == multiply_adds


@pytest.mark.parametrize(
    ("settings", "multiply_adds"),
    [
        ({"branch_5x5": "3x3"}, 5_532_582_496),  # figure 5 as printed
        ({"branch_5x5": "3x3+3x3"}, 5_668_057_696),  # by hand: 3 * 35^2 * (25*48 - 9*48 - 9*64) * 64 less
        ({"kernel_7x7": "7x7"}, 9_703_025_248),
        ({"width": 2.0}, 4 * 5_691_986_432 + 2 * 21_229_664),
    ],
)
def test_variants(settings: dict[str, Any], multiply_adds: int) -> None:
    assert count("inception_v3", **settings).multiply_adds == multiply_adds


def test_a_pair_of_3x3_by_hand() -> None:
    saved = 3 * 35**2 * (25 * 48 - 9 * 48 - 9 * 64) * 64
    assert count("inception_v3").multiply_adds - saved == 5_668_057_696


def test_no_pair_of_3x3_gives_the_cost_of_figure_5() -> None:
    """48 to m to 64 channels by two 3x3 costs 9 * (48 + 64) * m weights; figure 5 spends 9 * 48 * 64."""
    m = symbols("m")
    pair = seq(conv(m, 3), conv(64, 3))
    weights = sympy.expand(count(pair, (48, 35, 35)).weights)
    assert weights == 9 * (48 + 64) * m
    spent = count(conv(64, 3), (48, 35, 35)).weights
    assert spent == 9 * 48 * 64
    assert not sympy.Rational(int(spent), 9 * (48 + 64)).is_integer


def test_the_batch_norms_have_a_scale() -> None:
    """Without, as in TF-slim, the network has 23,817,352 parameters."""
    released = count("inception_v3")
    maps: list[Any] = [row.output for row in released.rows if row.work.kind == "batch_norm2d"]
    scales = sum(y.channels for y in maps)
    assert scales == 17_216
    assert int(released.parameters) - scales == 23_817_352


def test_the_unfactorized_network_is_seven_tenths_larger() -> None:
    square = count("inception_v3", kernel_7x7="7x7")
    assert round(int(square.multiply_adds) / 5_713_216_096, 3) == 1.698
    assert square.weights == 37_604_704


def test_cost_as_a_polynomial_in_the_width() -> None:
    w = symbols("w")
    cost = sympy.expand(count("inception_v3", width=w).multiply_adds)
    assert cost == 5_691_986_432 * w**2 + 21_229_664 * w
    assert cost.subs(w, 3) == count("inception_v3", width=3).multiply_adds


def test_n_by_1_kernels_cost_n() -> None:
    n = symbols("n")
    cost = sympy.expand(count("inception_v3", n=n).multiply_adds)
    assert sympy.degree(cost, n) == 1
    assert cost.subs(n, 7) == 5_713_216_096
    assert sympy.degree(sympy.expand(count("inception_v3", n=n, kernel_7x7="7x7").multiply_adds), n) == 2


def test_fewer_and_more_modules() -> None:
    paths = [row.path for row in count("inception_v3", modules_35=1, modules_17=1, modules_8=0).modules(1)]
    assert paths == ["stem", "mixed_5b", "mixed_6a", "mixed_6b", "mixed_7a", "head"]
    single = modules(count("inception_v3", modules_17=1))
    assert single["mixed_6b"] == MODULES["mixed_6e"]  # 192 inner channels
    five = [row.path for row in count("inception_v3", modules_17=5).modules(1)]
    assert five[5:10] == ["mixed_6b", "mixed_6c", "mixed_6d", "mixed_6e", "mixed_6f"]
    assert [row.path for row in count("inception_v3", modules_8=26).modules(1)][-3:-1] == [
        "mixed_7z",
        "mixed_7_27",
    ]


def test_inputs_too_small_are_refused_where_they_stop_fitting() -> None:
    with pytest.raises(
        ShapeError, match=r"^mixed_7a\.b3x3\.1\.conv: kernel=3x3 does not fit height=2 with padding=0$"
    ):
        count("inception_v3", "3x74x74")


def test_the_head_needs_a_17x17_grid() -> None:
    with pytest.raises(ShapeError, match=r"^aux\.conv_5x5\.conv: kernel=5x5 does not fit height=3"):
        count("inception_v3", "3x224x224", aux=True)


@pytest.mark.parametrize("n", [-1, True, 1.5, "two"])
def test_module_counts_are_whole_numbers(n: object) -> None:
    with pytest.raises(DefinitionError, match="modules_17"):
        count("inception_v3", modules_17=n)


LARGE = {
    *("alexnet_one_tower", "anynet_x", "bn_inception", "ensemble", "googlenet", "inception_v2"),
    *("inception_v3_table_1", "prelu_net_b", "prelu_net_c", "regnet_x", "resnet50", "resnet101", "resnet152"),
    "vgg19",
}
"""Networks of the same operations as others of the catalog, only more of them."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in costlab.catalog()],
)
def test_every_definition_agrees_with_what_runs(name: str) -> None:
    findings = costlab.check(at_a_quarter_if_large(name))
    assert [str(finding) for finding in findings if not finding.agreed] == []


@pytest.mark.parametrize(
    "target",
    [
        "inception_v3:aux=true,width=0.25",
        "inception_v3:branch_5x5=3x3+3x3,kernel_7x7=7x7,n=3,width=0.1",
        "inception_v3:branch_5x5=3x3,modules_35=0,modules_17=1,modules_8=0,width=0.1",
        "inception_v3:n=4,width=0.05",
    ],
)
def test_every_axis_agrees_with_what_runs(target: str) -> None:
    assert [str(finding) for finding in costlab.check(target) if not finding.agreed] == []
