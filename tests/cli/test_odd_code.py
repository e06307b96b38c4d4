"""Code of users that is odd on purpose: told in one line, run once, and never taken for a bug."""

from pathlib import Path

import pytest

from costlab.algebra import ReLU, seq
from costlab.algebra.combine import refuse_malformed
from costlab.cli.main import LONGEST
from costlab.errors import DefinitionError
from costlab.targets.resolve import resolve
from tests.cli.conftest import Run

CODE = """
import torch
from torch import nn
from costlab import Linear, ReLU, block, seq

class Exits(Exception):
    def __str__(self):
        raise SystemExit(0)

class Liar:
    __class__ = property(lambda self: 1 / 0)

def raised(): raise Exits()
def long(): raise ValueError("x" * 2**20)
def surrogate(): raise ValueError("\\ud800 and \\u200b")
def maker_of_much(): return 10**5000
async def awaited(): return nn.Linear(8, 8)
def printed():
    print("called")
    raise ValueError("mine")
def nested(): return itself
liar = Liar()
itself = seq(ReLU())
object.__setattr__(itself, "children", (("me", itself),))
other = seq(itself)
empty = seq(ReLU())
object.__setattr__(empty, "children", None)
@block()
def circular(n: int = 3): return seq(circular(n))
class Endless(nn.Module):
    def __init__(self):
        super().__init__()
        self.again = [self]
    def forward(self, x): return self.again[0](x)
class Unmade(nn.Module):
    def __init__(self): pass
    def forward(self, x): return x
broken = nn.Linear(8, 8)
broken._parameters["weight"] = "none"
class Wrong(ReLU):
    def output(self, x): return "wrong"
class Nothing(ReLU):
    def work(self, x, y): return None
class Many(ReLU):
    def work(self, x, y): return super().work(x, y)._replace(outputs="many")
class Nowhere(ReLU):
    def walk(self, *args, **kwargs): return None
nowhere = Nowhere()
wrong, nothing, many = Wrong(), Nothing(), Many()
named = type("A" * 10**5, (), {})()
changed = seq(relu=ReLU(), head=Linear(3))
object.__setattr__(changed.children[1][1], "features", "many")
def lying(): return ReLU()
numbered, texts = nn.Sequential(nn.Linear(8, 8)), nn.Sequential(nn.Linear(8, 8))
numbered._modules[5] = nn.Linear(8, 8)
texts._modules["a"] = "text"
lying.__signature__ = "x"
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(CODE)


@pytest.mark.filterwarnings("ignore:global module forward hook")  # torch's, where a stack is full
@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("raised", "raised: Exits (mine.py, line "),
        ("long", "long: ValueError: xxx"),
        ("surrogate", r"surrogate: ValueError: \ud800 and \u200b (mine.py"),
        ("awaited", "awaited is asynchronous: give one that returns what it awaits"),
        ("liar", "ZeroDivisionError: division by zero (mine.py, line 11)"),
        ("itself", "mine.py:itself.me contains itself: a block is made of others"),
        ("other", "mine.py:other.0.me contains itself"),
        ("nested", "mine.py:nested.me.me contains itself"),
        ("empty", "mine.py:empty: its children are None, not blocks with names"),
        ("circular", "circular: blocks are nested too deeply, or one contains itself"),
        ("Endless", "mine.py:Endless: "),  # and where the stack was full
        ("wrong", "relu: output(x) gives 'wrong', not a Shape or a Vector"),
        ("nowhere", "mine.py:nowhere: walk(x) gives None, not a Node"),
        ("nothing", "relu: work(x, y) gives None, not Work(...)"),
        ("many", "relu: work(x, y) gives outputs='many', which must be a whole number"),
        ("Unmade", "Unmade: its __init__ has to call super().__init__() first"),
        ("broken", "Linear: its parameter weight is a str, no tensor"),
        ("changed", "mine.py:changed.head: Linear: features='many' must be a whole number"),
        ("numbered", "Sequential: its modules cannot be told: TypeError"),
        ("texts", "Sequential: its modules cannot be told: AttributeError"),
        ("lying", "lying: its parameters are not known: write a function that calls it"),
        ("named", f"is of type {'A' * 100}"),
    ],
)
def test_odd_targets(run: Run, target: str, told: str) -> None:
    name = f"mine.py:{target}"
    for words in (("count", name, "-i", "8"), ("reconcile", name, "-i", "8"), ("compare", "-a", name)):
        done = run(*words)
        assert (done.code, done.out) == (2, "")
        assert told in done.err or (words[0] == "compare" and target != "liar")
        assert done.err.count("\n") == 1
        assert len(done.err) <= LONGEST + len("costlab: error: \n")


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("maker", "told"),
    [
        ("maker_of_much", "about 2**16609"),
        ("raised", "mine.py:raised: Exits"),
        ("awaited", "input=mine.py:awaited: the function is asynchronous"),
        ("named", "is no function that gives tensors"),
    ],
)
def test_odd_makers_of_inputs(run: Run, maker: str, told: str) -> None:
    done = run("compare", "inception_a", "inception_c", "-i", f"mine.py:{maker}")
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert done.err.count("\n") == 1


@pytest.mark.usefixtures("mine")
def test_a_maker_that_fails_is_called_once(run: Run) -> None:
    assert run("count", "mine.py:printed", "-i", "1x8").err.count("called") == 1


@pytest.mark.parametrize(
    "name", ["os:abort", "os:fork", "sys:exit", "builtins:help", "builtins:input", "time:sleep"]
)
def test_functions_of_python_are_not_called(run: Run, name: str) -> None:
    done = run("count", name, "-i", "1x8")
    assert (done.code, done.out) == (2, "")
    assert f"{name} is of Python's own library" in done.err


def test_a_block_used_twice_is_in_no_circle() -> None:
    part = seq(ReLU())
    refuse_malformed(seq(part, seq(part)), "it")
    deep = ReLU()
    for _ in range(3000):
        deep = seq(deep)  # type: ignore[assignment]  # a block either way
    refuse_malformed(deep, "deep")


PLAIN = """
from typing import TYPE_CHECKING
from torch import nn
if TYPE_CHECKING:
    from nowhere import Unknown

class Annotated(nn.Module):
    def __init__(
        self, width: int, kernel: int | tuple[int, int] = 3, weights: str | None = "net", scale: float = None
    ):
        super().__init__()
        self.given = (width, kernel, weights, scale)

class Bare(nn.Module):
    def __init__(self, weights="imagenet", norm="none", size=3):
        super().__init__()
        self.given = (weights, norm, size)

class Partly(nn.Module):
    def __init__(self, other: "Unknown" = None, width: "int" = 3):
        super().__init__()
        self.given = (other, width)
"""


@pytest.mark.parametrize(
    ("target", "given"),
    [
        ("Annotated:width=3", (3, 3, "net", None)),
        ("Annotated:width=3,kernel=(3, 5),weights=none,scale=none", (3, (3, 5), None, None)),
        ("Annotated:width=3,kernel=5,weights=None,scale=2", (3, 5, None, 2.0)),
        ("Bare:weights=None,norm=none", (None, "none", 3)),
        ("Bare:weights=other,size=None", ("other", "none", None)),
        ("Partly:width=4", (None, 4)),
    ],
)
def test_arguments_of_plain_classes_are_read_by_their_annotations(
    tmp_path: Path, target: str, given: tuple[object, ...]
) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    block: object = resolve(f"{tmp_path}/plain.py:{target}", "1x8").block
    assert getattr(block, "module").given == given  # noqa: B009  # a block has none, as types know it


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("Annotated:width=abc", "Annotated: width=abc must be a whole number"),
        ("Annotated:width=3,kernel=abc", "Annotated: kernel=abc must be a whole number or a tuple"),
        ("Annotated:width=None", "Annotated: width=None must be a whole number"),
        ("Annotated:width=3,scale=abc", "Annotated: scale=abc must be a number"),
    ],
)
def test_arguments_that_a_plain_class_does_not_take(tmp_path: Path, settings: str, told: str) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    with pytest.raises(DefinitionError) as refused:
        resolve(f"{tmp_path}/plain.py:{settings}", "1x8")
    assert str(refused.value) == told


HALF_MADE = """
from torch import nn
from costlab import Ablation
from costlab.train import Experiment
ablation, experiment = object.__new__(Ablation), object.__new__(Experiment)
net = nn.Sequential()
net._modules["red\\x1b[31m\\nand more"] = nn.Linear(8, 8)
"""


def test_what_was_half_made_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("half.py").write_text(HALF_MADE)
    for words in (
        ("compare", "-a", "half.py:ablation"),
        ("train", "half.py:ablation"),
        ("train", "half.py:experiment"),
    ):
        told = run(*words)
        assert (told.code, told.out) == (2, "")
        assert "was not made as others are" in told.err


def test_names_of_modules_steer_no_terminal(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("half.py").write_text(HALF_MADE)
    shown = run("count", "half.py:net", "-i", "1x8:float32")
    assert shown.code == 0
    assert "\x1b" not in shown.out
    assert "red and more" in shown.out
