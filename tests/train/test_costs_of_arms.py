"""What the arms of an experiment cost, counted before anything is trained."""

from costlab.algebra import AdaptiveAvgPool2d, Conv2d, Flatten, Linear, concat, seq
from costlab.counting.count import count
from costlab.train import arm
from costlab.train.arms import count_arm, sized_arms
from costlab.train.experiments import experiment, names


def test_the_shipped_experiments_are_counted() -> None:
    assert {"large_5x5", "linear", "auxiliary", "label_smoothing", "receptive_field", "paper"} <= set(names())
    for name in names():
        for label, made in sized_arms(experiment(name, 0.5), 10, 96).items():
            counted = count_arm(label, made, 10)
            assert (
                counted.multiply_adds
                == count(counted.network, (3, made.side, made.side)).inference.multiply_adds
            )


def test_what_a_step_costs_by_hand() -> None:
    made = count_arm("a", arm("mini", width=0.5, aux="plain").sized(96), 10)
    whole = count("mini:width=0.5,aux=plain")
    first = 8 * 3 * 9 * 48 * 48  # 3x3 to 8 channels at 48x48
    assert made.step_multiply_adds == 3 * int(whole.multiply_adds) - first
    assert made.parameters == whole.parameters
    assert made.multiply_adds == count("mini:width=0.5").multiply_adds


def test_a_step_of_a_network_that_forks_at_its_input() -> None:
    forked = concat(Conv2d(2, 1), Conv2d(3, 1))
    made = count_arm("a", arm(seq(forked, AdaptiveAvgPool2d(1), Flatten(), Linear(10)), side=8).sized(8), 10)
    assert made.step_multiply_adds == 2 * (3 * 5 * 64) + 3 * (5 * 10)


def test_like_cost_at_three_resolutions() -> None:
    arms = sized_arms(experiment("receptive_field", 1.0), 10, 96).values()
    full, half, quarter = (count(made.network, (3, made.side, made.side)).multiply_adds for made in arms)
    assert full == half
    assert 0.97 < int(quarter) / int(half) < 1
