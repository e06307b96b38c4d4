"""Which findings are heard, and what is no such wish."""

import pickle
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from costlab.advise.lint.finding import RULES
from costlab.advise.lint.lint import Lint, lint
from costlab.errors import DefinitionError

KINDS = {"pinch": 3, "convolution-before-pool": 2, "large-kernel": 3}
"""What the released Inception v3 has."""


def _kinds(found: Lint) -> dict[str, int]:
    rules = [each.rule for each in found.findings]
    return {rule: rules.count(rule) for rule in dict.fromkeys(rules)}


@pytest.mark.parametrize(
    ("wishes", "heard"),
    [
        ({}, KINDS),
        ({"ignore": ["pinch"]}, {"convolution-before-pool": 2, "large-kernel": 3}),
        ({"select": ["pinch", "pool-before-expansion"]}, {"pinch": 3}),
        ({"select": ["pinch", "large-kernel"], "ignore": ["pinch"]}, {"large-kernel": 3}),
        ({"select": []}, {}),
        ({"ignore": ["ALL"]}, {}),
        ({"select": ["ALL"]}, KINDS),
        ({"per_module_ignores": {"stem.*": ["pinch"]}}, {**KINDS, "pinch": 1}),
        ({"per_module_ignores": {"stem": ["ALL"]}}, {"large-kernel": 3, "pinch": 1}),
        (
            {"per_module_ignores": {"mixed_5?": ["large-kernel"], "mixed_7a": ("pinch",)}},
            {"convolution-before-pool": 2, "pinch": 2},
        ),
        ({"per_module_ignores": {"stem.*": ["large-kernel"], "mixed_5": ["ALL"]}}, KINDS),
    ],
)
def test_what_is_heard(wishes: Mapping[str, Any], heard: dict[str, int]) -> None:
    found, everything = lint("inception_v3", **wishes), lint("inception_v3").findings
    assert _kinds(found) == heard
    assert sorted((*found.findings, *found.silenced), key=everything.index) == [*everything]


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"ignore": ["pinsh"]}, "ignore: there is no rule 'pinsh'; did you mean pinch?"),
        ({"select": ["F401"]}, f"select: there is no rule 'F401'; there is {', '.join(RULES)}"),
        ({"select": "pinch"}, "select='pinch' must be a list of rules"),
        ({"ignore": None}, "ignore=None must be a list of rules"),
        ({"ignore": [1]}, "ignore: there is no rule 1"),
        ({"per_module_ignores": [1]}, "per_module_ignores=[1] must be rules by patterns of modules"),
        ({"per_module_ignores": {1: ["pinch"]}}, "per_module_ignores: 1 is no pattern of modules"),
        ({"per_module_ignores": {"a": "pinch"}}, "per_module_ignores['a']='pinch' must be a list of rules"),
        ({"per_module_ignores": {"a": ["b"]}}, "per_module_ignores['a']: there is no rule 'b'"),
        ({"expensive_share": 1.5}, "expensive_share=1.5 must be a share from 0 to 1, such as 0.2"),
        ({"expensive_share": float("nan")}, "expensive_share=nan must be a share from 0 to 1, such as 0.2"),
        ({"expensive_share": "20%"}, "expensive_share='20%' must be a share from 0 to 1, such as 0.2"),
        ({"expensive_share": True}, "expensive_share=True must be a share from 0 to 1, such as 0.2"),
    ],
)
def test_what_is_no_wish(wishes: Mapping[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        lint("mini", **wishes)
    assert str(refused.value).startswith(message)


def test_symbols_are_refused() -> None:
    from costlab.algebra import symbols

    with pytest.raises(DefinitionError, match=r"vgg16.*: give plain numbers for its sizes"):
        lint("vgg16", width=symbols("w"))


def test_a_lint_is_a_value() -> None:
    found = lint("inception_v3", expensive_share=Fraction(1, 10))
    assert pickle.loads(pickle.dumps(found)) == found == lint("inception_v3", expensive_share=0.1)


def test_where_the_paper_says_it() -> None:
    assert {rule.name: rule.source for rule in RULES.values()} == {
        "pinch": "principle 1, section 2",
        "pool-before-expansion": "principle 1, section 5",
        "convolution-before-pool": "section 5",
        "large-kernel": "section 3",
    }
