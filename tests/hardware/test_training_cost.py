"""What training costs: figures by hand and from the arithmetic of section 8, and what is refused."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import costlab
from costlab import Conv2d, Device, MaxPool2d, Shape, TrainingCost, seq, training_cost
from costlab.errors import CostlabError
from costlab.hardware.regime import PRESETS
from costlab.hardware.training_run import steps

IMAGES = 128_116_700
"""1,281,167 images, a hundred times."""
FORWARD, FIRST, PARAMETERS = 5_713_216_096, 19_181_664, 23_834_568
"""Of Inception v3 without its head; its first convolution wants no gradient of the image."""


def whole(**regime: Any) -> TrainingCost:
    return training_cost("inception_v3", **regime)


def test_the_run_of_the_paper() -> None:
    cost = whole()
    assert cost.flop == 2 * IMAGES * (3 * FORWARD - FIRST) == 4_386_835_372_654_041_600
    assert cost.flop_by_rule == 2 * IMAGES * 3 * FORWARD == 4_391_750_355_638_419_200
    assert cost.steps == (4_003_647, 4_003_700, 4_003_600)
    assert cost.synchronous_steps == (80_073, 80_100, 80_000)
    assert (cost.parameters, cost.gradient_bytes) == (PARAMETERS, 95_338_272)
    assert cost.ring_bytes == Fraction(18_686_301_312, 100)
    assert cost.ring_bytes_of_run == 80_073 * 2 * 49 * 95_338_272
    assert (cost.server_bytes_of_replica, cost.server_bytes) == (190_676_544, 9_533_827_200)
    assert cost.server_bytes_of_run == 4_003_647 * 190_676_544


def test_the_run_with_the_head() -> None:
    cost = training_cost("inception_v3", aux=True, device="k40")
    assert cost.flop == 4_391_204_049_630_681_600
    assert cost.flop_by_rule == 4_396_119_032_615_059_200
    assert cost.ring_bytes == Fraction(21_294_430_976, 100)
    assert f"{cost.device_hours:.2f} {cost.device_hours_by_rule:.2f}" == "284.33 284.65"
    assert cost.speed_from == "peak"
    assert f"{whole(device='k40').device_hours:.2f}" == "284.05"


def test_what_is_not_known_is_left_out() -> None:
    cost = whole()
    of_speed = ("speed", "speed_from", "images_per_second", "step_seconds", "device_hours", "wall_hours")
    more = (
        "device_hours_by_rule",
        "energy_kwh",
        "ring_bandwidth",
        "server_bandwidth",
        "utilization",
        "power",
    )
    assert {getattr(cost, name) for name in (*of_speed, *more)} == {None}
    at_peak = whole(device="k40")
    assert at_peak.power == 235
    assert at_peak.energy_kwh is None  # the most power over the least time bounds nothing
    assert whole(images_per_second=9.5).energy_kwh is None
    assert whole(device="tpu-v5e", dtype="bfloat16", utilization=0.5).energy_kwh is None
    alone = whole(replicas=1)
    traffic = ("ring_bytes", "ring_bytes_of_run", "server_bytes", "server_bytes_of_replica")
    assert {getattr(alone, name) for name in (*traffic, "server_bytes_of_run")} == {None}
    assert alone.synchronous_steps == alone.steps


def test_a_speed_that_was_measured() -> None:
    cost = whole(device="k40", images_per_second=9.5)
    assert f"{cost.device_hours:,.2f} {cost.wall_hours:.2f} {cost.energy_kwh:.1f}" == "3,746.10 74.92 880.3"
    assert cost.device_hours_by_rule is None
    assert cost.step_seconds == pytest.approx(32 / 9.5, rel=1e-12)
    assert cost.utilization == Fraction(95, 10) * 2 * (3 * FORWARD - FIRST) / 4_290_000_000_000
    assert cost.ring_bandwidth == pytest.approx(186_863_013.12 * 9.5 / 32, rel=1e-12)
    assert f"{cost.ring_bandwidth / 1e6:.1f} {cost.server_bandwidth / 1e9:.2f}" == "55.5 2.83"  # type: ignore[operator]  # both are known
    assert cost.energy_kwh == whole(images_per_second=9.5, power=235).energy_kwh


@given(st.fractions(Fraction(1, 1000), 1), st.integers(1, 99))
def test_a_utilization_is_the_speed_that_it_comes_to(share: Fraction, replicas: int) -> None:
    one = training_cost(SMALL, X, device="k40", utilization=share, replicas=replicas)
    again = training_cost(SMALL, X, device="k40", images_per_second=one.speed, replicas=replicas)
    assert again.utilization == one.utilization == share
    assert (one.device_hours, one.energy_kwh) == (again.device_hours, again.energy_kwh)
    at_peak = training_cost(SMALL, X, device="k40", replicas=replicas)
    assert at_peak.device_hours == pytest.approx(float(share) * one.device_hours, rel=1e-12)  # type: ignore[operator]  # it is known
    assert one.wall_hours == pytest.approx(one.device_hours / replicas, rel=1e-12)  # type: ignore[operator]  # it is known


SMALL = seq(Conv2d(2, 1, bias=False), Conv2d(3, 1))
X = Shape(2, 4, 4)


@given(st.integers(1, 50), st.integers(1, 6), st.integers(1, 20))
def test_steps_are_what_taking_batches_gives(images: int, epochs: int, batch: int) -> None:
    def batches(several: int) -> list[int]:
        return [min(batch, several - start) for start in range(0, several, batch)]

    epoch = batches(images)
    full = [size for size in epoch if size == batch]
    assert steps(images, epochs, batch) == (
        len(batches(images * epochs)),
        epochs * len(epoch),
        epochs * len(full),
    )


def test_a_module_is_traced_at_the_batch() -> None:
    from torch import nn

    module = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 5),
    )
    module[5].bias.requires_grad_(False)
    first, last = 27 * 4 * 36, 4 * 5
    for given_ in ("3x8x8", "10x3x8x8"):
        cost = training_cost(module, given_, images=25, epochs=3, batch=10)
        assert cost.flop == 2 * 75 * (2 * first + 3 * last)
        assert cost.flop_by_rule == 2 * 75 * 3 * (first + last)
        assert cost.parameters == 27 * 4 + 4 + 8 + 20
        assert cost.traced_step is not None
    with pytest.raises(
        CostlabError, match="its input has a batch of 1 in it: it must be that of a replica, ba"
    ):
        training_cost(module, "1x3x8x8")


def test_presets() -> None:
    paper = whole(preset="paper")
    assert (paper.flop, paper.device, paper.replicas) == (whole().flop, costlab.device("k40"), 50)
    assert paper.sources is not None
    assert "assumed" in paper.sources["device"]
    one = whole(preset="one-device", device="h100", batch=64)
    assert (one.replicas, one.batch, one.images) == (1, 64, 1_281_167)
    assert one.sources is not None
    assert (one.sources["device"], one.sources["batch"]) == ("given", "given")
    today = whole(preset="today")
    assert today.device == costlab.device("h200")
    assert today.device_hours == pytest.approx(today.flop / 989.4e12 / 3600)
    for name, each in PRESETS.items():
        figures = {"images", "epochs", "batch", "replicas", *(("device", "dtype") if each.device else ())}
        assert figures <= {*each.sources}, name


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"images": 0}, "images=0 must be at least 1"),
    ({"images": 10**16}, "images=10000000000000000 must be at most 1,000,000,000,000,000"),
    ({"epochs": -1}, "epochs=-1 must be at least 1"),
    ({"epochs": 1.5}, "epochs=1.5 must be a whole number"),
    ({"batch": 0}, "batch=0 must be at least 1"),
    ({"batch": True}, "batch=True must be a whole number"),
    ({"replicas": 0}, "replicas=0 must be at least 1"),
    ({"replicas": 2**31}, "replicas=2147483648 must be below 2**31"),
    ({"replicas": np.array([1, 2])}, "replicas=[1 2] must be a single number: a run has one regime"),
    ({"utilization": 0, "device": "k40"}, "utilization=0 must be above 0 and at most 1: a share of the peak"),
    (
        {"utilization": 1.1, "device": "k40"},
        "utilization=1.1 must be above 0 and at most 1: a share of the peak",
    ),
    ({"utilization": float("nan"), "device": "k40"}, "utilization=nan must be a number"),
    ({"utilization": 0.5}, "utilization is a share of the peak of a device: give device, too"),
    (
        {"utilization": 0.5, "images_per_second": 3, "device": "k40"},
        "utilization and images_per_second both say how fast a replica is: give one of them",
    ),
    ({"images_per_second": 0}, "images_per_second=0 must be above 0: from 1e-09 to 1e+15"),
    ({"images_per_second": "9.5"}, "images_per_second='9.5' must be a number"),
    ({"images_per_second": float("inf")}, "images_per_second=inf must be a number"),
    ({"power": -235, "images_per_second": 9.5}, "power=-235 must be above 0: from 1e-09 to 1e+15"),
    (
        {"power": 235},
        "power gives an energy where a time is known: give images_per_second, or device and utilization, too",
    ),
    (
        {"power": 235, "device": "k40"},
        "power gives an energy where a time is known: give images_per_second, or device and utilization, "
        "too; the peak of a device bounds the time from below only",
    ),
    ({"device": ""}, "there is no device ''; costlab list --devices shows what there is"),
    ({"device": "k41"}, "there is no device 'k41'; did you mean k40?"),
    ({"device": "k40", "dtype": "bfloat16"}, "k40 has no bfloat16 peak; it has float64, float32"),
    (
        {"device": "k40", "dtype": "fp32"},
        "dtype='fp32' is no type: give one of float64, float32, tf32, bfloat16, float16, float8, int8",
    ),
    ({"dtype": "float64"}, "dtype='float64' is what a device computes in: give device, too"),
    ({"preset": "papers"}, "there is no preset 'papers'; did you mean paper?"),
    ({"preset": 3}, "there is no preset 3; there is paper, one-device, today"),
    (
        {"preset": "one-device"},
        "the preset one-device is for a device that you name: give device, such as k40",
    ),
]


@pytest.mark.parametrize(("given_", "message"), WRONG, ids=lambda each: str(each)[:50])
def test_what_is_wrong_is_told(given_: dict[str, Any], message: str) -> None:
    with pytest.raises(CostlabError) as caught:
        training_cost(SMALL, X, **given_)
    assert str(caught.value) == message


def test_what_cannot_be_trained_is_told() -> None:
    with pytest.raises(
        CostlabError, match="max_pool2d 2x2/2: it has no parameters: there is nothing to train"
    ):
        training_cost(MaxPool2d(2), X)
    with pytest.raises(
        CostlabError, match="a step has no multiply-adds, so no time follows from a peak: give"
    ):
        training_cost(costlab.BatchNorm2d(), X, device="k40")
    with pytest.raises(CostlabError, match=r"is no single number: a run is of one network"):
        training_cost(seq(Conv2d(np.array([1, 2]), 1)), X)
    assert training_cost(costlab.BatchNorm2d(), X, images_per_second=3).flop == 0
    from torch import nn

    frozen = nn.Linear(3, 2).requires_grad_(False)
    with pytest.raises(
        CostlabError, match="Linear: it has frozen parameters only: there is nothing to train"
    ):
        training_cost(frozen, "3")


def test_equal_costs_are_one_in_a_set() -> None:
    assert len({training_cost(SMALL, X, preset="paper") for _ in range(2)}) == 1


def test_at_a_prompt() -> None:
    mine = Device("mine", float32=10**12, power=100.5)
    cost = training_cost(SMALL, X, images=10, epochs=1, batch=4, replicas=1, device=mine, utilization=0.25)
    assert (2 * (2 * 64 + 3 * 96) * 10, 2 * 3 * (64 + 96) * 10) == (8_320, 9_600)
    assert repr(cost).split("\n")[:3] == [
        "TrainingCost: sequence of 2, 10 images, FLOP: 8,320",
        "  FLOP by the rule of three: 9,600",
        "  steps of a replica: 3",
    ]
    assert cost.energy_kwh == pytest.approx(100.5 * 8320 / 0.25e12 / 3.6e6)
