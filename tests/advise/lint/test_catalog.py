"""What lint says of the catalog, and of the modules that are built from it."""

import pytest
import torch

from costlab.advise.lint.finding import Finding
from costlab.advise.lint.lint import Lint, lint
from costlab.targets.build import build
from costlab.targets.resolve import variant

PINCHES = {
    "alexnet": {"pool_1": 4.15, "pool_2": 4.31, "pool_5": 4.69},
    "vgg16": {f"pool_{number}": 4.0 for number in range(1, 6)},
    "googlenet": {f"pool_{number}": 4.0 for number in range(1, 5)},
    "inception_v3": {"stem.pool_3a": 4.05, "stem.pool_5a": 4.12, "mixed_7a": 2.71},
    "resnet50": {"pool_1": 4.0},
}
REDUCTIONS = {
    "alexnet": {
        ("pool-before-expansion", "pool_1", "warning", None),
        ("pool-before-expansion", "pool_2", "warning", None),
        ("convolution-before-pool", "conv_2.conv", "warning", 0.336),
    },
    "vgg16": {("pool-before-expansion", f"pool_{number}", "warning", None) for number in (1, 2, 3)},
    "googlenet": {("convolution-before-pool", "conv_2.conv", "warning", 0.219)},
    "inception_v3": {
        ("convolution-before-pool", "stem.conv_2b.conv", "note", 0.070),
        ("convolution-before-pool", "stem.conv_4a.conv", "note", 0.122),
    },
    "resnet50": set(),
}
LARGE = {
    "alexnet": {"conv_1.conv": 0.158},
    "vgg16": {},
    "googlenet": {
        "conv_1.conv": 0.075,
        "inception_3a.b5x5.1.conv": 0.006,
        "inception_3b.b5x5.1.conv": 0.038,
        "inception_4a.b5x5.1.conv": 0.002,
        "inception_4b.b5x5.1.conv": 0.005,
        "inception_4c.b5x5.1.conv": 0.005,
        "inception_4d.b5x5.1.conv": 0.006,
        "inception_4e.b5x5.1.conv": 0.013,
        "inception_5a.b5x5.1.conv": 0.003,
        "inception_5b.b5x5.1.conv": 0.005,
    },
    "inception_v3": {f"mixed_5{letter}.b5x5.1.conv": 0.016 for letter in "bcd"},
    "resnet50": {"conv_1.conv": 0.029},
}


def _of(found: Lint, rule: str) -> list[Finding]:
    return [each for each in found.findings if each.rule == rule]


def _share(finding: Finding) -> float | None:
    share = finding.numbers.get("share_of_convolutions")
    return None if share is None else round(share, 3)


@pytest.mark.parametrize("name", PINCHES)
def test_findings_of_the_catalog(name: str) -> None:
    found = lint(name)
    ratios = {each.path: round(each.numbers["ratio"], 2) for each in _of(found, "pinch")}
    assert ratios == PINCHES[name]
    reductions = [*_of(found, "pool-before-expansion"), *_of(found, "convolution-before-pool")]
    assert {(each.rule, each.path, each.severity, _share(each)) for each in reductions} == REDUCTIONS[name]
    assert {each.path: _share(each) for each in _of(found, "large-kernel")} == LARGE[name]
    assert len(found.warnings) + len(found.notes) == len(found.findings)


def test_the_released_inception_v3_has_no_warning_but_its_pinches_and_its_5x5() -> None:
    found = lint("inception_v3")
    assert [each.rule for each in found.warnings].count("pinch") == 3
    large = _of(found, "large-kernel")
    assert {each.rule for each in found.warnings} == {"pinch", "large-kernel"}
    assert [each.numbers["kernel"] for each in large] == [(5, 5)] * 3
    assert sum(each.numbers["multiply_adds"] for each in large) == 3 * 35 * 35 * 5 * 5 * 48 * 64
    assert round(sum(each.numbers["share_of_convolutions"] for each in large), 3) == 0.049


@pytest.mark.parametrize(
    ("form", "rule", "paths", "shares"),
    [
        ("pool+conv", "pool-before-expansion", ["mixed_6a.pool", "mixed_7a.pool"], [None, None]),
        (
            "conv+pool",
            "convolution-before-pool",
            ["mixed_6a.conv.conv", "mixed_7a.conv.conv"],
            [0.244, 0.255],
        ),
    ],
)
def test_blunt_reductions(form: str, rule: str, paths: list[str], shares: list[float | None]) -> None:
    found = lint("inception_v3", reductions=form)
    blunt = [
        each for each in found.warnings if each.rule in ("pool-before-expansion", "convolution-before-pool")
    ]
    assert [each.path for each in blunt] == paths
    assert {each.rule for each in blunt} == {rule}
    assert [_share(each) for each in blunt] == shares


def test_from_which_share_on_an_expensive_convolution_is_a_warning() -> None:
    for share, severities in ((0.0, ["warning"] * 2), (0.1, ["note", "warning"]), (1.0, ["note"] * 2)):
        found = _of(lint("inception_v3", expensive_share=share), "convolution-before-pool")
        assert [each.severity for each in found] == severities


def test_counts_are_of_the_whole_batch() -> None:
    one, ten = lint("inception_v3"), lint(variant("inception_v3", batch=10))
    assert [each.path for each in ten.findings] == [each.path for each in one.findings]
    for a, b in zip(one.findings, ten.findings, strict=True):
        for name, number in a.numbers.items():
            counted = name in ("multiply_adds", "from_elements", "to_elements")
            assert b.numbers[name] == (10 * number if counted else number)
        assert [each.saved for each in b.alternatives] == [10 * each.saved for each in a.alternatives]
        assert a.rule == "large-kernel" or b.change == a.change
    assert ten.balance.multiply_adds == 10 * one.balance.multiply_adds


def test_auxiliary_heads_say_nothing() -> None:
    assert lint("inception_v3", aux=True).findings == lint("inception_v3").findings


@pytest.mark.parametrize(
    "name",
    ["alexnet", *(pytest.param(name, marks=pytest.mark.slow) for name in PINCHES if name != "alexnet")],
)
def test_a_definition_and_its_module_have_the_same_findings(name: str) -> None:
    of_definition = lint(name)
    with torch.device("meta"):
        of_module = lint(build(name), of_definition.input)
    assert of_module.findings == of_definition.findings
    assert of_module.balance == of_definition.balance
    assert (of_module.traced, of_definition.traced) == (True, False)


def test_what_a_prompt_and_a_notebook_show() -> None:
    found = lint("inception_v3", ignore=["pinch"], width=0.5)
    first, *others = repr(found).splitlines()
    assert first == "Lint: inception_v3:width=0.5, input 3x299x299: 3 warnings, 2 notes; 3 silenced"
    assert [line.split(": ")[:3] for line in others] == [
        [f"  {each.path}", each.severity, each.rule] for each in found.findings
    ]
    assert found._repr_html_().count("<tr") == 1 + len(found.findings)
