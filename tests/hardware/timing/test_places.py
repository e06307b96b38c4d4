"""Where the time of operators goes: to the rows of the count, or to several of them at once."""

import pytest
from torch import Tensor, nn

import costlab
from costlab.hardware.timing.operators import Ran
from costlab.hardware.timing.places import place


def counted(model: nn.Module, *sizes: int) -> costlab.Count:
    return costlab.count(model, sizes)


class Block(nn.Module):
    """A convolution, and functions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x).relu()
        z: Tensor = (y + x).relu()
        return z.flatten(1).softmax(1)


NAMES = ("relu", "add", "relu", "view", "_softmax")
RUN = [Ran("conv", "convolution"), *(Ran("", name) for name in NAMES)]


def test_functions_of_a_module_are_told_apart_by_their_order() -> None:
    placed = place(counted(Block(), 4, 8, 8), ["", "conv"], RUN)
    paths = [each.path for each in placed.places]
    kinds = [each.kind for each in placed.places]
    assert sorted(zip(paths, kinds, strict=True)) == sorted(
        [
            ("conv", "conv2d"),
            ("relu", "relu"),
            ("add", "add"),
            ("relu_2", "relu"),
            ("flatten", "flatten"),
            ("softmax", "softmax"),
        ]
    )
    at = [paths[each] for each in placed.place_of if each is not None]
    assert at == ["conv", "relu", "add", "relu_2", "relu_2", "softmax"]  # a view goes with what is before it


class Flat(nn.Module):
    """One operation that takes time among others that take none."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(x.flatten(1), training=self.training).relu()


def test_what_takes_no_time_is_apart() -> None:
    placed = place(counted(Flat(), 4, 8, 8), [""], [Ran("", "view"), Ran("", "relu")])
    assert [each.path for each in placed.places] == ["flatten", "dropout", "relu"]
    assert placed.place_of == (2, 2)
    unseen = place(counted(nn.Sequential(nn.Dropout(), nn.Flatten()), 4, 8, 8), ["", "0", "1"], [])
    assert ([each.path for each in unseen.places], unseen.place_of) == (["0", "1"], ())


def test_what_cannot_be_told_apart_is_one_row() -> None:
    placed = place(counted(Block(), 4, 8, 8), ["", "conv"], [RUN[0], Ran("", "fused_everything")])
    (one,) = [each for each in placed.places if len(each.nodes) > 1]
    assert (one.path, one.kind) == ("", "relu + add + flatten + softmax")
    assert [placed.places[each or 0].path for each in placed.place_of] == ["conv", ""]


def test_a_fused_operator_takes_the_rows_that_it_did() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    placed = place(
        counted(nn.Sequential(model, nn.Linear(4, 2)), 4),
        ["", "0", "0.0", "0.1", "1"],
        [Ran("0.0", "fused"), Ran("1", "addmm")],
    )
    assert [(each.path, each.kind) for each in placed.places] == [
        ("0.0", "linear"),
        ("0.1", "relu"),
        ("1", "linear"),
    ]
    outer = place(counted(Block(), 4, 8, 8), ["", "conv"], [Ran("", "fused")])
    (one,) = outer.places
    assert (one.path, one.kind) == ("", "relu + add + flatten + softmax + conv2d")
    assert outer.place_of == (0,)


@pytest.mark.parametrize("name", ["stem", "bottleneck", "inception_e", "reduction_b"])
def test_the_operations_of_a_definition_are_places_each(name: str) -> None:
    count = costlab.count(name)
    nodes = count.operations
    placed = place(count, [node.path for node in count.root.nodes()], [Ran(node.path, "x") for node in nodes])
    assert placed.place_of == tuple(range(len(nodes)))
    assert [each.path for each in placed.places] == [node.path for node in nodes]


def test_what_runs_below_an_operation_is_its_own_and_what_runs_beside_is_nobodys() -> None:
    count = costlab.count("bottleneck")
    first = count.operations[0].path
    paths = [node.path for node in count.root.nodes()]
    placed = place(count, paths, [Ran(f"{first}.inner.part", "x"), Ran("elsewhere", "y")])
    number, none = placed.place_of
    assert number is not None
    assert placed.places[number].path == first
    assert none is None
