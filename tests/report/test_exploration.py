"""The page of exploration: its numbers against counts one by one, and its pictures against their data."""

import re
from fractions import Fraction
from itertools import islice
from operator import and_
from random import Random
from typing import Any

import pytest
from matplotlib.patches import Rectangle

from costlab.counting.count import Count, count
from costlab.report.page import Page
from costlab.report.pages import exploration
from costlab.report.pictures.equal_cost import CHOICES, MEASURES, NETWORK, EqualCost, Sized
from costlab.report.pictures.space import Density
from costlab.report.pictures.within_budget import BUDGET, LINES, Bought
from tests.report.rendering import render
from tests.report.test_pictures import picture
from tests.report.test_places import marks, refuse_unclear_labels, same

AXES = {"width": [k / 100 for k in range(50, 151, 5)], "input": [*range(203, 396, 32)]} | exploration.CHOICES
RELEASED = 5_713_216_096
TARGET = re.compile(
    r"\| (inception_v3\S*) \| (3x\d+x\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE
)


@pytest.fixture
def text(pages: tuple[Page, ...]) -> str:
    (page,) = (each for each in pages if each.name == exploration.NAME)
    return page.text


def table(text: str, title: str) -> list[list[str]]:
    """The cells of a table of the page, without its head."""
    lines = islice(text.partition(f"**{title}**\n\n")[2].splitlines(), 2, None)
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|") or not line]
    return [[cell.strip() for cell in row] for row in rows[: rows.index([""])]]


def plain(size: str) -> int:
    return int(size.replace(",", ""))


def test_the_neighbourhood_is_counted_exactly(pages: tuple[Page, ...], text: str) -> None:
    members = {name: plain(many) for name, many, _ in table(text, "How many networks there are")}
    # 21 widths, 7 inputs, 720 sets of choices with n, 75 of modules
    assert members["exist"] == members["fit their input"] == 21 * 7 * 720 * 75 == 7_938_000
    data: Density = picture(pages, "neighbourhood").data
    assert (data.members, data.drawn) == (7_938_000, 7_938_000)
    assert data.baseline == ("inception_v3", RELEASED, 23_834_568)
    assert data.limits == ((BUDGET,), (25_000_000,))
    assert f"{members['both']:,} with multiply_adds <= 5e9 and parameters < 25e6" in data.title
    assert all(x <= BUDGET and y < 25_000_000 for x, y in data.front)
    one, other = (members[name] for name in list(members)[2:4])
    assert one + other - 7_938_000 < members["both"] < min(one, other)


def test_members_that_are_drawn_are_within_as_often_as_the_page_says(text: str) -> None:
    random = Random(5)
    drawn = [counted({axis: random.choice(values) for axis, values in AXES.items()}) for _ in range(150)]
    is_cheap = [int(each.multiply_adds) <= BUDGET for each in drawn]
    is_small = [int(each.parameters) < 25_000_000 for each in drawn]
    within = [sum(is_cheap), sum(is_small), sum(map(and_, is_cheap, is_small))]
    for many, (_, members, _) in zip(within, table(text, "How many networks there are")[2:], strict=False):
        share = plain(members) / 7_938_000
        assert abs(many - 150 * share) < 3.5 * (150 * share * (1 - share)) ** 0.5


def test_every_network_of_the_page_counts_as_it_says(text: str) -> None:
    shown = TARGET.findall(text)
    assert len(shown) == 1 + len(exploration.TOGETHER)
    for target, shape, *sizes in shown:
        each = count(target, tuple(map(int, shape.split("x"))))
        assert [plain(size) for size in sizes] == [each.multiply_adds, each.parameters, each.activations]
        assert int(each.multiply_adds) <= (RELEASED if target == NETWORK else BUDGET)


def test_extremes_are_what_they_are_called(text: str) -> None:
    rows = {name: row for name, *row in table(text, f"Extremes within {BUDGET:,} multiply-adds")}
    assert "modules_35=5,modules_17=6,modules_8=3" in rows["the deepest"][0]
    assert "width=1.5," in rows["the widest"][0]
    assert rows["the largest input"][1] == "3x395x395"
    for name, place in (("multiply-adds", 2), ("parameters", 3), ("activations", 4)):
        sizes = [plain(row[place]) for label, row in rows.items() if label != "the released network"]
        assert plain(rows[f"the most {name}"][place]) == max(sizes)
    for known in (
        "width | 1 | 0.9343 | [837/896, 299/320) | 4,993,970,454",
        "input | 299 | 286 |  | 4,988,852,096",
    ):
        assert f"| {known} |" in text
    assert f"which has {RELEASED - BUDGET:,} more" in text


@pytest.mark.parametrize("name", ["parameters", "activations"])
def test_no_network_that_differs_in_one_axis_has_more(text: str, name: str) -> None:
    rows = {label: row for label, *row in table(text, f"Extremes within {BUDGET:,} multiply-adds")}
    target, shape, *_ = rows[f"the most {name}"]
    own = {"input": int(shape.split("x")[1])} | dict(
        part.split("=", 1) for part in target.partition(":")[2].split(",")
    )
    most = int(counted(own).size(name))
    for axis, values in AXES.items():
        for value in values:
            other = counted(own | {axis: value})
            assert int(other.size(name)) <= most or int(other.multiply_adds) > BUDGET


def counted(settings: dict[str, Any]) -> Count:
    """A network of the neighbourhood, all else as released."""
    others = ",".join(
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in settings.items()
        if name != "input"
    )
    side = settings["input"]
    return count(f"{NETWORK}:{others}", (3, side, side))


def test_widths_within_the_budget_against_counts_one_by_one(pages: tuple[Page, ...]) -> None:
    found = picture(pages, "within_budget")
    data: Bought = found.data
    assert data.released == (299, RELEASED)
    assert [line.label for line in data.lines] == list(LINES)
    for line in data.lines:
        settings = ",".join(f"{axis}={value}" for axis, value in LINES[line.label].items()).replace("'", "")
        assert [side for side, _ in line.widths] == list(range(139, 396, 32))
        for side, width in line.widths[::2]:
            for more, is_within in ((0, True), (Fraction(1, 100), False)):
                at = float(Fraction(width) + more)
                each = count(f"{NETWORK}:{settings}".rstrip(":"), (3, side, side), width=at)
                assert (int(each.multiply_adds) <= BUDGET) == is_within
    figure = render(found)
    refuse_unclear_labels(figure)
    drawn = [(side, float(width)) for line in data.lines for side, width in line.widths]
    same(marks(figure.axes[0]), [*drawn, (299.0, 1.0)])


def test_choices_at_equal_cost_against_counts_one_by_one(pages: tuple[Page, ...], text: str) -> None:
    found = picture(pages, "equal_cost")
    data: EqualCost = found.data
    assert data.most == RELEASED
    assert [each.label for each in data.choices] == list(CHOICES)
    for each in data.choices:
        for settings, sized in zip(CHOICES[each.label], (each.having, each.lacking), strict=True):
            refuse_wrong_size(f"{NETWORK}:{settings}".rstrip(":"), sized)
    gains = {each.label: [each.gain(measure) for measure in MEASURES] for each in data.choices}
    # 897/896 with 1x7 and 7x1, 49/64 with 7x7
    assert gains["1x7 and 7x1 for a 7x7"][0] == Fraction(897, 896) / Fraction(49, 64) - 1
    best = max(gains, key=lambda label: gains[label][0])
    assert f"{best}, a network {float(100 * gains[best][0]):.1f}% wider." in text
    for label, row in gains.items():
        shown = " | ".join(f"{float(100 * gain):+.2f}%" for gain in row)
        assert re.search(rf"^\| {re.escape(label)} \| .* \| {re.escape(shown)} \|$", text, re.MULTILINE)
    for place, axes in enumerate(render(found).axes):
        bars = [each for each in axes.patches if isinstance(each, Rectangle)]
        assert [bar.get_x() for bar in bars] == [0] * len(gains)
        assert [bar.get_width() for bar in bars] == [float(row[place]) for row in gains.values()]
        middles = [bar.get_y() + bar.get_height() / 2 for bar in bars]
        assert middles == pytest.approx(range(len(gains)))


def refuse_wrong_size(target: str, sized: Sized) -> None:
    """It is within the cost up to the end of its widths, which is not."""
    own = count(sized.target)
    assert int(own.multiply_adds) == sized.multiply_adds <= RELEASED
    assert (own.parameters, own.activations) == (sized.parameters, sized.activations)
    end = Fraction(sized.width)
    assert count(target, width=float(end - Fraction(1, 10**9))).multiply_adds == sized.multiply_adds
    assert int(count(target, width=float(end + Fraction(1, 10**9))).multiply_adds) > RELEASED
