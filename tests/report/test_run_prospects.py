"""What would tell the claims that a run leaves open: only those, by hand, and as the page shows it."""

import pytest

from costlab.report.pages.run import training_page
from costlab.report.tables.run_prospects import prospects_table
from costlab.train.experiment import Expectation
from tests.train.records import PAIR, PLAIN, arm, many, run, sample

Accuracies = tuple[float | None, ...]


def table_of(better: Accuracies, worse: Accuracies) -> dict[str, object] | None:
    arms = [arm("a", "mini:width=0.25"), arm("b", "mini:width=0.25")]
    made = run(arms, {"a": better, "b": worse}, [Expectation("", "a", "b", "", "")])
    table = prospects_table(made)
    if table is None:
        return None
    (found,) = map(table.record, table.rows)
    return found


def test_an_open_claim_by_hand() -> None:
    # +1, -1 and +3 points: a spread of 2. 3.264 * 2 is rounded up, as is 4.4154 * 2; 34 seeds tell half a
    # deviation, as textbooks have it.
    table = prospects_table(sample())
    assert table is not None
    assert table.record(table.rows[0]) == {
        "better": PAIR,
        "worse": PLAIN,
        "seeds": 3,
        "spread": "2.00",
        "largest_spread": "8.84",
        "told": "6.53",
        "for_point": "34",
        "for_point_at_most": "615",
        "difference": "+1.00",
        "for_seen": "34",
    }
    notes = " ".join(map(str, table.notes))
    assert "15.95 times what 2 seeds show and 4.42 times what 3 seeds show" in notes
    assert "at the spread that was seen, 80% of all runs" in notes
    assert "not listed" not in notes


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ((0.9, 0.91), (0.1, 0.11)),  # told
        ((0.1, 0.11), (0.9, 0.91)),
        ((0.9,), (0.1,)),  # no spread
        ((0.9, None), (None, 0.1)),
        ((), ()),
    ],
)
def test_claims_of_which_there_is_nothing_to_plan(better: Accuracies, worse: Accuracies) -> None:
    assert table_of(better, worse) is None


def test_equal_accuracies() -> None:
    found = table_of((0.5, 0.6), (0.5, 0.6))
    assert found is not None
    # 1 / (sqrt(6) * 1000) of a point's hundred, of 1,000 images.
    assert (found["spread"], found["difference"], found["for_seen"]) == ("0.04", "0.00", "no number")


def test_a_tiny_difference_takes_more_seeds_than_anybody_has() -> None:
    found = table_of((0.5, 0.701, 0.3), (0.6, 0.6, 0.3))
    assert found is not None
    assert found["for_seen"] == "more than 10,000"
    assert found["difference"] == "+0.03"


def test_a_factor_of_what_is_at_most_is_rounded_up() -> None:
    # The quantile of 5% of chi-square of 4 degrees is 0.710723 in every table: sqrt(4 / 0.710723) = 2.3724.
    arms = [arm(each, "mini:width=0.25") for each in "ab"]
    made = run(arms, {"a": (0.5,) * 5, "b": (0.5,) * 5}, [Expectation("", "a", "b", "", "")])
    assert "at most 2.38 times what 5 seeds show" in str(prospects_table(made))


def test_the_page_has_it_below_the_claims() -> None:
    text = training_page(sample(), "kernels").text
    assert text.index("**Claims and verdicts**") < text.index("**What would tell**")
    assert "**What would tell**" not in training_page(many(seeds=1), "x").text


def test_open_claims_without_a_spread_are_said_to_be_left_out() -> None:
    arms = [arm(each, "mini:width=0.25") for each in "abc"]
    claims = [Expectation("", "a", "b", "", ""), Expectation("", "a", "c", "", "")]
    table = prospects_table(run(arms, {"a": (0.5, 0.6), "b": (0.6, 0.5), "c": (0.5, None)}, claims))
    assert table is not None
    assert len(table.rows) == 1
    assert "Claims with fewer than two seeds are not listed" in str(table.notes)
