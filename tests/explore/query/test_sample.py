"""Samples are uniform over what fits, the same for a seed, and never hold a member twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from costlab import Block, Conv2d, Dim, block, seq
from costlab.explore.query import fast, queries, slices
from costlab.explore.space import Space

CHI_SQUARE = 1.6
"""What chi-square is rarely above, divided by its degrees of freedom, of which there are 50 and more."""


@block(input="3x12x12")
def sample(a: Dim = 4, b: Dim = 4, kernel: int = 3, free: int = 0) -> Block:
    """Two widths, a kernel that does not fit some inputs, and an axis that makes no difference."""
    assert isinstance(free, int)
    return seq(Conv2d(a, kernel), Conv2d(b, 3))


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.setattr(slices, "GROUP_MAX", 3)
    monkeypatch.setattr(slices, "ELEMENTS_MAX", 400)
    made = Space(sample, a=[2, 3, 5], b=[1, 2, 4], kernel=[1, 3, 7], free=[0, 1], input=[8, 12])
    return made.where("multiply_adds <= 9e3 or multiply_adds > 20e3").on(workers=1)


def test_every_member_is_drawn_as_often_as_any_at_every_place(space: Space) -> None:
    among, seeds, each = space.count(), 300, 4
    assert among > 50
    plans = [asked.plan for asked in space.asked()]
    samples = [queries.sample(space.engine, plans, each, seed).members for seed in range(seeds)]
    for places in (slice(0, each), slice(0, 1), slice(each - 1, each)):
        drawn = Counter(index for members in samples for index in members[places])
        expected = drawn.total() / among
        spread = sum((many - expected) ** 2 / expected for many in drawn.values())
        spread += expected * (among - len(drawn))  # those that were never drawn
        assert spread / (among - 1) < CHI_SQUARE


@pytest.mark.parametrize("seed", range(5))
def test_one_seed_gives_one_sample(space: Space, seed: int) -> None:
    with ThreadPoolExecutor(2) as pool:
        ways = [space, space.on(workers=3), space.on(executor=pool)]
        samples = [[member.index for member in way.sample(12, seed=seed)] for way in ways]
    assert samples[0] == samples[1] == samples[2]
    assert len(set(samples[0])) == 12
    assert samples[0] != [member.index for member in space.sample(12, seed=seed + 1)]


def test_all_are_drawn_where_there_are_no_more(space: Space) -> None:
    among = space.count()
    for many in (among, among + 1, 10 * among):
        drawn = space.sample(many)
        assert (len(drawn), drawn.among) == (among, among)
        assert len({member.index for member in drawn}) == among
    assert len(space.sample(among - 1)) == among - 1


def test_what_is_near_alone_is_drawn(space: Space) -> None:
    near = space.sample(20, within="20%", of=30_000)
    assert near.among == sum(24_000 <= each <= 36_000 for each in space.to_frame()["multiply_adds"])
    assert all(24_000 <= member.multiply_adds <= 36_000 for member in near)


def test_what_is_near_and_beyond_a_limit_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"w1": "8:256:8", "w2": "8:256:8", "d1": "1:8", "d2": "1:8"}
    for compiled in (True, False):
        monkeypatch.setattr(fast, "_use", compiled)
        space = Space("anynet_x", **sizes, group_width=8).where("multiply_adds <= 300e6")
        assert space.near("1%", 302e6).count() > 0
        beyond = space.near("1%", 320e6)
        assert beyond.count() == beyond.sample(3).among == sum(beyond.histogram().counts) == 0
        assert beyond.min() is None
