"""Every operator that onnx knows is counted, moves only, or is listed with the reason why not."""

import onnx.defs
import pytest

from costlab.counting.family import FAMILIES, OTHER, family_of
from costlab.onnx.control import CONTROL
from costlab.onnx.rules import NOT_COUNTED, NOTHING, RULES
from costlab.onnx.rules.names import PLAIN
from costlab.onnx.rules.registry import BLOCKED, MICROSOFT

NEWEST = {"": 28, "ai.onnx.ml": 6, "ai.onnx.preview": 1, "ai.onnx.preview.training": 1}
"""The sets of operators that were looked at: a later release may have more, which are unknown until then."""
SCHEMAS = {
    (each.domain, each.name)
    for each in onnx.defs.get_all_schemas_with_history()
    if each.since_version <= NEWEST.get(each.domain, 0)
}
TOLD = (set(RULES), set(NOTHING), set(NOT_COUNTED), {("", name) for name in CONTROL})
OF_OLD = {("", "SimplifiedLayerNormalization")}
"""What onnxruntime writes in onnx's own domain."""


def test_every_operator_is_told() -> None:
    assert set().union(*TOLD) >= SCHEMAS, sorted(SCHEMAS.difference(*TOLD))


def test_no_operator_is_told_twice() -> None:
    assert sum(map(len, TOLD)) == len(set().union(*TOLD))


def test_no_operator_is_told_that_does_not_exist() -> None:
    own = {each for told in TOLD for each in told if each[0] not in (MICROSOFT, BLOCKED)}
    assert len(SCHEMAS) > 220
    assert own - OF_OLD <= SCHEMAS, sorted(own - OF_OLD - SCHEMAS)


def test_reasons_are_sentences() -> None:
    assert all(len(reason.split()) > 4 for reason in NOT_COUNTED.values())
    assert len(NOT_COUNTED) < 10


@pytest.mark.parametrize(
    ("operator", "family"),
    [
        ("Relu", "activation functions"),
        ("HardSwish", "activation functions"),
        ("Softmax", "softmax"),
        ("Add", "element by element"),
        ("ReduceMean", "element by element"),
        ("Concat", OTHER),
    ],
)
def test_kinds_are_those_of_torch(operator: str, family: str) -> None:
    assert family in (*FAMILIES, OTHER)
    assert family_of(PLAIN["", operator]) == family
