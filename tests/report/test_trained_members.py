"""Members of spaces that were trained: the front of them, what was trained beside them, and the baseline."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from costlab.report.tables.space_run import beside_table, front_table, standing
from costlab.report.trained_members import TrainedNetwork, baseline_of, beside_of, front_of, members_of
from tests.train.space_records import BASELINE, of_spaces

LOW = (0.72, 0.73, 0.74, 0.75)
NETWORKS = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from([0.1, 0.2, 0.3, None])).map(
        lambda each: TrainedNetwork("", "", 32, (0,), each[0], 7, each[1], None, 1)
    ),
    max_size=12,
)


@given(NETWORKS)
def test_the_front_is_what_no_other_surpasses(networks: list[TrainedNetwork]) -> None:
    wanted = [
        each
        for each in networks
        if each.error is not None
        and not any(
            other.error is not None
            and other.multiply_adds <= each.multiply_adds
            and other.error <= each.error
            and (other.multiply_adds, other.error) != (each.multiply_adds, each.error)
            for other in networks
        )
    ]
    assert sorted(front_of(networks)) == sorted(wanted)


def test_where_a_network_stands() -> None:
    def made(name: str, size: int, error: float | None) -> TrainedNetwork:
        return TrainedNetwork(name, name, 32, (0,), size, 7, error, None, 1)

    members = [made("m", 80, 0.25), made("n", 90, 0.2), made("o", 100, None)]
    assert standing(made("", 79, 0.9), members) == "on the front: no member surpasses it"
    assert standing(made("", 80, 0.25), members) == "on the front: no member surpasses it"
    assert standing(made("", 100, None), members) == "without a result"
    assert standing(made("", 80, 0.26), members) == (
        "surpassed by 1 member, m, with an error smaller by 1.00 points and as many multiply-adds"
    )
    assert standing(made("", 100, 0.2), members) == (
        "surpassed by 1 member, n, with as small an error and 10.0% fewer multiply-adds"
    )
    assert standing(made("", 100, 0.3), members) == (
        "surpassed by 2 members, of which the one with the smallest error is n, with an error smaller by "
        "10.00 points and 10.0% fewer multiply-adds"
    )


def test_what_is_a_member_and_was_named_stands_beside_the_members_too() -> None:
    made = of_spaces(LOW, beside={"7x7": ("mini:width=0.3,kernel_7x7=7x7", 0.65)})
    names = [each.label for each in beside_of(made)]
    assert names == [BASELINE, "7x7"]
    space = made.spaces[0]
    drawn = replace(made, spaces=(replace(space, drawn=(*space.drawn, BASELINE, "7x7")),))
    assert [each.label for each in beside_of(drawn)] == names
    assert len(members_of(drawn)) == 6


def test_a_run_whose_space_cannot_be_trained_by_itself_has_no_baseline() -> None:
    made = of_spaces(LOW)
    baseline = baseline_of(made)
    assert baseline is not None
    assert (baseline.label, baseline.error) == (BASELINE, 0.3)
    assert baseline_of(replace(made, arms=made.arms[1:])) is None
    assert beside_of(replace(made, arms=made.arms[1:])) == ()
    space = made.spaces[0]
    itself = replace(made.arms[0], label=space.target, network=space.target)
    drawn = replace(made, arms=(itself, *made.arms[1:]), spaces=(replace(space, drawn=(space.target,)),))
    baseline = baseline_of(drawn)
    assert baseline is not None
    assert (baseline.label, baseline.spaces) == (space.target, (0,))


def test_images_of_another_size_are_named() -> None:
    made = of_spaces(LOW, beside={"half resolution": ("mini:width=0.3,stem_pool=false", 0.65)})
    half = replace(made.arms[1], side=16)
    made = replace(made, arms=(made.arms[0], half, *made.arms[2:]))
    assert beside_table(made).rows[1][1] == "mini:width=0.3,stem_pool=false at 16x16"
    assert beside_table(made).rows[0][1] == "mini:width=0.3"
    assert "--input 3x32x32 as it was trained, or at the pixels" in str(front_table(made).notes)
