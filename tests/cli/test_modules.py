"""Modules of PyTorch, conventions and reconciliations on the command line."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Run

TABLES = Path(__file__).parents[2] / "costlab" / "counting" / "conventions"
READ = {file.stem: tomllib.loads(file.read_text("utf-8")) for file in TABLES.glob("*.toml")}
BY_PLACE = sorted(READ, key=lambda name: int(READ[name]["place"]))
"""Every convention, in the order in which they stand."""
OF_MODULES = [name for name in BY_PLACE if READ[name].get("of") != "graphs"]
"""Those that have a number for modules and definitions."""
MODELS = '''
import torch
from torch import nn
import torch.nn.functional as F

class Net(nn.Module):
    """Counts with several inputs."""
    def __init__(self, width: int = 8):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, bias=False)
        self.head = nn.Linear(width, 5)
    def forward(self, x, scale=None):
        y = F.relu(self.conv(x)).mean((2, 3))
        return self.head(y if scale is None else y * scale)

class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(50, 8), nn.Linear(8, 3)
    def forward(self, tokens, *, mask):
        return self.head(self.table(tokens) * mask[..., None])

class Odd(nn.Module):
    def forward(self, x):
        return torch.fft.fft(x)

class Either(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide, self.narrow = nn.Linear(4, 8), nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 8))
    def forward(self, x):
        return torch.cond(x.sum() > 0, self.wide, self.narrow, (x,))

class Picky(nn.Module):
    def forward(self, x):
        return x[x > 0]

class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Picky()
    def forward(self, x):
        return self.inner(x)

made = Net(16)
def makes(width=4, **rest): return Net(width)
def large(): return nn.Sequential(*(nn.Linear(200_000, 200_000) for _ in range(3)))
def inputs(): return {"tokens": torch.zeros(2, 7, dtype=torch.int64), "mask": torch.zeros(2, 7)}
def none(): return 3
number = 3
'''


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)


def total(run: Run, *words: str) -> dict[str, int]:
    code, out, err = run("count", *words, "-f", "json")
    assert (code, err) == (0, "")
    found: dict[str, int] = json.loads(out)["total"]
    return found


@pytest.mark.parametrize(
    ("target", "width"),
    [
        ("models.py:Net", 8),
        ("models.py:Net:width=2", 2),
        ("models.py:made", 16),
        ("models:makes:width=3,x=1", 3),
    ],
)
def test_factories_classes_and_modules(run: Run, target: str, width: int) -> None:
    expected = 27 * width * 36 + 5 * width
    assert total(run, target, "-i", "3x8x8")["multiply_adds"] == expected
    assert total(run, target, "-i", "3x8x8", "-b", "4")["multiply_adds"] == 4 * expected
    assert total(run, target, "-i", "4x3x8x8")["multiply_adds"] == 4 * expected


def test_several_inputs_by_order_and_name(run: Run) -> None:
    two = total(run, "models.py:Net", "-i", "2x3x8x8", "-i", "scale:2x8")
    assert two["multiply_adds"] == 2 * (27 * 8 * 36 + 5 * 8)
    named = total(run, "models.py:Tokens", "-i", "2x7:int64", "-i", "mask:2x7:float32")
    assert named == total(run, "models.py:Tokens", "-i", "models.py:inputs")
    assert named["multiply_adds"] == 2 * 7 * 8 * 3


def test_a_layer_of_torch_itself(run: Run) -> None:
    found = total(run, "torch.nn:Linear:in_features=6,out_features=5", "-i", "2x3x6:float32")
    assert found["multiply_adds"] == 2 * 3 * 6 * 5


def test_a_model_that_is_larger_than_the_machine(run: Run) -> None:
    found = total(run, "models.py:large", "-i", "1x200000")
    assert found["multiply_adds"] == 3 * 200_000**2
    assert found["parameters"] == 3 * 200_000 * 200_001


def test_a_step_of_training(run: Run) -> None:
    code, out, _ = run("count", "models.py:Net", "-i", "1x3x8x8", "--backward", "-f", "json")
    content = json.loads(out)
    assert code == 0
    # The way forward, both gradients of the layer, and of the first convolution that of its weight.
    assert content["total"]["multiply_adds"] == 2 * 27 * 8 * 36 + 3 * 5 * 8
    assert content["training_step"] is True
    text = run("count", "models.py:Net", "-i", "1x3x8x8", "--backward").out
    assert "a step of training" in text


def test_what_has_no_rule_is_told_and_refused_on_request(run: Run) -> None:
    code, out, err = run("count", "models.py:Odd", "-i", "2x4")
    assert (code, err) == (0, "")
    assert "NOT COUNTED, for there is no rule, or it is in the data: " in out
    code, out, err = run("count", "models.py:Odd", "-i", "2x4", "--strict")
    assert code == 1
    assert err.startswith("models.py:Odd: without a rule: ")
    assert run("count", "models.py:Net", "-i", "3x8x8", "--strict").code == 0


def test_two_branches_that_are_both_counted_are_told(run: Run) -> None:
    code, out, _ = run("count", "models.py:Either", "-i", "2x4")
    assert code == 0
    told = (
        "both branches are in the total, and data decides which one runs: cond_on_data, once, at cond_on_data"
    )
    assert told in out
    assert "NOT COUNTED" not in out
    assert "112 multiply-adds" in out  # 2 x 4 x 8, and 2 x 4 x 2 with 2 x 2 x 8
    code, _, err = run("count", "models.py:Either", "-i", "2x4", "--strict")
    assert (code, err) == (1, "models.py:Either: both branches are counted: cond_on_data\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("models.py:Net",), "models.py:Net has no input shape of its own: give one"),
        (
            ("models.py:Net", "-i", "1x3x8x8", "-b", "2"),
            "input=1x3x8x8 has its batch in it: leave batch=2 out",
        ),
        (("models.py:Net", "-i", "1x4x8x8"), "conv: RuntimeError: "),
        (("models.py:Outer", "-i", "2x4"), "inner: what it does depends on the values of its data"),
        (("models.py:Tokens", "-i", "2x7:int64"), "Tokens: missing a required argument: 'mask'"),
        (("models.py:Net", "-i", "2x7:int63"), "there is no type 'int63'; did you mean int"),
        (("models.py:none", "-i", "2x7"), "none returned int, not a block or a module"),
        (
            ("models.py:number", "-i", "2x7"),
            "models.py:number is of type int, not a block, a module, or a function",
        ),
        (("inception_v3", "-i", "1x3x75x75"), "input=1x3x75x75 is for modules"),
        (("models.py:Net", "-i", "3x8x8", "--symbolic", "H"), "a closed form is for definitions"),
        (("stem", "--symbolic", "H", "--convention", "thop"), "--convention does not go with --symbolic"),
        (("stem", "--convention", "thopp"), "there is no convention 'thopp'; did you mean thop"),
        (("stem", "--symbolic", "H", "-f", "netron"), "--format netron does not go with --symbolic"),
        (("stem", "--symbolic", "H", "--backward"), "--backward and --strict do not go with --symbolic"),
        (("stem", "--backward", "--inference"), "--inference is without what --backward counts"),
        (
            ("torch.nn:LSTM:input_size=4,hidden_size=3", "-i", "2x5x4"),
            "it was called with 1x2x5x4: if 2x5x4 has its batch in it, write 2x5x4:float32",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("count", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("costlab: error: ")
    assert len(err.splitlines()) == 1


def test_the_cross_check_of_a_module(run: Run) -> None:
    code, out, _ = run("count", "models.py:Net", "-i", "2x3x8x8", "--check")
    assert code == 0
    assert "torch FlopCounterMode, FLOPs, two per multiply-add: agreed on 3 modules" in out
    assert "fvcore FlopCountAnalysis, flops as it charges them: agreed on 1 module" in out
    assert "torch tensors, parameters: agreed on 1 module" in out
    code, out, _ = run("count", "mini", "--backward", "-d", "0", "--check")
    assert code == 0
    assert "torch FlopCounterMode, FLOPs, two per multiply-add: agreed on 1 module" in out


def test_modules_and_definitions_compare(run: Run) -> None:
    words = ("compare", "models.py:Net", "models.py:Net:width=16", "-i", "3x8x8", "-f", "json")
    first, second = json.loads(run(*words).out)["rows"]
    assert second["multiply_adds"] == 2 * first["multiply_adds"]
    code, out, _ = run(*words[:-2], "--convention", "calflops_flops", "--diff")
    assert code == 0
    assert "calflops FLOPs" in out
    assert "conv" in out


def test_reconcile(run: Run) -> None:
    code, out, err = run("reconcile", "stem", "-f", "json")
    assert (code, err) == (0, "")
    assert [row["convention"] for row in json.loads(out)["rows"]] == OF_MODULES
    code, out, err = run("reconcile", "models.py:Net", "-i", "1x3x8x8", "--run", "-f", "json")
    verdicts = {row["convention"]: row["verdict"] for row in json.loads(out)["rows"]}
    assert code == 0
    assert set(verdicts.values()) == {"", "equal", "not installed"}
    assert [name for name, verdict in verdicts.items() if verdict == "not installed"] == [
        "ultralytics_thop",
        "deepspeed_macs",
        "deepspeed_flops",
    ]
    code, out, err = run("reconcile", "stem", "--explain", "fvcore", "thop")
    assert (code, err) == (0, "")
    assert "batch_norm2d outputs + scalings against batch_norm2d 2 x outputs" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("stem", "--explain", "fvcore", "fvcore"), "fvcore does not differ from itself"),
        (("stem", "--explain", "fvcore", "x"), "there is no convention 'x'"),
        (("stem", "--explain", "fvcore", "thop", "--run"), "--run and --explain do not go together"),
    ],
)
def test_mistakes_in_a_reconciliation(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("reconcile", *words)
    assert (code, out) == (2, "")
    assert message in err


def test_a_tool_that_differs_is_a_failed_check(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from costlab.checking import peers

    wrong = peers.Peer("thop", lambda model, inputs: 7)
    monkeypatch.setattr(peers, "PEERS", {"thop": wrong})
    code, out, _ = run("reconcile", "conv_nxn", "--run")
    assert code == 1
    assert "DIFFERS" in out


def test_conventions_are_listed(run: Run) -> None:
    code, out, _ = run("list", "--conventions", "-f", "json")
    assert code == 0
    assert [row["name"] for row in json.loads(out)["rows"]] == BY_PLACE
    assert "2 x outputs + 2 x affine" in run("list", "thop", "--conventions").out
    code, _, err = run("list", "--conventions", "--ablations")
    assert (code, "do not go together" in err) == (2, True)


def test_the_page_of_a_module(run: Run) -> None:
    code, _, err = run("report", "models.py:Net", "-i", "1x3x32x32", "-o", "pages", "--convention", "ptflops")
    assert code == 0, err
    (page,) = Path("pages").glob("*.md")
    text = page.read_text("utf-8")
    assert "ptflops MACs" in text
    assert "3x3" in text
    assert "The module itself is run" in text


def test_a_layer_without_elements_is_told_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\ndef net(width=4):\n    return nn.Sequential(nn.Conv2d(3, width, 3))\n"
    )
    told = run("count", f"{tmp_path}/net.py:net:width=0", "-i", "3x8x8")
    assert (told.code, told.err.count("\n")) == (2, 1)
    assert "has no filters" in told.err
