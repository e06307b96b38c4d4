"""AnyNetX and RegNetX: the published models to the last unit, any other by hand, arrays as their numbers."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costlab
from costlab.counting.count import count
from costlab.errors import CostlabError
from costlab.symbolic import closed_form


class Published(NamedTuple):
    """A RegNetX: its parameters and stages (figure 14 of the paper), and what pycls counts of it."""

    depth: int
    w_0: int
    w_a: float
    w_m: float
    group_width: int
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    activations: int
    flops: int
    parameters: int

    def settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("depth", "w_0", "w_a", "w_m", "group_width")}


# The totals are of pycls, dev/model_complexity.json of 2020-09-04: it counts by formulas of its own.
PUBLISHED = {
    "200MF": Published(
        *(13, 24, 36.44, 2.49, 8),
        *((1, 1, 4, 7), (24, 56, 152, 368)),
        *(2_164_056, 199_040_872, 2_684_792),
    ),
    "400MF": Published(
        *(22, 24, 24.48, 2.54, 16),
        *((1, 2, 7, 12), (32, 64, 160, 384)),
        *(3_143_272, 397_678_568, 5_157_512),
    ),
    "600MF": Published(
        *(16, 48, 36.97, 2.24, 24),
        *((1, 3, 5, 7), (48, 96, 240, 528)),
        *(3_975_096, 600_891_112, 6_196_040),
    ),
    "800MF": Published(
        *(16, 56, 35.73, 2.28, 16),
        *((1, 3, 7, 5), (64, 128, 288, 672)),
        *(5_148_744, 799_700_712, 7_259_656),
    ),
    "1.6GF": Published(
        *(18, 80, 34.01, 2.25, 24),
        *((2, 4, 10, 2), (72, 168, 408, 912)),
        *(7_933_512, 1_602_850_792, 9_190_136),
    ),
    "3.2GF": Published(
        *(25, 88, 26.31, 2.25, 48),
        *((2, 6, 15, 2), (96, 192, 432, 1008)),
        *(11_367_432, 3_176_622_952, 15_296_552),
    ),
    "4.0GF": Published(
        *(23, 96, 38.65, 2.43, 40),
        *((2, 5, 14, 2), (80, 240, 560, 1360)),
        *(12_201_608, 3_964_499_816, 22_118_248),
    ),
    "6.4GF": Published(
        *(17, 184, 60.83, 2.07, 56),
        *((2, 4, 10, 1), (168, 392, 784, 1624)),
        *(16_369_744, 6_460_292_264, 26_209_256),
    ),
    "8.0GF": Published(
        *(23, 80, 49.56, 2.88, 120),
        *((2, 5, 15, 1), (80, 240, 720, 1920)),
        *(14_059_688, 7_995_133_416, 39_572_648),
    ),
    "12GF": Published(
        *(19, 168, 73.36, 2.37, 112),
        *((2, 5, 11, 1), (224, 448, 896, 2240)),
        *(21_366_568, 12_086_679_016, 46_106_056),
    ),
    "16GF": Published(
        *(22, 216, 55.59, 2.1, 128),
        *((2, 6, 13, 1), (256, 512, 896, 2048)),
        *(25_515_496, 15_940_756_456, 54_278_536),
    ),
    "32GF": Published(
        *(23, 320, 69.86, 2.0, 168),
        *((2, 7, 13, 1), (336, 672, 1344, 2520)),
        *(36_302_160, 31_735_930_792, 107_811_560),
    ),
}
# The parameters that torchvision publishes with its weights.
TORCHVISION = {
    "400MF": 5_495_976,
    "800MF": 7_259_656,
    "1.6GF": 9_190_136,
    "3.2GF": 15_296_552,
    "8.0GF": 39_572_648,
    "16GF": 54_278_536,
    "32GF": 107_811_560,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_models(name: str) -> None:
    known = PUBLISHED[name]
    made = count("regnet_x", **known.settings())
    outputs: list[Any] = [row.output for row in made.modules(1) if row.path.startswith("stage_")]
    assert tuple(output.channels for output in outputs) == known.widths
    depths = [sum(row.path.startswith(f"stage_{n}.") for row in made.modules(2)) for n in (1, 2, 3, 4)]
    assert tuple(depths) == known.depths
    assert made.parameters == known.parameters
    # The paper counts the outputs of convolutions alone; pycls, as costlab, those of the linear layer too.
    assert made.activations == known.activations
    # What pycls calls flops are multiply-adds, and one for each addition of the linear layer's bias.
    assert int(made.multiply_adds) + 1000 == known.flops


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_models(name: str) -> None:
    made = count("regnet_x", port="torchvision", **PUBLISHED[name].settings())
    assert made.parameters == TORCHVISION[name]


def test_a_regnet_is_an_anynet() -> None:
    known = PUBLISHED["4.0GF"]
    stages: dict[str, Any] = {f"d{n}": depth for n, depth in enumerate(known.depths, 1)}
    stages |= {f"w{n}": width for n, width in enumerate(known.widths, 1)}
    made = count("anynet_x", group_width=40, **stages)
    assert made.total == count("regnet_x", **known.settings()).total
    assert count("anynet_x").total == count("regnet_x").total


class Stage(NamedTuple):
    depth: int
    width: int
    ratio: int
    group: int


def by_hand(stages: list[Stage], stem: int, classes: int, size: int) -> tuple[int, int, int]:
    """Multiply-adds, parameters and activations: of each convolution, and two for a channel of its norm."""
    grid, before = -(-size // 2), stem
    multiply_adds, parameters, activations = 27 * stem * grid**2, 27 * stem + 2 * stem, stem * grid**2
    for depth, width, ratio, group in stages:
        inner = width // ratio
        for place in range(depth):
            last = grid
            grid = grid if place else -(-grid // 2)
            layers = [
                (before * inner, inner, last),
                (9 * group * inner, inner, grid),
                (inner * width, width, grid),
            ]
            layers += [] if place else [(before * width, width, grid)]
            for weights, channels, side in layers:
                multiply_adds += weights * side**2
                parameters += weights + 2 * channels
                activations += channels * side**2
            before = width
    return (
        multiply_adds + before * classes,
        parameters + (before + 1) * classes,
        activations + classes,
    )


@st.composite
def stage(draw: st.DrawFn) -> Stage:
    ratio, group = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([1, 2, 8, 24]))
    return Stage(draw(st.integers(1, 4)), ratio * group * draw(st.integers(1, 9)), ratio, group)


def totals(made: costlab.Count) -> tuple[Any, Any, Any]:
    return made.multiply_adds, made.parameters, made.activations


@settings(deadline=None, max_examples=30)
@given(st.lists(stage(), min_size=4, max_size=4), st.integers(1, 40), st.integers(1, 99), st.integers(1, 99))
def test_any_other_by_hand(stages: list[Stage], stem: int, classes: int, size: int) -> None:
    chosen: dict[str, Any] = {
        f"{letter}{number}": value
        for number, each in enumerate(stages, 1)
        for letter, value in zip("dwbg", each, strict=True)
    }
    made = count("anynet_x", (3, size, size), stem_width=stem, num_classes=classes, **chosen)
    assert totals(made) == by_hand(stages, stem, classes, size)


@settings(deadline=None, max_examples=15)
@given(st.data())
def test_arrays_are_what_they_stand_for(data: st.DataObject) -> None:
    """Each axis in its own dimension: widths, ratios, group widths, the stem, the classes, the input."""
    names = ["w1", "w2", "w3", "w4", "bottleneck", "g2", "g4", "group_width", "stem_width", "num_classes"]
    axes = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    options = {"bottleneck": [1, 2, 4], "g2": [1, 4, 8], "g4": [2, 4, 8], "group_width": [8, 1, 4]}
    values = {name: options.get(name, [32, 96, 160]) for name in axes}
    shapes = {name: [3 if i == place else 1 for i in range(len(axes))] for place, name in enumerate(axes)}
    arrays: dict[str, Any] = {name: np.array(values[name]).reshape(shapes[name]) for name in axes}
    swept = count("anynet_x", **{"group_width": 8} | arrays)
    place = tuple(data.draw(st.integers(0, 2)) for _ in axes)
    numbers: dict[str, Any] = {name: values[name][at] for name, at in zip(axes, place, strict=True)}
    one = count("anynet_x", **{"group_width": 8} | numbers)
    everywhere = [np.broadcast_to(each, (3,) * len(axes)) for each in totals(swept)]
    assert tuple(int(each[place]) for each in everywhere) == totals(one)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("anynet_x:w2=60", r"x_block: width=60 must be divisible by group_width=16"),
        ("anynet_x:w2=60,g2=15", None),
        ("anynet_x:b3=3", r"x_block: width=160 must be divisible by bottleneck=3"),
        ("anynet_x:b3=20", r"x_block: width / bottleneck=8 must be divisible by group_width=16"),
        ("anynet_x:g4=0", r"anynet_x: g4=0 must be at least 1"),
        ("anynet_x:bottleneck=-1", r"anynet_x: bottleneck=-1 must be at least 1"),
        ("anynet_x:d1=0", r"x_stage: depth=0 must be at least 1"),
        ("anynet_x:d1=1001", r"x_stage: depth=1001 must be at most 1000"),
        ("anynet_x:w1=0", r"anynet_x: w1=0 must be at least 1"),
        ("x_block:projection=false,width=64,stride=1", r"32x112x112 .*64x112x112|branches"),
        ("regnet_x:w_0=20", r"regnet_x: w_0=20 must be a positive multiple of 8"),
        ("regnet_x:w_0=-8", r"regnet_x: w_0=-8 must be a positive multiple of 8"),
        ("regnet_x:w_m=1", r"regnet_x: w_m=1.* must be above 1"),
        ("regnet_x:w_m=nan", r"w_m="),
        ("regnet_x:w_m=1e300", r"regnet_x: w_m=1e\+300 must be above 1 and below 2\*\*31"),
        ("regnet_x:w_a=-1", r"regnet_x: w_a=-1.* must be from 0"),
        ("regnet_x:w_a=inf", r"w_a="),
        ("regnet_x:w_a=2e9,depth=1000", r"must be below 2\*\*31"),
        ("regnet_x:group_width=0", r"regnet_x: group_width=0 must be at least 1"),
        ("regnet_x:depth=0", r"regnet_x: depth=0 must be at least 1"),
        ("regnet_x:depth=5,w_a=0,w_m=2.5", None),
    ],
)
def test_what_is_none_is_refused_and_never_rounded(target: str, message: str | None) -> None:
    if message is None:
        assert count(target).root.output == (1000,)
        return
    with pytest.raises(CostlabError, match=message) as refused:
        count(target)
    assert "\n" not in str(refused.value)


def test_an_array_with_one_width_that_does_not_divide_is_refused() -> None:
    with pytest.raises(CostlabError, match="must be divisible by group_width=16"):
        count("anynet_x", w1=np.array([32, 40, 48]))


def test_closed_forms_hold_where_the_groups_divide_the_widths() -> None:
    """And in the group width itself; elsewhere there is no network, and the form gives no number."""
    form = closed_form("x_stage", "width", "group_width", depth=2)
    for width, group in ((32, 16), (48, 16), (30, 15), (7, 1)):
        counted = count("x_stage", width=width, group_width=group, depth=2)
        assert form.at(width=width, group_width=group)["multiply_adds"] == counted.multiply_adds
    form = closed_form("x_stage", "width", depth=2)
    assert form.holds == ("where width/16 is whole, so that no channel count is rounded",)
    with pytest.raises(CostlabError, match="width/16 is not whole there"):
        form.at(width=40)


@pytest.mark.parametrize(
    "target",
    [
        "anynet_x:d2=1,d3=1,d4=2,w3=64,w4=64,bottleneck=2,b4=1,g1=1,g4=32,stem_width=8,num_classes=10",
        "regnet_x:depth=6,w_0=16,w_a=20.5,w_m=2.3,group_width=24,port=torchvision",
        "x_block:width=48,group_width=6,bottleneck=2",
        "x_block:stride=1,projection=false",
        "x_stage:depth=2,width=24,group_width=3",
    ],
)
def test_every_axis_is_what_runs(target: str) -> None:
    shape = None if target.startswith("x_") else (3, 64, 64)
    findings = costlab.check(target, shape)
    assert [str(finding) for finding in findings if not finding.agreed] == []
