"""The tables of conventions, and the attachment for Netron."""

import json
import re
import tomllib
import warnings
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import Tensor, nn

import costlab
from costlab.checking.finding import Report
from costlab.checking.graph_peers import GRAPH_PEERS
from costlab.checking.peers import PEERS
from costlab.counting.convention import conventions
from costlab.counting.count import count
from costlab.counting.reconcile import account_of, explain, reconcile
from costlab.report.netron import attachment
from costlab.report.tables.conventions import conventions_table
from costlab.report.tables.count import count_table
from costlab.report.tables.reconcile import IN_EXTRA, agreed, explain_table, reconcile_table
from tests.of_modules import OF_MODULES


def test_the_columns_after_the_number_add_up_to_it() -> None:
    accounts = reconcile(count("inception_v3"))
    table = reconcile_table(count("inception_v3"), accounts)
    keys = [column.key for column in table.columns]
    terms = keys[keys.index("multiply_adds") : keys.index("difference")]
    for row in table.rows:
        record = table.record(row)
        assert sum(record[key] or 0 for key in terms) == record["number"]
        assert record["difference"] == record["number"] - record["multiply_adds"]
    assert [table.record(row)["convention"] for row in table.rows] == list(OF_MODULES)
    text = table.to_text(width=80)
    assert all(len(line) <= 80 for line in text.splitlines() if "no room" not in line)
    assert "counted twice" in text
    assert "no room for: " in text


def test_the_tools_of_the_extra_are_those_that_it_installs() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    extra = {re.split(r"[>=\[]", each)[0] for each in project["project"]["optional-dependencies"]["peers"]}
    packages = {name: peer.package for name, peer in PEERS.items()}
    packages |= {name: peer.package for name, peer in GRAPH_PEERS.items()}
    assert set(IN_EXTRA) == {name for name, package in packages.items() if package in extra}
    assert {"costlab[postgres]", "costlab[digits]"} <= {
        f"costlab[{name}]" for name in project["project"]["optional-dependencies"]
    }


def test_what_a_run_adds() -> None:
    counted = count("stem")
    accounts = reconcile(counted)
    thop = account_of(accounts, "thop").number
    ran = {
        "thop": Report("1", thop),
        "fvcore": Report("2", 3),
        "ptflops": Report("3", None, "RuntimeError: it gave up on the model"),
    }
    table = reconcile_table(counted, accounts, ran)
    verdicts = {table.record(row)["convention"]: table.record(row)["verdict"] for row in table.rows}
    assert verdicts["thop"] == "equal"
    assert verdicts["fvcore"] == "DIFFERS"
    assert verdicts["ptflops"] == "failed"
    assert "ptflops, pytorch backend failed: RuntimeError: it gave up on the model" in table.notes
    assert verdicts["torchinfo"] == "not installed"
    (absent,) = [note for note in table.notes if str(note).startswith("not installed: ")]
    assert str(absent).startswith(
        "not installed: pip install 'costlab[peers]' brings ptflops_aten, torchinfo, "
    )
    assert "deepspeed" not in str(absent)
    assert verdicts["multiply_adds"] == ""
    assert not agreed(accounts, ran)
    assert agreed(accounts, {name: ran[name] for name in ("thop", "ptflops")})


def test_why_two_differ_as_a_table() -> None:
    counted = count("stem")
    accounts = reconcile(counted)
    first, second = account_of(accounts, "fvcore"), account_of(accounts, "ptflops")
    table = explain_table(counted, first, second, explain(counted, first, second))
    assert table.total is not None
    assert sum(row[3] for row in table.rows) == table.total[3] == first.number - second.number
    assert "against" in table.to_markdown()


def test_the_conventions_as_a_table() -> None:
    assert [row[0] for row in conventions_table().rows] == list(conventions())
    table = conventions_table("thop")
    assert ("batch_norm?d", "2 x outputs + 2 x affine", "") in table.rows
    assert "softmax" in [row[0] for row in table.rows]
    assert any("only these forms" in str(note) for note in table.notes)
    with pytest.raises(costlab.DefinitionError, match="there is no convention"):
        conventions_table("thopp")


def test_a_count_under_a_convention() -> None:
    table = count_table(count("stem").under("fvcore"))
    titles = [column.title for column in table.columns]
    assert titles.index("fvcore flops") < titles.index("multiply-adds")
    assert "FLOPs (2 each)" not in titles
    assert table.facts()["convention"] == "fvcore"
    notes = "\n".join(map(str, table.notes))
    assert "as fvcore 0.1.5.post20221221 counts" in notes
    assert "no rule for: max_pool2d (2)" in notes
    plain = count_table(count("stem"))
    flops = [column.title for column in plain.columns].index("FLOPs (2 each)")
    assert plain.total is not None
    assert plain.total[flops] == 2 * count("stem").multiply_adds


class Mixed(nn.Module):
    """Layers, functions, a layer that is called again, and a nested sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU()))
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.up = nn.ConvTranspose2d(4, 4, 2, 2)
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Any:
        x = self.first(x)
        x = torch.relu(x + self.again(self.again(x)))
        return self.head(self.up(x).mean((2, 3)))


@pytest.mark.parametrize("name", ["inception_a", "bottleneck", "mixed"])
def test_netron_finds_the_nodes_by_the_names_of_the_export(name: str, tmp_path: Path) -> None:
    model = Mixed().eval() if name == "mixed" else costlab.build(name).eval()
    x = torch.zeros(1, 3, 8, 8) if name == "mixed" else torch.zeros(1, *count(name).root.input)
    counted = count(model, x) if name == "mixed" else count(name)
    file = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter is the older of two
        torch.onnx.export(model, (x,), str(file), dynamo=False)
    nodes = {node.name for node in onnx.load(str(file)).graph.node}
    content = json.loads(attachment(counted))
    assert content["signature"] == "netron:attachment"
    shown = {each["target"]: each["value"] for each in content["metrics"] if each["name"] == "multiply adds"}
    assert shown.pop("") == counted.multiply_adds
    assert set(shown) <= nodes
    assert sum(shown.values()) == counted.multiply_adds
    keys = [(each["kind"], each["target"], each["name"]) for each in content["metrics"]]
    assert len(set(keys)) == len(keys)


def test_netron_leaves_out_parameters_that_nothing_reads() -> None:
    class Spare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare = nn.Linear(3, 4), nn.Linear(3, 4)

        def forward(self, x: Tensor) -> Any:
            return self.used(x)

    content = json.loads(attachment(count(Spare(), torch.zeros(2, 3))))
    assert {each["target"] for each in content["metrics"]} == {"", "/used/Gemm"}
    parameters = {
        each["target"]: each["value"] for each in content["metrics"] if each["name"] == "parameters"
    }
    assert parameters == {"": 32, "/used/Gemm": 16}
