"""The page of advice: its findings and savings against hand arithmetic and counts of what is rewritten."""

import re
from collections.abc import Mapping
from fractions import Fraction

import pytest

from costlab.advise.factorize.factorize import factorize
from costlab.advise.factorize.scheme import SCHEMES
from costlab.advise.lint.finding import RULES
from costlab.counting.count import count
from costlab.report.page import Page
from costlab.report.pages import advice
from costlab.report.pages.advice_factorize import PICTURED
from costlab.report.pages.hardware_bounds import DEVICES
from costlab.report.pictures.replaceable import LOOKS, Replaceable, replaceable
from costlab.report.pictures.saved_and_added import SPREAD, SavedAndAdded
from costlab.targets.catalog import catalog
from tests.report.rendering import render
from tests.report.test_hardware_page import plain, table
from tests.report.test_pictures import picture
from tests.report.test_places import marks, same

NO_NETWORK_OF_ITS_OWN = {"ensemble": "four times inception_v3", "anynet_x": "regnet_x by default"}
PINCHES = {
    "alexnet": 3,
    "alexnet_one_tower": 3,
    "vgg16": 5,
    "vgg19": 5,
    "googlenet": 4,
    "inception_v3": 3,
    "resnet50": 1,
}
AT_HALF = {
    "resnet50": (3_101_645_312, 19_377_125, 12_419_560),
    "vgg16": (7_793_938_432, 131_002_252, 20_807_144),
    "inception_v3": (4_335_278_845, 20_553_219, 11_724_418),
}
"""Multiply-adds, parameters and activations by 1xn+nx1."""
MORE_AT_FULL = {"resnet50": 2_207_568_384, "vgg16": 13_876_724_736, "inception_v3": 2_153_918_007}


@pytest.fixture
def text(pages: tuple[Page, ...]) -> str:
    (page,) = (each for each in pages if each.name == advice.NAME)
    return page.text


def filled(rows: list[list[str]]) -> list[list[str]]:
    """The rows with a name in each: one that stands once holds for those below."""
    name, found = "", []
    for first, *others in rows:
        name = first or name
        found.append([name.removesuffix(" (?)"), *others])
    return found


def by_scheme(text: str) -> Mapping[tuple[str, str], list[str]]:
    rows = table(text, "Whole networks at half the cost of each convolution that is replaced")
    return {(name, scheme): cells for name, scheme, *cells in filled(rows)}


def test_these_are_the_networks_of_the_catalog() -> None:
    roots = {name: count(each).root for name, each in catalog().items()}
    whole = {name for name, root in roots.items() if len(root.output) == 1 and root.input[0] == 3}
    assert whole == set(advice.NETWORKS) | set(NO_NETWORK_OF_ITS_OWN)
    assert count("ensemble").multiply_adds == 4 * count("inception_v3").multiply_adds
    assert count("anynet_x").total == count("regnet_x").total
    assert set(PICTURED) < set(advice.NETWORKS)


def test_the_warnings_are_those_that_are_known(text: str) -> None:
    rows = {
        name: [plain(cell.strip("*")) for cell in cells]
        for name, *cells in filled(table(text, "Warnings by rule, and notes"))
    }
    total = rows.pop("**total**")
    assert [*rows] == [*advice.NETWORKS]
    assert total == [sum(column) for column in zip(*rows.values(), strict=True)]
    for warnings, *by_rule, _ in rows.values():
        assert len(by_rule) == len(RULES)
        assert warnings == sum(by_rule)
    assert {name: rows[name][1] for name in PINCHES} == PINCHES
    assert rows["inception_v3"] == [6, 3, 0, 0, 3, 2]
    assert f"lint warns of {total[1]} pinches" in text


def test_each_pinch_is_one(text: str) -> None:
    rows = filled(table(text, "Pinches"))
    for _, _, _, before, after, elements_before, elements, ratio in rows:
        sizes = [[int(size) for size in cell.split("x")] for cell in (before, after)]
        products = [c * h * w for c, h, w in sizes]
        assert products == [plain(elements_before), plain(elements)]
        assert ratio == f"{products[0] / products[1]:.3f}x"
        assert products[0] > 2 * products[1]
    of_v3 = {path: ratio for name, path, *_, ratio in rows if name == "inception_v3"}
    assert of_v3 == {"stem.pool_3a": "4.055x", "stem.pool_5a": "4.115x", "mixed_7a": "2.709x"}
    assert "2 of them are in its stem: 4.05x at `stem.pool_3a`, 4.12x at `stem.pool_5a`" in text


def test_the_forms_of_the_reductions_by_hand(text: str) -> None:
    rows = table(text, "The reductions of Inception v3 in three forms")
    known = count("inception_v3", reductions="conv+pool")
    convolutions = int(known.multiply_adds) - 2048 * 1000
    shares = [35**2 * 9 * 288 * 768 / convolutions, 17**2 * 9 * 768 * 1280 / convolutions]
    assert [row[4] for row in rows[4:]] == [f"{share:.1%}" for share in shares] == ["24.4%", "25.5%"]
    pooled = [f"{(35 / 17) ** 2:.3f}x", f"{(17 / 8) ** 2:.3f}x"]
    assert [row[5] for row in rows] == ["no pinch", f"{768 * 17**2 / (1280 * 8**2):.3f}x", *pooled, *pooled]
    rules = ["nothing"] * 2 + ["pool-before-expansion"] * 2 + ["convolution-before-pool"] * 2
    assert [row[3] for row in rows] == rules
    more = Fraction(int(known.multiply_adds), 5_713_216_096) - 1
    assert f"the network has {float(more):.1%} more in all" in text
    assert "gone at `mixed_6a`, and 4.52x become 2.71x at `mixed_7a`" in text


def test_large_kernels_by_hand(text: str) -> None:
    rows = {
        (name, kernel): cells
        for name, kernel, *cells in filled(table(text, "Dense kernels above 3x3, by size"))
    }
    fives = 3 * 35**2 * 25 * 48 * 64
    between = 55  # of 48 and 64
    pairs = 3 * 35**2 * 9 * (48 * between + between * 64)
    assert rows["inception_v3", "5x5"][:4] == ["3", f"{fives:,}", "4.9%", f"{fives - pairs:+,}"]
    assert rows["alexnet_one_tower", "11x11"][1:3] == [f"{55**2 * 121 * 3 * 64:,}", "10.7%"]
    assert rows["alexnet_one_tower", "5x5"][1:3] == [f"{27**2 * 25 * 64 * 192:,}", "34.2%"]
    below = sum(cells[3].startswith("-") for cells in rows.values())
    assert f"in the {below} layers here that read 3 channels" in text
    assert f"would save {(fives - pairs) / 5_713_216_096:.1%} of all" in text


def test_networks_at_half_and_at_full_rank(text: str) -> None:
    rows = by_scheme(text)
    for name, known in AT_HALF.items():
        before = count(name)
        cells = rows[name, "1xn+nx1"]
        assert tuple(plain(cell) for cell in cells[1:7:2]) == known
        sizes = (before.multiply_adds, before.parameters, before.activations)
        changes = [f"{100 * (after / int(size) - 1):+.2f}%" for after, size in zip(known, sizes, strict=True)]
        assert cells[2:7:2] == changes
        assert plain(cells[7]) - int(before.multiply_adds) == MORE_AT_FULL[name]
    assert "resnet50 has 2,207,568,384 multiply-adds more" in text
    assert "it has 3,101,645,312, 19,377,125 parameters and 12,419,560 activations" in text


def test_every_row_is_what_the_rewritten_network_counts(text: str) -> None:
    """A network and a scheme of each kind, and one of each family by turns."""
    rows = by_scheme(text)
    assert {name for name, _ in rows} == set(advice.NETWORKS)
    for name, scheme in zip(PICTURED[2:], [*SCHEMES] * 2, strict=False):
        plan = factorize(name, by=scheme)
        assert ((name, scheme) in rows) == bool(plan.replacements)
        if plan.replacements:
            counted = count(plan)
            sizes = [counted.multiply_adds, counted.parameters, counted.activations]
            assert [plain(cell) for cell in rows[name, scheme][1:7:2]] == sizes


def test_nothing_is_saved_by_what_is_exact(text: str) -> None:
    full = {key: cells[8] for key, cells in by_scheme(text).items() if cells[7] != "has no rank"}
    assert all(change.startswith("+") for change in full.values())
    assert len(full) == 3 * len(advice.NETWORKS)
    assert f"At full rank {len(advice.NETWORKS)} of {len(advice.NETWORKS)} networks cost more" in text


def test_where_it_would_be_saved(text: str) -> None:
    rows = {
        name: cells
        for name, *cells in filled(
            table(text, "Where 1xn+nx1 saves at half the cost: shares by the grid that comes out")
        )
    }
    assert [*rows] == [*advice.NETWORKS]
    planned = by_scheme(text)
    for name, (saved, *shares) in rows.items():
        assert sum(float(share.rstrip("%")) for share in shares) == pytest.approx(100, abs=0.2)
        assert int(count(name).multiply_adds) - plain(saved) == plain(planned[name, "1xn+nx1"][1])
    assert rows["regnet_x"][1:] == ["100.0%", "0.0%", "0.0%"]  # its stem is all that is dense
    few = sum(float(cells[2].rstrip("%")) < 50 for cells in rows.values())
    assert f"In {few} of {len(rows)} networks, most of what they would save lies on other grids" in text


def test_time_is_judged_by_the_shares(text: str) -> None:
    rows = filled(table(text, "What 1xn+nx1 saves of the least time at half the cost"))
    planned = by_scheme(text)
    for name, saved, *by_device in rows:
        change = planned[name, "1xn+nx1"][2]
        assert float(saved.rstrip("%")) == pytest.approx(-float(change.rstrip("%")), abs=0.051)
        for of_bound, verdict in zip(by_device[::2], by_device[1::2], strict=True):
            arrived = float(of_bound.rstrip("%")) / float(saved.rstrip("%"))
            near = min(abs(arrived - 0.9), abs(arrived - 0.1)) < 0.02  # of rounded shares
            judged = "arrives" if arrived > 0.9 else "in part" if arrived > 0.1 else "does not arrive"
            assert verdict == judged or near
    for place, words in enumerate(("On Tesla K40 in float32", "On H200 SXM in bfloat16")):
        verdicts = [row[3 + 2 * place] for row in rows]
        assert f"{words}, {verdicts.count('arrives')} of {len(rows)} savings arrive" in text
    assert len(DEVICES) == 2


def test_limits_are_said_plainly(text: str) -> None:
    plain_words = re.sub(r"\s+", " ", text)
    for said in (
        "a start for fine-tuning",
        "of `conv_separable`, which is depthwise and 1x1, none is replaced",
        "Fewer multiply-adds are no shorter time by themselves",
        "nothing was timed",
    ):
        assert said in plain_words


def test_what_could_be_replaced_is_all_that_there_is(pages: tuple[Page, ...]) -> None:
    data: Replaceable = picture(pages, "replaceable").data
    named = {
        each.label.removesuffix(" (?)"): dict(zip(LOOKS, each.sizes, strict=True)) for each in data.networks
    }
    assert [*named] == [*advice.NETWORKS]
    for name, sizes in named.items():
        assert sum(sizes.values()) == count(name).multiply_adds
        assert min(sizes.values()) >= 0
    resnet = named["resnet50"]
    assert resnet["what is no convolution"] == 2048 * 1000
    assert resnet["saved"] == 4_089_184_256 - 3_101_645_312
    dense = 112**2 * 49 * 3 * 64 + 16 * 56**2 * 9 * 64 * 64  # its 3x3 all cost the same
    assert resnet["saved"] + resnet["what replaces them"] == dense


def test_a_reason_that_has_no_color_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="no odd k x k above 3x3"):
        replaceable({"vgg16": factorize("vgg16", by="3x3-pairs")})


def test_what_is_saved_is_drawn_beside_what_is_added(pages: tuple[Page, ...], text: str) -> None:
    found = picture(pages, "saved_and_added")
    data: SavedAndAdded = found.data
    assert [each.label.removesuffix(" (?)") for each in data.networks] == [*PICTURED]
    wanted: list[list[tuple[float, float]]] = [[], []]
    rows = by_scheme(text)
    for row, network in enumerate(data.networks):
        name = network.label.removesuffix(" (?)")
        assert {each.scheme for each in network.traded} == {scheme for own, scheme in rows if own == name}
        for each in network.traded:
            height = row + SPREAD * ([*SCHEMES].index(each.scheme) - 2)
            cells = rows[name, each.scheme]
            assert (each.multiply_adds[1], each.activations[1]) == (plain(cells[1]), plain(cells[5]))
            wanted[0].append((1 - each.multiply_adds[1] / each.multiply_adds[0], height))
            wanted[1].append((each.activations[1] / each.activations[0] - 1, height))
    for axes, places in zip(render(found).axes, wanted, strict=True):
        same(marks(axes), places)
