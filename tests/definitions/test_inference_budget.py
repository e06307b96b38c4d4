"""What inference costs beside what is reported: counts by hand, figures as printed, prices per point."""

import re
from fractions import Fraction
from typing import Any

import pytest

from costlab.counting.compare import compare
from costlab.errors import DefinitionError
from costlab.report.tables.compare import compare_table
from costlab.report.tables.published import published_table
from costlab.targets.ablation import Ablation
from costlab.targets.catalog import lookup_ablation
from costlab.targets.published import Published
from costlab.targets.resolve import variant

RELEASED, V2, SEPARABLE, BN_INCEPTION = 5_713_216_096, 5_299_886_272, 1_498_677_248, 2_032_600_064
COUNTED = {
    "GoogLeNet": SEPARABLE,
    "BN-GoogLeNet": SEPARABLE,
    "BN-Inception": BN_INCEPTION,
    "Inception-v2": V2,
    "v2, RMSProp": V2,
    "v2, label smoothing": V2,
    "v2, factorized 7x7": RELEASED,
    "Inception-v3": RELEASED,
    "Inception-v3, 12 crops": 12 * RELEASED,
    "Inception-v3, 144 crops": 144 * RELEASED,
    "4 Inception-v3, 144 crops": 4 * 144 * RELEASED,
    "GoogLeNet, 10 crops": 10 * SEPARABLE,
    "GoogLeNet, 144 crops": 144 * SEPARABLE,
    "7 GoogLeNet, 144 crops": 7 * 144 * SEPARABLE,
    "BN-Inception, 144 crops": 144 * BN_INCEPTION,
    "6 BN-Inception, 144 crops": 6 * 144 * BN_INCEPTION,
    "PReLU-net C, 10 crops": 10 * 53_463_130_112,
}
# Tables 3 to 5: top-1 and top-5 error in percent, billions of operations.
PUBLISHED = {
    "GoogLeNet": ("29", "9.2", "1.5"),
    "BN-GoogLeNet": ("26.8", None, "1.5"),
    "BN-Inception": ("25.2", "7.8", "2.0"),
    "Inception-v2": ("23.4", None, "3.8"),
    "v2, RMSProp": ("23.1", "6.3", "3.8"),
    "v2, label smoothing": ("22.8", "6.1", "3.8"),
    "v2, factorized 7x7": ("21.6", "5.8", "4.8"),
    "Inception-v3": ("21.2", "5.6", "4.8"),
    "Inception-v3, 12 crops": ("19.47", "4.48", None),
    "Inception-v3, 144 crops": ("18.77", "4.2", None),
    "4 Inception-v3, 144 crops": ("17.2", "3.46", None),  # on the validation set
    "GoogLeNet, 10 crops": (None, "9.15", None),
    "GoogLeNet, 144 crops": (None, "7.89", None),
    "7 GoogLeNet, 144 crops": (None, "6.67", None),
    "BN-Inception, 144 crops": ("21.99", "5.82", None),
    "6 BN-Inception, 144 crops": ("20.1", "4.9", None),
    "PReLU-net C, 10 crops": ("24.27", "7.38", None),
}
# Multiply-adds more than the row before, by points of error less.
PER_POINT = [
    ("GoogLeNet", "top_1_error", None),
    ("BN-GoogLeNet", "top_1_error", Fraction(0)),
    ("BN-Inception", "top_1_error", (BN_INCEPTION - SEPARABLE) / Fraction("1.6")),
    ("BN-Inception", "top_5_error", None),  # BN-GoogLeNet's is not printed
    ("v2, factorized 7x7", "top_1_error", (RELEASED - V2) / Fraction("1.2")),
    ("Inception-v3", "top_5_error", Fraction(0)),
    ("Inception-v3, 12 crops", "top_1_error", 11 * RELEASED / Fraction("1.73")),
    ("Inception-v3, 144 crops", "top_5_error", 132 * RELEASED / Fraction("0.28")),
    ("4 Inception-v3, 144 crops", "top_1_error", 3 * 144 * RELEASED / Fraction("1.57")),
    ("4 Inception-v3, 144 crops", "top_5_error", 3 * 144 * RELEASED / Fraction("0.74")),
    ("GoogLeNet, 144 crops", "top_5_error", 134 * SEPARABLE / Fraction("1.26")),
    ("GoogLeNet, 10 crops", "top_5_error", None),  # 9.2 may be 9.15
    ("GoogLeNet, 10 crops", "top_1_error", None),
    ("PReLU-net C, 10 crops", "top_1_error", None),
]


def test_counts_are_crops_times_models_times_one_inference() -> None:
    counts = compare(ablation="inference_budget").counts
    assert {count.label: count.multiply_adds for count in counts} == COUNTED
    parameters = {count.label: count.parameters for count in counts}
    assert parameters["Inception-v3, 144 crops"] == 23_834_568  # held once
    assert parameters["4 Inception-v3, 144 crops"] == 4 * 23_834_568


def test_figures_are_reported_as_printed() -> None:
    reported = lookup_ablation("inference_budget").published
    assert {
        label: (published_figures.top_1_error, published_figures.top_5_error, published_figures.multiply_adds)
        for label, published_figures in reported.items()
    } == PUBLISHED


@pytest.mark.parametrize(("label", "error", "price"), PER_POINT)
def test_what_one_further_point_costs(label: str, error: str, price: Fraction | None) -> None:
    assert compare(ablation="inference_budget").per_point(label, error) == price


def test_a_variant_that_is_no_better_has_no_price() -> None:
    conv = {label: variant("conv_nxn", n=n) for label, n in (("a", 1), ("b", 3))}
    worse = Ablation(
        "x", "X", conv, published={"a": Published("T", "1"), "b": Published("T", "1.5", after="a")}
    )
    assert compare(ablation=worse).per_point("b", "top_1_error") is None
    with pytest.raises(DefinitionError, match="there is no 'c'"):
        compare(ablation=worse).per_point("c", "top_1_error")


PERCENT, BILLIONS = "a percentage in digits, such as '21.2'", "billions in digits, such as '4.8'"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"top_1_error": "21,2"}, f"T: top_1_error='21,2' must be {PERCENT}"),
        ({"top_5_error": "101"}, f"T: top_5_error='101' must be {PERCENT}"),
        ({"top_5_error": "-1"}, f"T: top_5_error='-1' must be {PERCENT}"),
        ({"top_5_error": ""}, f"T: top_5_error='' must be {PERCENT}"),
        ({"top_5_error": 21.2}, f"T: top_5_error=21.2 must be {PERCENT}"),
        ({"multiply_adds": "NaN"}, f"T: multiply_adds='NaN' must be {BILLIONS}"),
        ({"top_1_error": "١٢"}, f"T: top_1_error='١٢' must be {PERCENT}"),
        ({"after": "a\nb"}, r"Published: after='a\nb' must be text on one line"),
        ({"multiply_adds": "5e9"}, f"T: multiply_adds='5e9' must be {BILLIONS}"),
        ({"multiply_adds": 1.5}, f"T: multiply_adds=1.5 must be {BILLIONS}"),
        ({"after": None}, "Published: after=None must be text on one line"),
    ],
)
def test_figures_that_no_table_prints(settings: dict[str, str], said: str) -> None:
    with pytest.raises(DefinitionError, match="^" + re.escape(said) + "$"):
        Published("T", **settings)


def test_a_source_is_text() -> None:
    with pytest.raises(DefinitionError, match="Published: source=7 must be text on one line"):
        Published(7)  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize(
    ("now", "before", "gained"),
    [
        ("21.2", "23.1", Fraction("1.9")),
        ("9.15", "9.2", None),  # 9.2 may be anything from 9.15 to 9.25
        ("9.14", "9.2", Fraction("0.06")),
        ("9.1", "9.2", None),  # both may be 9.15
        ("9.0", "9.2", Fraction("0.2")),
        ("28", "29", None),
        ("27", "29", 2),
        ("9.2", "9.2", None),
        ("9.3", "9.2", None),
        (None, "9.2", None),
        ("9.2", None, None),
    ],
)
def test_points_that_are_more_than_rounding(
    now: str | None, before: str | None, gained: Fraction | None
) -> None:
    assert Published("T", top_5_error=now).gained(Published("T", top_5_error=before), "top_5_error") == gained


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"published": {"c": Published("T")}}, "ablation x: published: 'c' is no variant"),
        (
            {"published": {"b": Published("T", after="c")}},
            "ablation x: 'b': after='c' is no other variant with figures",
        ),
        (
            {"published": {"b": Published("T", after="b")}},
            "ablation x: 'b': after='b' is no other variant with figures",
        ),
        (
            {"published": {"b": Published("T", after="a")}},
            "ablation x: 'b': after='a' is no other variant with figures",
        ),
        ({"published": {"b": "21.2"}}, "ablation x: 'b': '21.2' is no Published(...)"),
        ({"published": [1]}, "ablation x: published=[1] must give figures by label"),
        ({"published": None}, "ablation x: published=None must give figures by label"),
        ({"notes": "one"}, "ablation x: notes='one' must be a tuple of texts"),
        ({"notes": None}, "ablation x: notes=None must be a tuple of texts"),
        ({"notes": (3,)}, "ablation x: note=3 must be text on one line"),
    ],
)
def test_what_an_ablation_cannot_carry(settings: dict[str, Any], said: str) -> None:
    conv = {label: variant("conv_nxn", n=n) for label, n in (("a", 1), ("b", 3))}
    with pytest.raises(DefinitionError, match="^" + re.escape(said) + "$"):
        Ablation("x", "X", conv, **settings)


@pytest.mark.parametrize("error", ["top1", "source", "after"])
def test_prices_of_what_is_no_error(error: str) -> None:
    with pytest.raises(DefinitionError, match=f"there is no '{error}'; there is top_1_error and top_5_error"):
        compare(ablation="inference_budget").per_point("Inception-v3", error)


def test_notes_are_shown_with_figures_or_without() -> None:
    conv = {label: variant("conv_nxn", n=n) for label, n in (("a", 1), ("b", 3))}
    plain = compare(ablation=Ablation("x", "X", conv, notes=("a note",)))
    assert "a note" in compare_table(plain).to_text()
    figures = {"a": Published("T", "9")}
    published_figures = compare(ablation=Ablation("x", "X", conv, published=figures, notes=("a note",)))
    assert "a note" not in compare_table(published_figures).to_text()
    assert "a note" in published_table(published_figures).to_text()


def test_cheaper_and_better_has_a_price_below_zero() -> None:
    conv = {label: variant("conv_nxn", n=n) for label, n in (("a", 3), ("b", 1))}
    better = Ablation(
        "x", "X", conv, published={"a": Published("T", "9"), "b": Published("T", "7", after="a")}
    )
    comparison = compare(ablation=better)
    price = comparison.per_point("b", "top_1_error")
    assert price == -8 * 64 * 64 * 35 * 35 / Fraction(2)
    assert "-20.07 M" in published_table(comparison).to_text()


@pytest.mark.parametrize("batch", [0, -1, 1.5, "2", True])
def test_batches_that_are_none(batch: int) -> None:
    with pytest.raises(DefinitionError, match="batch="):
        variant("conv_nxn", None, batch)
