"""The ablations that come along: the paper's fractions by hand, and every row against what runs."""

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
import sympy

from costlab.algebra import Shape
from costlab.checking.cross_check import check
from costlab.counting.compare import compare
from costlab.counting.count import count
from costlab.symbolic import ClosedForm, closed_forms, ratio_in_symbols
from costlab.targets.catalog import ablations
from costlab.targets.resolve import resolve
from costlab.targets.target import Target, Variant

F = Fraction
ABLATIONS = ablations()

# Sections 3 and 5 of the paper, in kernels: 25, 9 + 9, 3 + 3, 4 + 4, 9 + 9 + 9, 49 and 7 + 7 weights per
# pair of channels; a separable n x n has n * n / C + 1 where there are C channels in and out.
MULTIPLY_ADDS = [
    ("large_5x5", "3x3+3x3", F(18, 25)),
    ("large_5x5", "3x3+3x3, linear between", F(18, 25)),
    ("large_5x5", "3x3", F(9, 25)),
    ("large_5x5", "separable 5x5", F(25, 25 * 64) + F(1, 25)),
    ("small_3x3", "1x3+3x1", F(2, 3)),
    ("small_3x3", "2x2+2x2", F(8, 9)),
    ("small_3x3", "separable 3x3", F(9, 9 * 64) + F(1, 9)),
    ("small_3x3", "5x5", F(25, 9)),
    ("large_7x7", "3x3+3x3+3x3", F(27, 49)),
    ("large_7x7", "1x7+7x1", F(2, 7)),
    ("nxn", "1xn+nx1", F(2, 7)),
    ("grid_reduction", "pooling, convolution", F(1, 4)),
    ("grid_reduction", "side by side", F(1, 8)),
    ("grid_reduction_35", "pooling, convolution", F(17, 35) ** 2),
    ("grid_reduction_35", "side by side", F(17, 35) ** 2 / 2),
    ("grid_reduction_17", "pooling, convolution", F(8, 17) ** 2),
    ("grid_reduction_17", "side by side", F(8, 17) ** 2 / 2),
    ("receptive_field", "151x151, stride 1, pooling", F(1)),
    ("receptive_field", "79x79, stride 1, no pooling", F(5_361_703_520, 5_713_216_096)),
]

# From the released network: what goes (module by module, from running implementations) and what comes,
# weights times positions.
RELEASED = 5_713_216_096
STEM_7X7 = RELEASED - (19_181_664 + 199_148_544 + 398_297_088) + 49 * 3 * 64 * 147**2
WITHOUT_REDUCTIONS = RELEASED - 401_937_408 - 291_004_416
PLAIN_7X7 = 9_703_025_248
PAIRS_TO_5X5 = (
    3 * 35**2 * (25 * 64 * 96 - 9 * (64 * 96 + 96 * 96))
    + 17**2 * (25 * 64 * 96)
    - (35**2 * 9 * 64 * 96 + 17**2 * 9 * 96 * 96)
)
SPLITS_TO_3X3 = 4 * 8**2 * (9 * 384 * 768 - 2 * 3 * 384 * 384)
INCEPTION_V3 = {
    "released": RELEASED,
    "figure 5: 3x3 for 5x5": 5_532_582_496,
    "3x3 pairs for 5x5": RELEASED + 3 * 35**2 * (9 * 48 * 64 + 9 * 64 * 64 - 25 * 48 * 64),
    "plain 7x7": PLAIN_7X7,
    "7x7 stem": STEM_7X7,
    "pooling, convolution": WITHOUT_REDUCTIONS + 17**2 * 9 * 288 * 768 + 8**2 * 9 * 768 * 1280,
    "convolution, pooling": WITHOUT_REDUCTIONS + 35**2 * 9 * 288 * 768 + 17**2 * 9 * 768 * 1280,
    "all unfactorized": STEM_7X7 + (PLAIN_7X7 - RELEASED) + PAIRS_TO_5X5 + SPLITS_TO_3X3,
}

RATIOS = [
    ("large_5x5", "3x3+3x3", "9*(1+alpha)/(25*sqrt(alpha))"),
    ("large_5x5", "3x3", "9/25"),
    ("small_3x3", "5x5", "25/9"),
    ("small_3x3", "1x3+3x1", "2/3"),
    ("small_3x3", "2x2+2x2", "8/9"),
    ("small_3x3", "separable 3x3", "(C + 9)/(9*C)"),
    ("large_7x7", "1x7+7x1", "(1+alpha)/(7*sqrt(alpha))"),
    ("nxn", "1xn+nx1", "2/n"),
    ("grid_reduction", "pooling, convolution", "1/4"),
    ("grid_reduction", "side by side", "1/8"),
    ("grid_reduction_35", "pooling, convolution", "(H - 1)*(W - 1)/(4*H*W)"),
]


@pytest.mark.parametrize(("name", "label", "ratio"), MULTIPLY_ADDS)
def test_the_multiply_adds_of_each_variant(name: str, label: str, ratio: Fraction) -> None:
    comparison = compare(ablation=name)
    row = next(count for count in comparison.counts if count.label == label)
    assert comparison.ratio(row) == ratio
    assert comparison.saving(row) == 1 - ratio


@pytest.mark.parametrize("name", ["large_5x5", "small_3x3", "large_7x7", "nxn"])
def test_parameters_are_in_the_same_ratio_and_activations_by_layers(name: str) -> None:
    comparison = compare(ablation=name)
    for row in comparison.counts:
        assert comparison.ratio(row, "parameters") == comparison.ratio(row)
        layers = sum(int(operation.work.weights) > 0 for operation in row.rows)
        assert comparison.ratio(row, "activations") == layers


def test_the_variants_of_inception_v3() -> None:
    comparison = compare(ablation="inception_v3")
    assert {count.label: count.multiply_adds for count in comparison.counts} == INCEPTION_V3
    assert comparison.counts[3].parameters == 37_635_912


def test_the_stems_of_table_2() -> None:
    counts = compare(ablation="receptive_field").counts
    assert [str(count.input) for count in counts] == ["3x299x299", "3x151x151", "3x79x79"]
    assert [count.multiply_adds for count in counts] == [RELEASED, RELEASED, 5_361_703_520]
    assert {count.parameters for count in counts} == {23_834_568}


@cache
def forms_of(name: str) -> Mapping[str, ClosedForm]:
    """The closed forms of an ablation by label, derived once."""
    return {form.label: form for form in closed_forms(ablation=name)}


@pytest.mark.parametrize(("name", "label", "ratio"), RATIOS)
def test_the_ratios_in_symbols(name: str, label: str, ratio: str) -> None:
    forms = forms_of(name)
    baseline = next(iter(forms.values()))
    found = ratio_in_symbols(forms[label].multiply_adds, baseline.multiply_adds)
    wanted = sympy.sympify(ratio, locals=forms[label].symbols)
    assert sympy.simplify(found - wanted) == 0
    assert len(str(found)) <= len(ratio) + 3  # simplified


@pytest.mark.parametrize("name", ABLATIONS)
def test_closed_forms_give_the_counts(name: str) -> None:
    comparison = compare(ablation=name)
    for form, counted in zip(forms_of(name).values(), comparison.counts, strict=True):
        assert form.label == counted.label
        found = form.at()
        assert found["multiply_adds"] == counted.multiply_adds
        assert found["parameters"] == counted.parameters
        assert found["activations"] == counted.activations


def small(made: Variant) -> Variant:
    """The variant as it is, but whole networks a tenth as wide, on small inputs, and two of each at most."""
    made = replace(made, batch=min(made.batch, 2))
    if "models" in made.settings:
        made = replace(made, settings={**made.settings, "models": 2})
    if "width" not in made.parameters:
        return made
    own = Shape(3, 79, 79) if "stem_stride" in made.settings else Shape(3, 107, 107)
    return replace(made, settings={**made.settings, "width": 0.1}, input=own)


def distinct() -> list[tuple[str, str]]:
    """The first variant, by ablation and label, of those that are one network on one input."""
    found: dict[Target, tuple[str, str]] = {}
    for name, ablation in ABLATIONS.items():
        for label, made in ablation.variants.items():
            found.setdefault(small(made).resolve()._replace(label=""), (name, label))
    return list(found.values())


@pytest.mark.parametrize(
    ("name", "label"),
    [
        # Every other one; ensembles, and networks on several crops, are those beside them, several times.
        pytest.param(*each, marks=pytest.mark.slow if place % 2 or re.match(r"\d |.* crops", each[1]) else ())
        for place, each in enumerate(distinct())
    ],
)
def test_every_variant_is_what_runs(name: str, label: str) -> None:
    findings = check(count(small(ABLATIONS[name].variants[label])))
    assert len(findings) == 11
    assert all(finding.agreed for finding in findings), "\n".join(map(str, findings))


SETTINGS: list[tuple[str, dict[str, Any], int]] = [
    ("conv_nxn", {"n": 5, "channels": 8, "filters": 12}, 25 * 8 * 12),
    ("conv_nxn", {"channels": 8, "alpha": 1.5}, 9 * 8 * 12),
    ("conv_stack", {"channels": 8, "alpha": 4}, 9 * (8 * 16 + 16 * 32)),
    ("conv_stack", {"channels": 8, "alpha": 8, "parts": 3}, 9 * (8 * 16 + 16 * 32 + 32 * 64)),
    ("conv_stack", {"channels": 8, "filters": 18, "n": 2}, 4 * (8 * 12 + 12 * 18)),
    ("conv_stack", {"channels": 8, "between": 5, "parts": 3}, 9 * (8 * 5 + 5 * 5 + 5 * 8)),
    ("conv_1xn_nx1", {"channels": 8, "filters": 18, "n": 5}, 5 * (8 * 12 + 12 * 18)),
    ("conv_1xn_nx1", {"channels": 8, "between": 3}, 7 * (8 * 3 + 3 * 8)),
    ("conv_separable", {"channels": 8, "filters": 6, "n": 5}, 25 * 8 + 8 * 6),
]


@pytest.mark.parametrize(("name", "settings", "weights"), SETTINGS)
def test_widths_by_hand(name: str, settings: dict[str, Any], weights: int) -> None:
    counted = count(name, **settings)
    assert counted.weights == weights
    assert counted.multiply_adds == weights * 35 * 35
    assert str(counted.input) == "8x35x35"


@pytest.mark.parametrize("name", ["conv_nxn", "conv_stack", "conv_1xn_nx1", "conv_separable"])
def test_batch_norms_biases_and_what_lies_between(name: str) -> None:
    plain = count(name, bn=False)
    layers = sum(int(row.work.weights) > 0 for row in plain.rows)
    assert plain.parameters == plain.weights
    assert count(name, bn=False, bias=True).parameters == plain.weights + 64 * layers
    assert count(name).parameters == plain.weights + 2 * 64 * layers
    relus = sum(1 for row in plain.rows if row.work.kind == "relu")
    assert relus == layers
    if name != "conv_nxn":
        linear = count(name, bn=False, activation="linear")
        assert [row.work.kind for row in linear.rows] == ["conv2d"] * layers + ["relu"]
        assert linear.multiply_adds == plain.multiply_adds


@pytest.mark.parametrize("form", ["pool+conv", "conv+pool", "parallel"])
@pytest.mark.parametrize(("grid", "halved"), [(35, 17), (17, 8)])
def test_reductions_give_twice_the_channels_on_half_the_grid(form: str, grid: int, halved: int) -> None:
    every: tuple[dict[str, Any], ...] = ({}, {"window": 2, "kernel": 2})
    for settings in every:
        output = count("grid_reduction", (40, grid, grid), form=form, **settings).root.output
        assert tuple(output) == (80, halved, halved)
    assert count("grid_reduction", (40, grid, grid), form=form, filters=50).root.output[0] == 50


@pytest.mark.parametrize(
    ("target", "same"),
    [
        ("inception_v3:stem_kernel=7x7", "mixed_5b"),
        ("inception_v3:pair_3x3=5x5", "mixed_6a"),
        ("inception_v3:split_3x3=false", "mixed_7c"),
        ("inception_v3:reductions=pool+conv", "mixed_7a"),
        ("inception_v3:reductions=conv+pool", "mixed_6a"),
    ],
)
def test_what_replaces_gives_the_same_shape(target: str, same: str) -> None:
    outputs = {row.path: row.output for row in count("inception_v3").modules(1)}
    changed = {row.path: row.output for row in count(target).modules(1)}
    assert changed == outputs
    assert same in outputs


@pytest.mark.parametrize("size", [75, 79, 96, 111, 224])
def test_an_unfactorized_reduction_keeps_the_grid_of_any_input(size: int) -> None:
    plain, whole = (resolve("reduction_b", (288, size, size), pair_3x3=form) for form in ("3x3+3x3", "5x5"))
    assert plain.walk().output == whole.walk().output
