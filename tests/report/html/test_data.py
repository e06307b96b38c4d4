"""The data of a page: its sums are the counts, under every convention, whatever the names of modules."""

from typing import Any

import pytest
import torch
from torch import nn

import costlab
from costlab.algebra import Conv2d, Linear, seq, symbols
from costlab.counting.convention import GRAPHS, conventions
from costlab.counting.count import Count, count
from costlab.errors import DefinitionError
from costlab.report.html.network import html_page
from tests.report.html.reading import NAMES, Odd, data_of, paths_of, sums_of


def attending() -> Count:
    """A model with attention, normalization, a softmax and a product of matrices, of which tools differ."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return count(nn.Sequential(layer, nn.Linear(8, 3), nn.Softmax(-1)), torch.zeros(2, 5, 8))


def network_of(counted: Count) -> tuple[Any, Any]:
    data = data_of(html_page(counted))
    (network,) = data["networks"]
    return data, network


@pytest.mark.parametrize(
    "counted",
    [
        pytest.param(lambda: count("mini", batch=3), id="definition"),
        pytest.param(attending, id="module"),
        pytest.param(lambda: count(nn.Conv1d(4, 6, 3), torch.zeros(2, 4, 9), backward=True), id="step"),
    ],
)
def test_every_sum_is_the_count_module_by_module_under_every_convention(counted: Any) -> None:
    plain: Count = counted()
    data, network = network_of(plain)
    assert not network["failures"]
    names = [each["name"] for each in data["conventions"]]
    assert names == list(conventions())
    assert [*network["costs"]] == [name for name, by in conventions().items() if by.of != GRAPHS]
    for place, name in enumerate(names):
        if name not in network["costs"]:
            continue
        priced = plain.under(name)
        sums = sums_of(data, network, 2, place)
        assert sums[""] == int(network["costs"][name]) == priced.cost, name
        theirs = priced.by_module()
        assert {path: sums[path] for path in theirs} == theirs, name
    for place, quantity in enumerate(data["quantities"]):
        tool, _, kind = quantity.rpartition("_activations")
        wanted = plain.under(tool).activations if tool and not kind else plain.size(quantity)
        assert sums_of(data, network, 1, place)[""] == int(network["totals"][quantity]) == wanted, quantity


def test_what_fvcore_counts_as_activations_has_a_quantity_of_its_own() -> None:
    layer = nn.Conv1d(2, 3, 3, padding="same")  # fvcore sees no sizes of padding that is named
    data, network = network_of(count(layer, torch.zeros(1, 2, 9)))
    assert "fvcore_activations" in data["quantities"]
    assert network["totals"]["fvcore_activations"] == "0"
    assert network["totals"]["activations"] == "27"


def test_modules_are_those_of_the_tree() -> None:
    counted = count("mini")
    _, network = network_of(counted)
    nodes = list(counted.root.nodes())
    assert paths_of(network) == [node.path for node in nodes]
    assert network["modules"]["operation"] == [node.block.title for node in nodes]
    assert network["modules"]["output"] == [str(node.output) for node in nodes]


def test_names_of_any_kind_come_through() -> None:
    _, network = network_of(count(Odd(3), torch.zeros(1, 3, 4, 4)))
    assert network["modules"]["name"][1:6] == list(NAMES)
    assert paths_of(network)[-1] == "deep.0.0.0"


def test_integers_are_exact_beyond_what_a_float_holds() -> None:
    n = 2**31 - 1
    counted = count(seq(fc=Linear(n, bias=False)), (n,))
    data, network = network_of(counted)
    assert sums_of(data, network, 2, 0)["fc"] == n * n == 4611686014132420609
    assert network["totals"]["parameters"] == "4611686014132420609"


def test_only_numbers_make_a_page() -> None:
    with pytest.raises(DefinitionError, match="is no single number; a table needs numbers"):
        html_page(count("inception_a", (symbols("C"), 35, 35)))


class Partly(nn.Module):
    """What runs depends on its data, after a convolution and something without a rule."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        x = torch.linalg.lstsq(x, x).solution
        return x[: int(x.sum())]


def test_marks_go_along() -> None:
    data, network = network_of(count(Partly(), torch.zeros(1, 3, 4, 4), partial=True))
    assert network["partial"]["stopped_at"] == ""
    assert network["not_counted"] == {"linalg_lstsq": ["linalg_lstsq"]}
    assert sums_of(data, network, 2, 0)[""] == 3 * 4 * 16
    assert any("NOT COUNTED" in note for note in network["notes"])
    assert not network["training_step"]
    assert network_of(count(nn.Linear(2, 3), torch.zeros(1, 2), backward=True))[1]["training_step"]
    assert network_of(count("alexnet"))[1]["unverified"] == count("alexnet").unverified
    assert network_of(count("inception_v3:aux=true"))[1]["modules"]["training_only"]


def test_a_convention_that_cannot_be_applied_is_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    under = Count.under

    def failing(self: Count, name: str) -> Count:
        if name == "thop":
            raise DefinitionError("it cannot be followed")
        return under(count(seq(Conv2d(2, 1)), (1, 2, 2)) if name == "ptflops" else self, name)

    monkeypatch.setattr(Count, "under", failing)
    data, network = network_of(count(seq(Conv2d(2, 1), Conv2d(2, 1)), (1, 2, 2)))
    assert set(network["failures"]) == {"thop", "ptflops"}
    assert network["failures"]["thop"] == "it cannot be followed"
    assert "thop" not in network["costs"]
    places = [place for place, each in enumerate(data["conventions"]) if each["name"] in ("thop", "ptflops")]
    assert all(work[2][place] is None for work in network["works"] for place in places)
    assert all(work[2][0] is not None for work in network["works"])


def test_of_a_comparison_there_are_all_networks_and_what_differs() -> None:
    compared = costlab.compare("resnet50", "resnet101", "resnet50:num_classes=10")
    data = data_of(html_page(compared))
    assert [each["target"] for each in data["networks"]] == [
        "resnet50",
        "resnet101",
        "resnet50:num_classes=10",
    ]
    for after, found in zip(compared.counts[1:], data["differences"], strict=True):
        wanted = [[each.path, each.change, each.before, each.after] for each in compared.differences(after)]
        assert found == wanted
        assert found
    assert data["differences"][1][0][:2] == ["head.fc", "changed"]


def test_of_several_networks_a_note_says_which_it_is_about() -> None:
    x = torch.zeros(1, 3, 4, 4)
    layer = nn.Conv2d(3, 3, 1)
    text = html_page(costlab.compare(nn.Conv2d(3, 4, 1), nn.Sequential(layer, layer), input=x))
    assert "<li><bdi>Sequential: parameters: 12 trainable, 12 shared</bdi></li>" in text
    text = html_page(costlab.compare("vgg16", "prelu_net_a"))
    assert "<li><bdi>(?): its layers were not verified against their source</bdi></li>" in text


def test_where_one_was_counted_in_part_nobody_says_what_differs() -> None:
    x = torch.zeros(1, 3, 4, 4)
    compared = costlab.compare(Partly(), nn.Conv2d(3, 4, 1), input=x, partial=True)
    assert data_of(html_page(compared))["differences"] == [None]
