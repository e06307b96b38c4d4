"""``costlab list``: what there is, and what a definition of one's own takes."""

import json
from pathlib import Path

from tests.cli.conftest import Run

NETS = '''
from torch import nn
from costlab import Conv2d, block, seq

@block(input="3x8x8")
def mine(n: int = 3):
    """Mine.

    Args:
        n: the kernel.
    """
    return seq(Conv2d(4, n))

class Net(nn.Module):
    def __init__(self, depth: int, wide=False):
        super().__init__()

made = mine()
'''


def test_list(run: Run) -> None:
    code, out, _ = run("list")
    assert code == 0
    assert "inception_a  Figure 5  input 192x35x35" in out
    assert "branch_5x5=5x5" in out
    assert "``" not in out
    rows = json.loads(run("list", "-f", "json").out)["rows"]
    assert {"inception_v3", "stem", "inception_e"} <= {row["name"] for row in rows}
    assert "kernel_7x7=1x7+7x1   (7x7 or 1x7+7x1)" in run("list", "inception_v3").out
    assert run("list", "incepton_v3").code == 2
    assert "| inception_a | Figure 5 |" in run("list", "-f", "markdown").out
    one = json.loads(run("list", "inception_a", "-f", "json").out)
    assert (one["name"], one["figure"], one["input"]) == ("inception_a", "Figure 5", "192x35x35")
    assert one["rows"][1]["takes"] == "5x5 or 3x3+3x3 or 3x3"
    assert one["rows"][0]["default"] == "64"
    assert "second branch" in one["rows"][1]["note"]


def test_a_definition_in_a_file_is_described(run: Run, tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(NETS)
    code, out, _ = run("list", f"{tmp_path}/nets.py:mine")
    assert (code, out.split("\n")[:3]) == (0, ["mine  input 3x8x8", "  Mine.", ""])
    assert "n=3   (a whole number)" in out
    assert "the kernel." in out
    rows = json.loads(run("list", f"{tmp_path}/nets.py:Net", "-f", "json").out)
    assert rows["summary"] == ""  # and not that of nn.Module
    assert [(row["name"], row["default"]) for row in rows["rows"]] == [("depth", None), ("wide", "false")]
    for name, message in (
        ("made", "is made already, and has no parameters"),
        ("mine:n=5", "name the definition without its settings"),
        ("none", "has no 'none'; did you mean nn?"),
    ):
        failed = run("list", f"{tmp_path}/nets.py:{name}")
        assert (failed.code, message in failed.err) == (2, True), failed.err
