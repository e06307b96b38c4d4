"""The networks of the lineage: reference counts, and every axis against what runs."""

import pytest

import costlab
from costlab.counting.count import count

# target: multiply-adds, weights, all parameters, from running implementations by two independent counters;
# those of ResNet-101 and 152 as torchvision publishes them (in G, and exactly), and of Table 1 by hand.
REFERENCE: dict[str, tuple[int | None, int | None, int | None]] = {
    "googlenet": (1_582_671_872, 6_990_272, 6_998_552),
    "googlenet:branch_5x5=3x3,bn=true": (1_498_376_192, 6_609_344, 6_624_904),
    "googlenet:first=separable": (1_498_677_248, 6_983_576, None),
    "bn_inception": (2_032_600_064, 11_264_192, 11_295_240),
    "inception_v2": (1_934_857_216, 11_167_384, 11_178_336),
    "alexnet_one_tower": (714_188_480, 61_090_496, 61_100_840),
    "alexnet": (724_406_816, 60_954_656, 60_965_224),
    "vgg16": (15_470_264_320, 138_344_128, 138_357_544),
    "vgg19": (19_632_062_464, 143_652_544, 143_667_240),
    "resnet50": (4_089_184_256, 25_502_912, 25_557_032),
    "resnet101": (None, None, 44_549_160),
    "resnet152": (None, None, 60_192_808),
    "prelu_net_a": (19_058_106_368, 178_001_696, None),
    "prelu_net_b": (23_219_904_512, 183_310_112, None),
    "prelu_net_c": (53_463_130_112, 330_581_792, None),
    "inception_v3_table_1": (6_352_562_784, None, None),
    "inception_v3_table_1:modules_17=4": (5_864_860_256, None, None),
    "inception_v3_table_1:conv_35=false,modules_17=4,channels_17=128": (4_738_933_344, None, None),
}


@pytest.mark.parametrize("target", REFERENCE)
def test_reference_counts(target: str) -> None:
    counted = count(target)
    found = (counted.multiply_adds, counted.weights, counted.parameters)
    for size, reference in zip(found, REFERENCE[target], strict=True):
        assert reference in (None, size)
    assert counted.root.output == (1000,)


@pytest.mark.parametrize(("target", "billions"), [("resnet101", "7.80"), ("resnet152", "11.51")])
def test_the_deep_residual_networks_in_billions(target: str, billions: str) -> None:
    assert f"{int(count(target).multiply_adds) / 1e9:.2f}" == billions


def test_the_separable_first_layer_is_the_one_of_googlenets_table() -> None:
    """2.7 K weights and 34 M operations: 7x7 to 8 channels of each of 3, and 1x1 from 24 to 64."""
    rows = {row.path: row.work for row in count("googlenet", first="separable", num_classes=10).modules(1)}
    assert rows["conv_1"].weights == 24 * 49 + 24 * 64 == 2_712
    assert rows["conv_1"].multiply_adds == 2_712 * 112 * 112 == 34_019_328


@pytest.mark.parametrize(
    "target",
    [
        "googlenet:first=separable,width=0.1",
        "googlenet:branch_5x5=3x3,bn=true,width=0.1",
        "inception_googlenet:branch_5x5=3x3,bn=true",
        "bn_inception:width=0.1",
        "inception_v2:width=0.1",
        "inception_bn:pooling=max,bias=true",
        "reduction_bn:bn=false",
        "reduction_bn:bn_scale=false",
        "alexnet:groups=1,width=0.1",
        "vgg16:bn=true,width=0.1",
        "resnet50:strided=1x1,width=0.1",
        "bottleneck:stride=2,strided=1x1",
        "inception_v3_table_1:modules_17=1,channels_17=8,conv_35=false,width=0.1",
        "ensemble:network=googlenet,models=2,width=0.1",
        pytest.param("ensemble:network=bn_inception,models=3,width=0.1", marks=pytest.mark.slow),
    ],
)
def test_every_axis_is_what_runs(target: str) -> None:
    size = {"alexnet": 67, "inception_v3_table_1": 107, "ensemble": 64}.get(target.partition(":")[0], 64)
    shape = (
        None
        if target.startswith(("inception_g", "inception_bn", "reduction", "bottleneck"))
        else (3, size, size)
    )
    findings = costlab.check(target, shape)
    assert [str(finding) for finding in findings if not finding.agreed] == []


@pytest.mark.parametrize("name", ["bn_inception", "inception_v2", "googlenet", "resnet50"])
@pytest.mark.parametrize("size", [33, 64, 95, 111, 160])
def test_inputs_of_any_size_go_through(name: str, size: int) -> None:
    assert count(name, (3, size, size)).root.output == (1000,)


@pytest.mark.parametrize("smallest", [("alexnet", 67), ("alexnet_one_tower", 63), ("vgg16", 32)])
def test_the_smallest_inputs_are_as_documented(smallest: tuple[str, int]) -> None:
    name, size = smallest
    assert count(name, (3, size, size)).root.output == (1000,)
    with pytest.raises(costlab.ShapeError, match="does not fit"):
        count(name, (3, size - 1, size - 1))


def test_width_multiplies_all_but_the_classes() -> None:
    rows = {row.path: row.output for row in count("vgg16", width=0.5).modules(2)}
    assert rows["conv_1_1.conv"] == (32, 224, 224)
    assert rows["head.fc_6"] == (2048,)
    assert rows["head.fc_8"] == (1000,)


def test_an_ensemble_is_so_many_networks() -> None:
    one, four = count("inception_v3"), count("ensemble")
    assert (four.multiply_adds, four.parameters) == (4 * one.multiply_adds, 4 * one.parameters)
    with pytest.raises(costlab.DefinitionError, match="ensemble: models=0"):
        count("ensemble", models=0)
