"""Well-known networks whose weights were taken out, as onnx has them in its package."""

from pathlib import Path

import onnx
import pytest

from costlab.onnx.read import read_graph
from tests.onnx.rules.exporting import counted
from tests.sampling import one_in

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
OPERATORS = 18
"""What the nine are made of; how many of them a count knows is what others differ in."""
NETWORKS = [
    # multiply-adds of each; parameters as published: of torchvision's, and of Caffe's model zoo
    ("resnet50", 4_089_184_256, 25_557_032),
    ("vgg19", 19_632_062_464, 143_667_240),
    ("squeezenet", 349_151_936, 1_235_496),
    ("bvlc_alexnet", 654_560_384, 60_965_224),
    ("inception_v1", 1_431_556_352, 6_998_552),
    ("zfnet512", 1_481_727_008, 87_250_536),
    ("densenet121", 2_834_161_664, 7_978_856 + 2 * 2 * 64),  # two of its scales are still there
    ("inception_v2", 2_018_851_840, None),
    ("shufflenet", 124_664_528, None),
]


@pytest.mark.parametrize(("name", "products", "parameters"), one_in(3, NETWORKS, several=True))
def test_networks_without_weights(name: str, products: int, parameters: int | None) -> None:
    count = counted(read_graph(LIGHT / f"light_{name}.onnx"))
    assert not count.unknown
    assert count.multiply_adds == products
    assert parameters in (None, count.parameters)


@pytest.mark.slow
def test_all_their_operators_are_known() -> None:
    operators: set[str] = set()
    for name, *_ in NETWORKS:
        graph = read_graph(LIGHT / f"light_{name}.onnx")
        operators |= {node.op_type for node in graph.model.graph.node}
        assert not counted(graph).unknown
    assert len(operators) == OPERATORS
