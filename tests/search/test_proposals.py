"""What a search proposes: members alone, the same ones for the same results, and better ones than chance."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import log10

import pytest

from costlab.explore.member import Member
from costlab.explore.space import Space
from costlab.search.proposals import TrainedMember, propose
from costlab.train.space_record import SAMPLERS, SearchRecord

IMAGE = (3, 32, 32)
SPACE = Space(
    "mini",
    IMAGE,
    width="0.25:1:0.05",
    n=[3, 5, 7],
    large=["3x3+3x3", "5x5"],
    small=["3x3", "1x3+3x1"],
    modules_12="0:3",
    modules_6="0:3",
    reductions=["parallel", "pool+conv", "conv+pool"],
)
REGIME = SPACE.near("30%", "8e6").where("modules_12 + modules_6 <= 3")


def error(member: Member) -> float:
    """Made up, so that the best members are known: those with these values, of any width."""
    values = member.values
    odd = (
        2 * (values["large"] == "5x5")
        + 2 * (values["small"] == "1x3+3x1")
        + abs(values["modules_12"] - 2)
        + abs(values["modules_6"] - 1)
        + 2 * (values["reductions"] != "parallel")
        + (values["n"] != 5)
    )
    return 0.5 - 0.06 * log10(member.multiply_adds) + 0.05 * float(odd)


def trained(member: Member) -> TrainedMember:
    return TrainedMember(member.index, (float(member.multiply_adds), error(member)))


def searched(sampler: str, seed: int, many: int) -> list[TrainedMember]:
    search = SearchRecord(sampler, many, 8, seed)
    found = [trained(each) for each in SPACE.sample(8, seed=seed).members]
    while len(found) < many:
        found += [trained(SPACE.member(at)) for at in propose(SPACE, search, found, 8).members]
    return found


def dominated(found: Sequence[TrainedMember]) -> float:
    """The area that the front covers, multiply-adds by their logarithm: the hypervolume by hand."""
    area, least = 0.0, 1.0
    for size, failed in sorted(each.values for each in found if each.values):
        if failed < least:
            area += (8 - log10(size)) * (least - failed)
            least = failed
    return area


@pytest.mark.parametrize(("sampler", "many"), [("nsga2", 96), ("tpe", 64)])
def test_a_search_finds_a_better_front_than_as_many_members_drawn_at_random(sampler: str, many: int) -> None:
    seeds = range(4)
    found = [dominated(searched(sampler, seed, many)) for seed in seeds]
    drawn = [dominated([trained(each) for each in SPACE.sample(many, seed=seed).members]) for seed in seeds]
    assert all(more > less for more, less in zip(found, drawn, strict=True))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_is_proposed_are_new_members_and_the_same_for_the_same_results(sampler: str) -> None:
    search = SearchRecord(sampler, 24, 8, 3)
    first = [trained(each) for each in REGIME.sample(8, seed=3).members]
    generation = propose(REGIME, search, first, 8)
    assert len(set(generation.members)) == 8
    assert not {*generation.members} & {each.at for each in first}
    members = set(map(tuple, REGIME.to_frame().iloc[:, : len(REGIME.axes)].itertuples(index=False)))
    assert all(tuple(REGIME.member(at).values.values()) in members for at in generation.members)
    assert generation.refused > 0
    assert propose(REGIME, search, first, 8) == generation
    turned = [each._replace(values=(each.values[0], 1 - each.values[1])) for each in first if each.values]
    assert propose(REGIME, search, turned, 8).members != generation.members
    assert propose(REGIME, replace(search, seed=4), first, 8).members != generation.members


def test_members_that_failed_are_nobodys_parents() -> None:
    search = SearchRecord("nsga2", 24, 8, 3)
    first = [trained(each) for each in SPACE.sample(8, seed=3).members]
    failed = [each._replace(values=None) for each in first]
    assert len(propose(SPACE, search, failed, 8).members) == 8
    assert propose(SPACE, search, failed, 8) != propose(SPACE, search, first, 8)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_where_nothing_is_proposed_the_exact_sampler_draws(
    sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("costlab.search.proposals.MOST_ASKED", dict.fromkeys(SAMPLERS, 3))
    tight = SPACE.near("0.2%", "8e6")
    search = SearchRecord(sampler, 12, 2, 5)
    first = [trained(each) for each in tight.sample(2, seed=5).members]
    generation = propose(tight, search, first, 2)
    assert generation.members == tuple(each.index for each in tight.sample(4, seed=5).members[2:])
    assert 0 < generation.refused <= 3
    everything = [trained(each) for each in tight.sample(1000, seed=5).members]
    assert propose(tight, search, everything, 2).members == ()


def test_a_point_is_a_member_as_enumeration_says() -> None:
    space = Space(
        "mini", width=[0.1, 0.2, 0.3], modules_12="0:2", large=["5x5", "3x3+3x3"], input=[16, 20, 24, 48]
    )
    some = space.where("multiply_adds / parameters > 40 or modules_12 == 1", "parameters < 40e3").near(
        "60%", "1e6"
    )
    points = [*product(*map(range, space.sizes))]
    met = set(map(tuple, some.to_frame().iloc[:, :4].itertuples(index=False)))
    assert 0 < len(met) < len(points)
    for point in points:
        values = tuple(axis.values[i] for axis, i in zip(space.axes, point, strict=True))
        assert some.has(point) == (values in met)
