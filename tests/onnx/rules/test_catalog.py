"""Networks of the catalog, exported, have the integers of their definitions."""

from itertools import pairwise
from typing import Any

import pytest
import torch

import costlab
from costlab.targets.catalog import catalog
from tests.onnx.rules.exporting import KEPT, counted, exported, kinds, quantities

SIZES = dict.fromkeys(("prelu_net_a", "prelu_net_b", "prelu_net_c"), (3, 672, 672))
"""Inputs of networks whose bins do not divide their map at their own, which torch's exporter refuses."""
OF_TRAINING = "auxiliary_classifier"
"""A block that gives on what comes in where it is not trained: its export is empty."""
NORMALIZED = ("alexnet", "googlenet")
"""Networks whose normalization among channels is exported as a mean of windows."""
QUICK = {"bottleneck", "conv_separable"}
NAMES = sorted(set(catalog()) - {OF_TRAINING})


def both(name: str, **settings: object) -> tuple[costlab.Count, costlab.Count]:
    """A definition's count, and that of its module as exported."""
    definition = costlab.count(name, SIZES.get(name))
    module = costlab.build(name)
    assert isinstance(module, torch.nn.Module)
    size: Any = definition.input
    data = torch.zeros(1, *map(int, size))
    return definition, counted(exported(module, data, **settings))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NAMES]
)
def test_exported_networks_have_the_integers_of_their_definitions(name: str) -> None:
    definition, graph = both(name, **KEPT)
    assert not graph.unknown
    expected, found = quantities(definition), quantities(graph)
    if name in NORMALIZED:
        assert "local_response_norm" in kinds(definition)
        del expected["window_elements"], found["window_elements"]
    assert found == expected


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NAMES]
)
def test_batch_norm_that_is_folded_leaves_one_bias_for_each_filter(name: str) -> None:
    definition, graph = both(name)
    expected: dict[str, Any] = quantities(definition) | {"scalings": 0}
    for (_, before), (place, norm) in pairwise(definition.root.working()):
        if norm.kind == "batch_norm2d":
            expected["parameters"] -= norm.parameters
            if before.bias_adds == 0:  # otherwise it goes into the bias that is there
                output: Any = place.output
                expected["parameters"] += output.channels
                expected["bias_adds"] += norm.outputs
    found = quantities(graph)
    if name in NORMALIZED:
        del expected["window_elements"], found["window_elements"]
    assert found == expected


@pytest.mark.slow
def test_a_quarter_of_inception_v3() -> None:
    module = costlab.build("inception_v3", width=0.25)
    assert isinstance(module, torch.nn.Module)
    graph = counted(exported(module, torch.zeros(1, 3, 299, 299)))
    assert graph.multiply_adds == 361_056_568
