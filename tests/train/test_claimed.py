"""Claims of the paper that only training could show name claims of experiments, which are found again."""

from dataclasses import replace

import pytest

from costlab.paper.claims import CLAIMS as OF_THE_PAPER
from costlab.paper.stated import Trained
from costlab.train.claimed import experiment_of, find_claim
from costlab.train.experiments import CLAIMS, experiment

TRAINED = [
    (name, stated)
    for name, claim in OF_THE_PAPER.items()
    for stated in claim.stated
    if isinstance(stated, Trained)
]


def test_what_the_paper_s_claims_name_are_claims_of_experiments() -> None:
    assert [(name, stated.tried_as) for name, stated in TRAINED] == [
        ("relu-vs-linear", ("linear",)),
        ("medium-grids", ("nxn", "small_3x3")),
        ("auxiliary", ("auxiliary_bn",)),
        ("auxiliary", ("auxiliary",)),
        ("reduction-bottleneck", ("bottleneck",)),
        ("receptive-field", ("resolution_299", "resolution_151")),
        ("table-3", ("label_smoothing", "nxn", "auxiliary_bn")),
        ("label-smoothing", ("label_smoothing",)),
        ("regime", ()),
    ]
    assert {key for _, stated in TRAINED for key in stated.tried_as} <= CLAIMS.keys()


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("large_5x5", "large_5x5"),
        ("small_3x3", "small_3x3"),
        ("nxn", "nxn"),
        ("linear", "linear"),
        ("bottleneck", "grid_reduction"),
        ("expensive", "grid_reduction"),
        ("auxiliary", "auxiliary"),
        ("auxiliary_bn", "auxiliary"),
        ("label_smoothing", "label_smoothing"),
        ("resolution_299", "receptive_field"),
        ("resolution_151", "receptive_field"),
    ],
)
def test_each_is_tried_by_the_smallest_experiment_that_has_it(key: str, name: str) -> None:
    assert experiment_of(key) == name


@pytest.mark.parametrize("own", [96, 48, 32, 29])
def test_each_is_found_among_all_claims_at_any_grids(own: int) -> None:
    claims = experiment("paper", 0.5, own).claims
    found = [find_claim(key, claims) for key in CLAIMS]
    assert [claim for claim in found if claim] == list(claims)
    assert [claim is None for claim in found] == [key == "resolution_151" and own < 32 for key in CLAIMS]


def test_a_claim_of_other_words_figures_or_sections_is_another() -> None:
    (claim,) = experiment("linear", 1.0).claims
    assert find_claim("linear", [claim]) == claim
    for other in ({"claim": f"{claim.claim}, too"}, {"reported": "77%"}, {"source": "Section 3"}):
        assert find_claim("linear", [replace(claim, **other)]) is None
    assert find_claim("small_3x3", [claim]) is None
    assert find_claim("linear", []) is None
