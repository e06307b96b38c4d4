"""Pictures: what is drawn against hand arithmetic and other counts, and letters that can be read."""

from dataclasses import replace
from fractions import Fraction
from json import dumps, loads
from math import sqrt
from typing import Any

import pytest

from costlab.algebra import Conv2d, Flatten, Linear, ReLU, seq
from costlab.counting.compare import compare
from costlab.counting.count import count
from costlab.counting.row import MEASURES
from costlab.paper import verify
from costlab.report.figure import SMALL, Picture
from costlab.report.page import Page
from costlab.report.pictures.alpha import alpha
from costlab.report.pictures.bars import compare_picture
from costlab.report.pictures.budget import budgets_of
from costlab.report.pictures.grids import GRIDS, grids_of, grids_picture
from costlab.report.pictures.lineage import lineage_of
from costlab.report.pictures.modules import KERNELS, MODULES, module_costs, modules_picture
from costlab.report.pictures.reductions import reductions
from costlab.report.pictures.savings import savings
from costlab.report.pictures.verdicts import verdicts
from tests.definitions.test_inception_v3 import MODULES as REFERENCE
from tests.report.rendering import letters_of, overlaps, render
from tests.sampling import one_in

F = Fraction
NAMES = (
    "inception_v3_modules",
    "inception_v3_grids",
    "savings",
    "alpha",
    "reductions",
    "inception_v3_choices",
    "claims",
    "lineage",
    "budget",
    "conventions",
    "neighbourhood",
    "within_budget",
    "equal_cost",
    "training_hours",
    "step_memory",
    "inference_memory",
    "roofline_k40",
    "roofline_h200",
    "replaceable",
    "saved_and_added",
)


def picture(pages: tuple[Page, ...], name: str) -> Picture[Any]:
    (found,) = (each for page in pages for each in page.pictures if each.name == name)
    return found


def test_these_are_all_pictures(pages: tuple[Page, ...]) -> None:
    assert {each.name for page in pages for each in page.pictures} == set(NAMES)


@pytest.mark.parametrize("name", one_in(2, NAMES))
def test_letters_can_be_read_and_none_lies_on_another(pages: tuple[Page, ...], name: str) -> None:
    figure = render(picture(pages, name))
    letters = letters_of(figure)
    assert len(letters) > 10
    assert overlaps(letters) == []
    assert [each.text for each in letters if each.size < SMALL] == []
    width, height = figure.get_size_inches() * figure.dpi
    outside = [
        each.text
        for each in letters
        if each.box.x0 < 0 or each.box.y0 < 0 or each.box.x1 > width or each.box.y1 > height
    ]
    assert outside == []


def plain(value: object) -> bool:
    """Whether a value is the same on every machine: no real numbers but those that were one exact ratio."""
    if isinstance(value, tuple):
        return all(map(plain, value))
    return isinstance(value, str | int) or (isinstance(value, float) and loads(dumps(value)) == value)


@pytest.mark.parametrize("name", NAMES)
def test_the_data_is_plain_and_its_digest_moves_with_it(pages: tuple[Page, ...], name: str) -> None:
    found = picture(pages, name)
    assert plain(found.data)
    renamed = replace(found, data=found.data._replace(title="another"))
    assert renamed.digest != found.digest
    assert replace(found, alt="another", name="another").digest == found.digest


@pytest.mark.parametrize("name", ["large_5x5", "grid_reduction", "receptive_field", "lineage"])
def test_letters_of_comparisons(name: str) -> None:
    letters = letters_of(render(compare_picture(compare(ablation=name))))
    assert overlaps(letters) == []


def test_the_costs_of_modules_against_reference_counts() -> None:
    costs = module_costs(count("inception_v3"))
    assert costs.totals == (5_713_216_096, 23_834_568, 8_968_488)
    for measure, place in (("multiply_adds", 0), ("parameters", 2)):
        sizes = costs.sizes[MEASURES.index(measure)]
        found = {module: sum(row) for module, row in zip(costs.modules, sizes, strict=True)}
        assert found == {module: REFERENCE[module][place] for module in costs.modules}
    assert costs.modules[0] == "stem"
    assert costs.modules[-1] == "head"
    assert costs.kernels[:3] == ("3x3", "1x7 or 7x1", "1x1")
    # Each 5x5 of the first three modules: 25 x 48 x 64 weights on 35 x 35.
    fives = [row[costs.kernels.index("5x5")] for row in costs.sizes[0]]
    assert [size for size in fives if size] == [25 * 48 * 64 * 35**2] * 3


def test_many_modules_and_kernels_are_put_together() -> None:
    layers = [Conv2d(4, 1 + i % 9, padding=4) for i in range(60)]
    counted = count(seq(*layers, Flatten(), Linear(3)), (3, 30, 30))
    costs = module_costs(counted)
    assert len(costs.modules) == MODULES
    assert costs.modules[-1] == "30 other"
    assert len(costs.kernels) == KERNELS
    assert costs.kernels[-1] == "4 other"
    for name, total, sizes in zip(MEASURES, costs.totals, costs.sizes, strict=True):
        assert sum(map(sum, sizes)) == total == getattr(counted.total, name)


def test_grids_against_hand_arithmetic() -> None:
    grids = grids_of(count("inception_v3"))
    assert grids.grids == ("149x149", "147x147", "73x73", "71x71", "35x35", "17x17", "8x8", "vector")
    on_147 = sum(REFERENCE[f"stem.conv_{name}"][0] for name in ("2a", "2b"))
    assert grids.sizes[0][1] == on_147
    assert grids.sizes[1][-1] == 2_049_000
    for total, sizes in zip(grids.totals, grids.sizes, strict=True):
        assert sum(sizes) == total


def test_many_grids_are_put_together() -> None:
    counted = count(seq(*(Conv2d(2, 2) for _ in range(20))), (3, 40, 40))
    grids = grids_of(counted)
    assert len(grids.grids) == GRIDS
    assert grids.grids == (*(f"{n}x{n}" for n in range(39, 28, -1)), "9 other")
    assert tuple(map(sum, grids.sizes)) == grids.totals


@pytest.mark.parametrize(
    ("block", "shape"),
    [
        (seq(ReLU()), (3, 5, 5)),
        (Linear(3), (7,)),
        (seq(), (3, 5, 5)),
        (seq(*(seq(Conv2d(2, 1)) for _ in range(40))), (3, 5, 5)),
        (seq(Conv2d(2**30, 3)), (2**30, 64, 64)),
        (seq(a_module_with_a_very_long_name_indeed_that_goes_on=Conv2d(2, 1)), (3, 5, 5)),
    ],
)
def test_any_network_can_be_drawn(block: Any, shape: tuple[int, ...]) -> None:
    counted = count(block, shape)
    for each in (modules_picture(counted, "x"), grids_picture(counted, "x")):
        assert overlaps(letters_of(render(each))) == []
        assert each.file().startswith(b"\x89PNG")


def test_the_mark_of_what_is_unverified_is_explained() -> None:
    for name, marked in (("prelu_net_a", True), ("stem", False)):
        counted = count(name, width=0.05)
        for data in (module_costs(counted), grids_of(counted)):
            assert data.title.startswith(f"{name}:width=0.05{' (?)' * marked}, input")
            assert ("\n(?): its layers were not verified against their source" in data.title) == marked


def test_savings_by_hand() -> None:
    data = savings()
    curves = {curve.label: {each.n: F(each.saved) for each in curve.savings} for curve in data.curves}
    assert curves["1 x n and n x 1"] == {n: 1 - F(2, n) for n in range(2, 12)}
    assert curves["3 x 3 in a row"] == {n: 1 - F(9 * (n - 1), 2 * n * n) for n in (5, 7, 9, 11)}
    assert curves["2 x 2 in a row"] == {n: 1 - F(4 * (n - 1), n * n) for n in range(3, 12)}
    assert curves["depthwise, then 1 x 1"] == {n: 1 - F(1, 64) - F(1, n * n) for n in range(2, 12)}
    named = {(data.curves[i].label, n): curves[data.curves[i].label][n] for i, n in data.named}
    assert named["3 x 3 in a row", 5] == F(28, 100)
    assert named["1 x n and n x 1", 3] == F(1, 3)


def test_alpha_by_hand() -> None:
    data = alpha()
    for a, saved in data.curve:
        at = float(F(a))
        assert float(saved) == pytest.approx(1 - 9 * (1 + at) / (25 * sqrt(at)), abs=2e-6)
    assert dict(data.counted) == {"1/4": "1/10", "4/9": "11/50", "1": "7/25", "9/4": "11/50", "4": "1/10"}
    assert (data.stated, data.mean, data.branches) == ("1.5", "26/9", ("2", "4"))


def test_grid_reductions_by_hand() -> None:
    data = reductions()
    assert data.forms == ("convolution, pooling", "pooling, convolution", "side by side")
    assert [tuple(F(ratio) for ratio in each.ratios) for each in data.sets] == [
        (F(1), F(1, 4), F(1, 8)),
        (F(1), F(17, 35) ** 2, F(17, 35) ** 2 / 2),
        (F(1), F(8, 17) ** 2, F(8, 17) ** 2 / 2),
    ]
    assert data.sets[1].sizes[0] == 35**2 * 9 * 320 * 640
    assert [each.label.partition(",")[0] for each in data.sets] == [
        "34x34 to 17x17",
        "35x35 to 17x17",
        "17x17 to 8x8",
    ]


def test_what_is_drawn_of_the_audit() -> None:
    data = verdicts(verify())
    dots = {(dot.claim, dot.figure): dot for dot in data.dots}
    budget = dots["budget-madds", "multiply-adds"]
    assert (F(budget.quotient), budget.verdict) == (F(5_713_216_096, 5 * 10**9), "close")
    layers = dots["depth", "layers"]
    assert (layers.stated, layers.recomputed, F(layers.quotient), layers.verdict) == (
        "42",
        "48",
        F(48, 42),
        "differs",
    )
    assert not any(dot.verdict in ("exact", "not countable") for dot in data.dots)
    tally = dict(data.tally)
    assert tally == {"exact": 22, "holds": 13, "close": 5, "not countable": 9, "differs": 19}
    assert len(data.dots) == 13 + 5 + 19 - 1  # what a larger n saves more is held against 0
    (fraction,) = verdicts(verify("vgg-params")).dots[:1]
    assert F(fraction.quotient) == F(138_357_544, 60_965_224) / 3


def test_what_is_drawn_of_the_lineage() -> None:
    data = lineage_of(compare(ablation="lineage"))
    systems = {system.label: system for system in data.systems}
    assert data.unverified
    assert systems["VGG-16"][1:] == (15_470_264_320, 138_357_544, "", "")
    assert systems["BN-Inception"][1:] == (2_032_600_064, 11_295_240, "25.2", "BN-GoogLeNet")
    assert systems["Inception-v3"][1:4] == (5_713_216_096, 23_834_568, "21.2")
    assert systems["PReLU-net A (?)"].top_1_error == ""
    assert len(systems) == 14


def test_what_is_drawn_of_the_budgets() -> None:
    data = budgets_of(compare(ablation="inference_budget"))
    one, google, bn = 5_713_216_096, 1_498_677_248, 2_032_600_064
    found = [[(each.label, each.multiply_adds, each.top_5_error) for each in chain] for chain in data.chains]
    assert found == [
        [
            ("GoogLeNet", google, "9.2"),
            ("10 crops", 10 * google, "9.15"),
            ("144 crops", 144 * google, "7.89"),
            ("7 GoogLeNet, 144 crops", 7 * 144 * google, "6.67"),
        ],
        [
            ("BN-Inception", bn, "7.8"),
            ("144 crops", 144 * bn, "5.82"),
            ("6 BN-Inception, 144 crops", 6 * 144 * bn, "4.9"),
        ],
        [
            ("Inception-v3", one, "5.6"),
            ("12 crops", 12 * one, "4.48"),
            ("144 crops", 144 * one, "4.2"),
            ("4 Inception-v3, 144 crops", 4 * 144 * one, "3.46"),
        ],
        [("PReLU-net C, 10 crops (?)", 10 * 53_463_130_112, "7.38")],
    ]
    assert [each.top_1_error for each in data.chains[2]] == ["21.2", "19.47", "18.77", "17.2"]
    (note,) = data.notes
    assert "3.46% of four Inception-v3 are on the validation set" in note
