"""The experiments at images of every side: their arms, their grids, and what they claim of them."""

import pytest

from costlab.algebra import Conv2d
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.train.experiment import Experiment
from costlab.train.experiments import _all_experiments, _mini, experiment, names

OWN_SIDES = (*range(8, 100), 128, 192, 200)
CHOICES = (
    "all factorized",
    "5x5",
    "1x3+3x1",
    "7x7",
    "linear between",
    "pool, then convolution",
    "convolution, then pool",
    "auxiliary head",
    "auxiliary head, batch norm",
    "no label smoothing",
)
FULL, HALF, QUARTER = "full resolution", "half resolution", "quarter resolution"


def sides(made: Experiment, own: int) -> dict[str, int]:
    return {label: arm.sized(own).side for label, arm in made.arms.items()}


@pytest.mark.parametrize("own", [96, 97, 200, 65_536])
def test_images_of_96_pixels_or_more_are_trained_on_as_ever(own: int) -> None:
    paper = experiment("paper", 0.5, own)
    assert paper == experiment("paper", 0.5)
    assert sides(paper, own) == {**dict.fromkeys(CHOICES, 48), FULL: 96, QUARTER: 24}
    assert [(claim.better, claim.worse) for claim in paper.claims[-2:]] == [
        (FULL, "all factorized"),
        ("all factorized", QUARTER),
    ]
    assert sides(experiment("receptive_field", 0.5, own), own) == {FULL: 96, HALF: 48, QUARTER: 24}
    assert all(
        set(sides(experiment(name, 0.5, own), own).values()) == {48}
        for name in names()
        if name not in ("paper", "receptive_field")
    )


@pytest.mark.parametrize(
    ("own", "usual", "resolutions"),
    [
        (64, 48, {FULL: 64, HALF: 32, QUARTER: 16}),
        (48, 48, {FULL: 48, HALF: 24, QUARTER: 12}),
        (32, 32, {FULL: 32, HALF: 16, QUARTER: 8}),
        (31, 31, {FULL: 31, HALF: 15}),
        (28, 28, {FULL: 28, HALF: 14}),
        (16, 16, {FULL: 16, HALF: 8}),
        (15, 15, {}),
        (8, 8, {}),
    ],
)
def test_smaller_images_are_used_as_they_are_and_halved(
    own: int, usual: int, resolutions: dict[str, int]
) -> None:
    paper = experiment("paper", 0.5, own)
    assert sides(paper, own) == {**dict.fromkeys(CHOICES, usual), **resolutions}
    compared = [(claim.better, claim.worse) for claim in paper.claims[9:]]
    assert compared == [(FULL, HALF), (HALF, QUARTER)][: max(0, len(resolutions) - 1)]
    if resolutions:
        made = experiment("receptive_field", 0.5, own)
        assert sides(made, own) == resolutions
        assert [(claim.better, claim.worse) for claim in made.claims] == compared


@pytest.mark.parametrize("own", [8, 15])
def test_images_without_halves_are_not_compared_by_resolution(own: int) -> None:
    with pytest.raises(DefinitionError) as refused:
        experiment("receptive_field", 0.5, own)
    said = str(refused.value)
    assert said.startswith(
        f"receptive_field: images of {own}x{own} pixels have no halves of 8 pixels or more"
    )
    assert "--data" in said
    assert "\n" not in said


def test_no_arm_asks_for_more_pixels_than_there_are_and_every_claim_is_of_arms() -> None:
    mini = _mini(0.5)
    for own in OWN_SIDES:
        for made in _all_experiments(mini, own).values():
            assert all(8 <= side <= own for side in sides(made, own).values()), (made.name, own)
            for claim in made.claims:
                assert {claim.better, claim.worse} <= made.arms.keys()
                assert claim.better != claim.worse


def grids_of(network: str, side: int, kernel: tuple[int, int]) -> list[int]:
    """The grids of the convolutions with that kernel in the counted network, from the largest."""
    found = {
        tuple(node.output)[1]
        for node in count(network, (3, side, side)).operations
        if isinstance(node.block, Conv2d) and node.block.kernel == kernel
    }
    return sorted(map(int, found), reverse=True)


@pytest.mark.parametrize("own", [*range(8, 25), 28, 31, 32, 33, 47, 48, 96, 200])
def test_the_grids_that_claims_name_are_those_of_the_network(own: int) -> None:
    (arm,) = (arm for label, arm in experiment("small_3x3", 1.0, own).arms.items() if label == "1x3+3x1")
    side = arm.sized(own).side
    largest, smallest = grids_of("mini:small=1x3+3x1,kernel_7x7=7x7,split_3x3=false", side, (1, 3))
    (middle,) = grids_of("mini:kernel_7x7=7x7", side, (7, 7))
    only = "the paper says it of grids of 12 to 20 only"
    for name in ("small_3x3", "paper"):
        (claim,) = (
            each for each in experiment(name, 1.0, own).claims if each.claim.startswith("1x3 and 3x1")
        )
        outside = all(not 12 <= grid <= 20 for grid in (largest, smallest))
        about = f"costlab's own question, as {only}" if outside else only
        start = "1x3 and 3x1 lose nothing against a 3x3 at grids of"
        assert claim.claim == f"{start} {largest} and {smallest}: {about}"
    for name in ("nxn", "paper"):
        (claim,) = (
            each for each in experiment(name, 1.0, own).claims if each.claim.startswith("1xn and nx1")
        )
        about = "" if 12 <= middle <= 20 else f", which is one of {middle}: {only}"
        assert claim.claim == f"1xn and nx1 lose nothing against n x n at the middle grid{about}"


@pytest.mark.parametrize("own", [32, 28, 8])
def test_every_network_takes_its_images(own: int) -> None:
    for name in ("paper", *(("receptive_field",) if own >= 16 else ())):
        for arm in experiment(name, 0.25, own).arms.values():
            sized = arm.sized(own)
            assert tuple(count(sized.network, (3, sized.side, sized.side)).root.output) == (10,)
