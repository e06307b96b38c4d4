"""The largest network within a budget: known numbers, and every answer held against counts one by one."""

import math
from fractions import Fraction
from random import Random

import pytest

import costlab
from costlab.errors import CostlabError, DefinitionError, TargetError
from costlab.targets.catalog import catalog
from tests.sampling import one_in


def total(target: str, input: str | None = None, of: str = "multiply_adds") -> int | None:
    """A total as a user would count it; None where that is refused."""
    try:
        return int(costlab.count(target, input).size(of))
    except CostlabError:
        return None


@pytest.mark.parametrize(
    ("budget", "of", "low", "high", "found", "above"),
    [
        ("5e9", None, "837/896", "299/320", 4_993_970_454, 5_001_085_634),
        ("1e9", None, "375/896", "67/160", 999_117_454, 1_002_890_857),
        ("25e6", "parameters", "131/128", "787/768", 24_973_850, 25_017_268),
    ],
)
def test_the_width_of_inception_v3(
    budget: str, of: str | None, low: str, high: str, found: int, above: int
) -> None:
    scaled = costlab.scale_to("inception_v3", budget, of, "width")
    assert scaled.best is not None
    assert scaled.above is not None
    assert (scaled.best.low, scaled.best.high) == (Fraction(low), Fraction(high))
    assert scaled.best.interval == f"[{low}, {high})"
    assert (scaled.best.total, scaled.above.total) == (found, above)
    assert scaled.every
    assert not scaled.falls
    assert scaled.counts < 20


@costlab.block(input="3x16x16")
def eleven(width: costlab.Ratio = 1.0) -> costlab.Block:
    """A convolution with eleven filters, 27 * 14 * 14 multiply-adds each."""
    return costlab.seq(costlab.Conv2d(costlab.scale(11, width), 3))


def test_where_the_end_of_an_interval_is_rounded_otherwise_another_number_is_named() -> None:
    scaled = costlab.scale_to(eleven, 8 * 27 * 196)
    assert scaled.best is not None
    assert scaled.best.interval == "[15/22, 17/22)"
    nearest, first = 15 / 22, math.nextafter(15 / 22, 1)
    assert costlab.count(eleven, width=nearest).multiply_adds == 7 * 27 * 196
    assert costlab.count(eleven, width=first).multiply_adds == 8 * 27 * 196
    assert scaled.notes == (
        f"the float next to 15/22, {nearest!r}, gives the network below; width={first!r} is the lowest that "
        "gives this one",
    )
    plain = costlab.scale_to(eleven, 9 * 27 * 196)
    assert costlab.count(eleven, width=17 / 22).multiply_adds == 9 * 27 * 196
    assert plain.notes == ()


def test_the_network_of_five_billion() -> None:
    scaled = costlab.scale_to("inception_v3", 5e9)
    assert scaled.count is not None
    assert scaled.count.parameters == 20_925_346
    assert scaled.count.label == "inception_v3:width=0.9343"
    assert (scaled.axis, scaled.now, scaled.of, scaled.budget) == ("width", "1", "multiply_adds", 5 * 10**9)


@pytest.mark.parametrize(
    ("axis", "number", "found", "above"),
    [("input", "286", 4_988_852_096, "287"), ("modules_17", "2", 4_737_811_040, "3")],
)
def test_other_axes_of_inception_v3(axis: str, number: str, found: int, above: str) -> None:
    scaled = costlab.scale_to("inception_v3", "5e9", axis=axis)
    assert scaled.best is not None
    assert scaled.above is not None
    assert (scaled.best.number, scaled.best.total, scaled.above.number) == (number, found, above)
    assert scaled.counts < 20


def test_every_axis_is_an_alternative() -> None:
    scaled = costlab.scale_to("inception_v3", "5e9")
    others = {each.axis: each for each in scaled.alternatives}
    assert list(others) == [
        "num_classes", "n", "modules_35", "modules_17", "modules_8", "input", "depth",
    ]  # fmt: skip
    assert others["modules_8"].reason == "even modules_8=0, the lowest, has 5,001,513,568 multiply-adds"
    assert others["depth"].best is not None
    assert others["depth"].best.interval == "(1/2, 2/3]"
    for each in others.values():
        assert each.counts < 20
        assert (each.best is None) == bool(each.reason)
        if each.best is not None:
            assert total(each.best.target, each.best.input) == each.best.total <= 5 * 10**9


def held(name: str, axis: str, of: str, budget: int, random: Random) -> bool:
    """Whether an answer was found; it is held against counts of what was typed, beside it and elsewhere."""
    try:
        scaled = costlab.scale_to(name, budget, of, axis)
    except DefinitionError:
        return False
    best = scaled.best
    assert best is not None
    assert total(best.target, best.input, of) == best.total <= budget
    if scaled.above is not None:
        assert total(scaled.above.target, scaled.above.input, of) == scaled.above.total > budget
    if axis in ("width", "alpha"):
        assert best.low is not None
        assert best.high is not None
        inside = [random.uniform(float(best.low), float(best.high)) for _ in range(3)]
        inside += [math.nextafter(float(best.low), 9.0), math.nextafter(float(best.high), 0.0) - 1e-9]
        for width in inside:
            if best.low <= Fraction(width) < best.high:
                assert total(f"{name}:{axis}={width!r}", None, of) == best.total
        beside = float(best.high) * random.uniform(0.9, 1.1)
        tried = [f"{name}:{axis}={width!r}" for width in (beside, random.uniform(0.001, 2))]
    elif axis == "input":
        tried = []
        channels = str(catalog()[name].input).partition("x")[0]
        for side in range(max(1, int(best.number) - 2), int(best.number) + 3):
            found = total(name, f"{channels}x{side}x{side}", of)
            assert found is None or found <= best.total or found > budget
    else:
        numbers = {*range(int(best.number) - 3, int(best.number) + 4), *random.choices(range(1, 40), k=6)}
        tried = [f"{name}:{axis}={number}" for number in numbers if number >= 0]
    for target in tried:
        found = total(target, None, of)
        assert found is None or found <= best.total or found > budget, target
    return True


def test_answers_are_those_of_counts_one_by_one() -> None:
    random = Random(20)
    small = [
        "alexnet", "bottleneck", "conv_stack", "conv_1xn_nx1", "grid_reduction", "inception_a",
        "inception_bn", "mini", "stem", "vgg16",
    ]  # fmt: skip
    found = 0
    for name in small:
        axes = [
            key
            for key, each in catalog()[name].parameters.items()
            if each.type in (costlab.Dim, int, costlab.Ratio)
        ]
        for axis in random.sample([*axes, "input"], 2):
            of = random.choice(("multiply_adds", "parameters", "activations"))
            whole = total(name, None, of)
            assert whole is not None
            found += held(name, axis, of, max(1, round(whole * math.exp(random.uniform(-2, 1)))), random)
    assert found > 10


@pytest.mark.parametrize("growth", one_in(3, [2.7, 0.3, 1.0]))
def test_compound_scaling_is_efficientnets_rule(growth: float) -> None:
    budget = round(5_713_216_096 * growth)
    scaled = costlab.scale_to("inception_v3", budget, axis=costlab.Compound())
    best = scaled.best
    assert best is not None
    assert total(best.target, best.input) == best.total <= budget
    assert scaled.above is not None
    assert scaled.above.total > budget
    phi = float(best.number)
    settings = dict(each.split("=") for each in best.target.partition(":")[2].split(","))
    for name, repeats in (("modules_35", 3), ("modules_17", 4), ("modules_8", 2)):
        assert int(settings[name]) == math.ceil(repeats * 1.2**phi)
    assert float(settings["width"]) == pytest.approx(1.1**phi, rel=0.01)
    side = math.floor(299 * 1.15**phi + 0.5)
    assert best.input == f"3x{side}x{side}"


def test_the_target_itself_is_the_last_of_its_interval_where_repetitions_are_rounded_up() -> None:
    scaled = costlab.scale_to("inception_v3", 5_713_216_096, axis=costlab.Compound())
    assert scaled.best is not None
    assert (scaled.best.number, scaled.best.total) == ("0", 5_713_216_096)
    low, high = scaled.best.low, scaled.best.high
    assert low is not None
    assert high is not None
    assert Fraction(0) < high < Fraction(1, 10**300)
    assert 448 * 1.1 ** float(low) == pytest.approx(447.5)  # channels that are rounded otherwise below it


def test_a_coefficient_of_one_leaves_its_part_as_it_is() -> None:
    scaled = costlab.scale_to("vgg16", "1e10", axis=costlab.Compound(alpha=1))
    assert scaled.best is not None
    assert scaled.best.target.startswith("vgg16:width=")
    only = costlab.scale_to("vgg16", "1e10", axis=costlab.Compound(alpha=1, gamma=1))
    width = costlab.scale_to("vgg16", "1e10")
    assert only.best is not None
    assert width.best is not None
    assert only.best.total == width.best.total


def test_what_costs_by_another_convention_or_for_a_batch() -> None:
    scaled = costlab.scale_to("inception_e", "1e8", convention="fvcore")
    assert scaled.count is not None
    assert int(scaled.count.cost) <= 10**8
    assert scaled.count.priced == "fvcore"
    four = costlab.scale_to("mini", "1e8", batch=4)
    one = costlab.scale_to("mini", "25e6")
    assert four.best is not None
    assert one.best is not None
    assert four.best.total == 4 * one.best.total
    without = costlab.scale_to("inception_v3:aux=true", "5e9", inference=True)
    plain = costlab.scale_to("inception_v3", "5e9")
    assert without.best is not None
    assert plain.best is not None
    assert without.best.total == plain.best.total


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": "x"}, "budget: 'x' is no number"),
        ({"budget": 0}, "budget=0 must be a number of at least 1"),
        ({"budget": math.nan}, "budget=nan must be"),
        ({"budget": True}, "budget=True must be"),
        ({"budget": math.inf}, "budget=inf must be below 1e100"),
        ({"budget": 10**400}, r"budget=about 2\*\*1328 must be below 1e100"),
        ({"budget": "1e999"}, "budget: '1e999' must be below 1e100"),
        ({"of": "flops"}, "'flops' is no quantity; there is multiply_adds, bias_adds"),
        ({"axis": "widht"}, "no axis 'widht'; did you mean width?"),
        ({"input": "3x10"}, "inception_v3: input=3x10 is for modules; a block takes channels x height"),
        ({"input": "x:1x3x9x9"}, "inception_v3: input=.* is for modules; a block takes"),
        ({"axis": "aux"}, "aux takes true or false, and is no axis to scale"),
        ({"axis": 3}, "axis=3 must be a name, or a Compound"),
        ({"axis": costlab.Compound(alpha=0.5)}, "alpha=0.5 must be a number from 1 to 10"),
        ({"axis": costlab.Compound(1, 1, 1)}, "alpha, beta and gamma are all 1"),
        ({"budget": 1000}, "inception_v3: even width=0.002, the lowest, has 1,358,772 "),
        ({"axis": "input", "of": "parameters"}, "input does not change the parameters"),
        ({"target": "vgg16", "axis": costlab.Compound()}, "vgg16 has no depth to scale: .*with alpha=1"),
        ({"target": "vgg16", "axis": "depth"}, "vgg16 has no depth to scale"),
    ],
)
def test_what_cannot_be_scaled_is_told(arguments: dict[str, object], message: str) -> None:
    given: dict[str, object] = {"target": "inception_v3", "budget": "5e9", **arguments}
    with pytest.raises(DefinitionError, match=message):
        costlab.scale_to(**given)  # type: ignore[arg-type]  # some are wrong on purpose


def test_what_is_made_already_has_no_axes() -> None:
    with pytest.raises(TargetError, match="made already, which has no axes to scale: write a definition"):
        costlab.scale_to(costlab.seq(costlab.Conv2d(4, 3)), 100)
