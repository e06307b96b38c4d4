"""``costlab reconcile`` of graphs of ONNX: who has a number for them, who fails on them, and who is run."""

import json
from pathlib import Path

import onnx
import pytest
from onnx import ModelProto

from costlab.checking import graph_peers
from costlab.checking.graph_peers import GraphPeer
from costlab.counting.count import count
from costlab.counting.reconcile import reconcile
from tests.checking.graph_elements import ELEMENTS
from tests.checking.graph_layers import LAYERS
from tests.checking.test_graph_peers import LIGHT, NETWORKS
from tests.cli.conftest import Run

TRANSPOSED = "conv_transpose.onnx"
"""4 to 6 channels, 3 x 3, stride 2, with a bias: 2 x 4 x 9 x 8 becomes 2 x 6 x 19 x 17."""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    onnx.save(LAYERS["conv_transpose"].model, TRANSPOSED)
    onnx.save(ELEMENTS["acos"].model, "acos.onnx")


def _agree(monkeypatch: pytest.MonkeyPatch, **numbers: int) -> None:
    """Tools that report these numbers, whatever they are given."""

    def reports(number: int) -> GraphPeer:
        def run(_: ModelProto) -> int:
            return number

        return GraphPeer("onnx", run)

    monkeypatch.setattr(graph_peers, "GRAPH_PEERS", {name: reports(each) for name, each in numbers.items()})


def test_each_tool_that_reads_graphs_has_a_row(run: Run) -> None:
    code, out, err = run("reconcile", TRANSPOSED, "-f", "json")
    assert (code, err) == (0, "")
    rows = {row["convention"]: row for row in json.loads(out)["rows"]}
    macs = 4 * 6 * 9 * 2 * 9 * 8
    outputs = 2 * 6 * 19 * 17
    assert {name: row["number"] for name, row in rows.items()} == {
        "multiply_adds": macs,
        "flops": 2 * macs,
        "onnx_tool": outputs * 6 * 9 + outputs,
        "onnx_opcounter": outputs * 4 * 9,
    }
    assert all(row["multiply_adds"] == macs for name, row in rows.items() if name != "flops")
    assert rows["onnx_tool"]["bias"] == outputs
    assert "from the size of their output" in rows["onnx_opcounter"]["defects"]


def test_the_table_says_who_is_left_out_and_who_fails(run: Run) -> None:
    out = run("reconcile", "acos.onnx").out
    assert "onnx-tool fails on it: no rule for Acos (1)" in out
    assert "left out, for they count modules of PyTorch: fvcore, thop, " in out
    assert "onnx-opcounter" in out
    assert (
        "left out, for they count graphs of ONNX: onnx_tool, onnx_opcounter" in run("reconcile", "stem").out
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("reconcile", TRANSPOSED, "--explain", "thop", "onnx_tool"),
            "thop has no number for it: it counts mod",
        ),
        (
            ("reconcile", "stem", "--explain", "fvcore", "onnx_tool"),
            "onnx_tool has no number for it: it counts g",
        ),
        (("count", "acos.onnx", "--convention", "onnx_tool"), "onnx-tool fails on it: no rule for Acos (1)"),
        (("count", "mini", "--convention", "onnx_opcounter"), "export the model, and name the file"),
    ],
)
def test_a_convention_without_a_number_is_refused(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert message in err


def test_tools_that_agree_are_a_check_that_holds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _agree(monkeypatch, onnx_tool=2 * 6 * 19 * 17 * 55, onnx_opcounter=2 * 6 * 19 * 17 * 36)
    code, out, _ = run("reconcile", TRANSPOSED, "--run", "-f", "json")
    verdicts = {row["convention"]: row["verdict"] for row in json.loads(out)["rows"]}
    assert (code, verdicts["onnx_tool"], verdicts["onnx_opcounter"]) == (0, "equal", "equal")


def test_a_tool_that_differs_or_does_not_fail_is_a_failed_check(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _agree(monkeypatch, onnx_opcounter=7)
    code, out, _ = run("reconcile", TRANSPOSED, "--run")
    assert (code, "DIFFERS" in out) == (1, True)
    _agree(monkeypatch, onnx_tool=7)
    code, out, _ = run("reconcile", "acos.onnx", "--run")
    assert code == 1
    assert "no rule for Acos (1); it DIFFERS and reported 7 all the same" in " ".join(out.split())


def test_a_convention_of_graphs_is_described(run: Run) -> None:
    out = " ".join(run("list", "onnx_tool", "--conventions").out.split())
    assert "it fails on operators other than: Abs, Add, " in out
    assert "it fails on: a product with a vector" in out
    told = " ".join(run("list", "onnx_opcounter", "--conventions").out.split())
    assert "it fails on inputs other than: float32, float64, int64" in told


def test_the_document_has_the_numbers_that_were_seen() -> None:
    text = (Path(__file__).parents[2] / "docs" / "conventions.md").read_text("utf-8")
    counted = count(str(LIGHT / "light_resnet50.onnx"))
    defects = [int(term.amount) for each in reconcile(counted) for term in each.defects]
    assert len(defects) == 2
    told = [counted.multiply_adds, *NETWORKS["resnet50"], *defects]
    assert [number for number in told if f"{number:,}" not in text] == []
